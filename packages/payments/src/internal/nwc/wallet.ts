import { raceSignal, throwIfAborted } from '@covey/core'
import { decrypt, encrypt, getConversationKey } from 'nostr-tools/nip44'
import { finalizeEvent, verifyEvent, type VerifiedEvent } from 'nostr-tools/pure'
import { PaymentError } from '../../errors.js'
import type { SocketConstructor } from '../../nwc/provider.js'
import { fromHex, isId } from '../hex.js'

/** What a wallet's connection string says. */
export interface WalletUrl {
  /** The wallet's key, 64 hexadecimal digits. */
  readonly wallet: string
  /** The key that speaks for this app, 32 bytes. Whoever has it can spend. */
  readonly secret: Uint8Array
  readonly relays: readonly string[]
}

export interface WalletInit {
  url: WalletUrl
  Socket: SocketConstructor
  timeoutMs: number
}

/** A wallet's answer: what it gives, or the code of its error as NIP-47 names it. */
export type WalletAnswer = { readonly result: Record<string, unknown> } | { readonly errorCode: string }

/** Whether it was handed to a relay decides whether the wallet may still act on it. */
export class NoAnswer extends PaymentError {
  readonly wasSent: boolean

  constructor(wasSent: boolean, message: string) {
    super('PROVIDER_UNAVAILABLE', message, { retryable: true })
    this.wasSent = wasSent
  }
}

const REQUEST_KIND = 23194
const RESPONSE_KIND = 23195
const MAX_MESSAGE_CHARACTERS = 131_072
const MAX_RELAYS = 8

/** @throws {TypeError} when it is no connection string; it never tells what was in it. */
export function parseWalletUrl(text: string): WalletUrl {
  const [, wallet, query] = /^nostr\+?walletconnect:(?:\/\/)?([0-9a-f]{64})\/?\?([^#\s]{1,4096})$/.exec(text) ?? []
  const relays: string[] = []
  let secret: string | undefined
  for (const pair of query?.split('&') ?? []) {
    const [name, value = ''] = pair.split('=', 2)
    const decoded = decodeComponent(value)
    if (name === 'relay' && decoded !== undefined && /^wss?:\/\/[^\s]{1,512}$/.test(decoded)) relays.push(decoded)
    if (name === 'secret') secret = decoded
  }
  if (wallet === undefined || !isId(secret) || relays.length < 1 || relays.length > MAX_RELAYS) {
    throw new TypeError('url must be a connection string of a wallet: nostr+walletconnect://… with a relay and a secret')
  }
  return { wallet, secret: fromHex(secret), relays }
}

/**
 * Asks a wallet, over one relay: the first that can be reached. A request that lay on several could be taken for several.
 *
 * @throws {NoAnswer} when there is none in time.
 * @throws the signal's `reason` when it is aborted first; what was sent by then stays sent.
 */
export async function askWallet(init: WalletInit, method: string, params: object, signal: AbortSignal | undefined): Promise<WalletAnswer> {
  const { url, timeoutMs } = init
  const key = getConversationKey(url.secret, url.wallet)
  const createdSeconds = Math.floor(Date.now() / 1000)
  const request = finalizeEvent(
    {
      kind: REQUEST_KIND,
      created_at: createdSeconds,
      tags: [
        ['p', url.wallet],
        ['encryption', 'nip44_v2'],
        // A wallet that wakes up later is not to act on what nobody waits for.
        ['expiration', String(createdSeconds + Math.ceil(timeoutMs / 1000))]
      ],
      content: encrypt(JSON.stringify({ method, params }), key)
    },
    url.secret
  )
  let last: NoAnswer | undefined
  for (const relay of url.relays) {
    throwIfAborted(signal)
    try {
      return await askOver(relay, init, request, method, key, signal)
    } catch (error) {
      if (!(error instanceof NoAnswer) || error.wasSent) throw error
      last = error
    }
  }
  throw last!
}

async function askOver(relay: string, { url, Socket, timeoutMs }: WalletInit, request: VerifiedEvent, method: string, key: Uint8Array, signal: AbortSignal | undefined): Promise<WalletAnswer> {
  let wasSent = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let socket: InstanceType<SocketConstructor> | undefined
  const answered = new Promise<WalletAnswer>((resolve, reject) => {
    const give = (message: string): void => reject(new NoAnswer(wasSent, message))
    timer = setTimeout(() => give('The wallet does not answer.'), timeoutMs)
    try {
      socket = new Socket(relay)
    } catch {
      return give('The relay of the wallet cannot be reached.')
    }
    socket.onerror = () => give('The relay of the wallet cannot be reached.')
    socket.onclose = () => give('The relay of the wallet has ended the connection.')
    socket.onopen = () => {
      socket!.send(JSON.stringify(['REQ', 'covey', { kinds: [RESPONSE_KIND], authors: [url.wallet], '#e': [request.id] }]))
      wasSent = true
      socket!.send(JSON.stringify(['EVENT', request]))
    }
    socket.onmessage = ({ data }: { data: unknown }) => {
      const message = readMessage(data)
      if (message === undefined) return
      const [kind, , event] = message
      // It may have passed it on all the same.
      if (kind === 'OK' && message[1] === request.id && message[2] === false) return give('The relay of the wallet has refused the request.')
      if (kind !== 'EVENT' || !isAnswer(event, url.wallet, request.id)) return
      const answer = readAnswer(event.content, key, method)
      if (answer !== undefined) resolve(answer)
    }
  })
  try {
    return await raceSignal(answered, signal)
  } finally {
    clearTimeout(timer)
    // An error of a socket that is being closed is nobody's any more.
    socket?.close()
  }
}

function readMessage(data: unknown): unknown[] | undefined {
  if (typeof data !== 'string' || data.length > MAX_MESSAGE_CHARACTERS) return undefined
  const value = parse(data)
  return Array.isArray(value) ? value : undefined
}

/** A relay can send anything: only what the wallet has signed, in answer to this request, is read. */
function isAnswer(value: unknown, wallet: string, requestId: string): value is VerifiedEvent {
  const event = value as VerifiedEvent | null
  if (typeof event !== 'object' || event === null || event.kind !== RESPONSE_KIND || event.pubkey !== wallet) return false
  try {
    return event.tags.some((tag) => tag[0] === 'e' && tag[1] === requestId) && verifyEvent(event)
  } catch {
    // Fields of other types than an event has.
    return false
  }
}

function readAnswer(content: unknown, key: Uint8Array, method: string): WalletAnswer | undefined {
  let text: string
  try {
    text = decrypt(content as string, key)
  } catch {
    return undefined
  }
  const answer = parse(text) as { result_type?: unknown; result?: unknown; error?: { code?: unknown } | null } | undefined
  if (typeof answer !== 'object' || answer === null || answer.result_type !== method) return undefined
  const { error, result } = answer
  if (typeof error === 'object' && error !== null) return { errorCode: typeof error.code === 'string' ? error.code : 'OTHER' }
  return typeof result === 'object' && result !== null ? { result: result as Record<string, unknown> } : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function decodeComponent(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

import type { AddressInfo } from 'node:net'
import type { LightningNode } from '@covey/payments/ldk'
import { decodeBolt11 } from '@covey/payments/bolt11'
import { decrypt, encrypt, getConversationKey } from 'nostr-tools/nip44'
import { finalizeEvent, generateSecretKey, getPublicKey, verifyEvent, type Event } from 'nostr-tools/pure'
import WebSocket, { WebSocketServer } from 'ws'
import { isCoveyError } from '@covey/core'

interface Subscription {
  readonly socket: WebSocket
  readonly id: string
  readonly filter: { kinds: number[]; authors?: string[]; [tag: `#${string}`]: string[] | undefined }
}

/** Passes events on to whoever has asked for them, as a Nostr relay does, and keeps none. */
export async function startRelay() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const subscriptions = new Set<Subscription>()
  server.on('connection', (socket) => {
    socket.on('close', () => {
      for (const each of subscriptions) if (each.socket === socket) subscriptions.delete(each)
    })
    socket.on('message', (data) => {
      const [kind, first, filter] = JSON.parse((data as Buffer).toString()) as [string, string & Event, Subscription['filter']]
      if (kind === 'REQ') {
        subscriptions.add({ socket, id: first, filter })
        socket.send(JSON.stringify(['EOSE', first]))
      }
      if (kind !== 'EVENT') return
      socket.send(JSON.stringify(['OK', first.id, true, '']))
      for (const each of subscriptions) if (matches(each.filter, first)) each.socket.send(JSON.stringify(['EVENT', each.id, first]))
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** To every app, whatever it has asked for. */
    flood(message: string) {
      for (const { id, socket } of subscriptions) if (id === 'covey') socket.send(message)
    },
    close: () => {
      for (const socket of server.clients) socket.terminate()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}

function matches({ kinds, authors, ...tags }: Subscription['filter'], event: Event): boolean {
  if (!kinds.includes(event.kind) || (authors !== undefined && !authors.includes(event.pubkey))) return false
  return Object.entries(tags).every(([name, values]) => event.tags.some((tag) => tag[0] === name.slice(1) && values!.includes(tag[1]!)))
}

type Answer = { result?: unknown; error?: { code: string; message: string } }
export type Handler = (method: string, params: Record<string, unknown>, honest: () => Promise<Answer>) => Answer | string | undefined | Promise<Answer | string | undefined>

/** A wallet service in front of a node. `handle` may answer otherwise: nothing at all, or with a text that is sent as it is. */
export async function startWallet(relayUrl: string, node: LightningNode, handle: Handler = (_method, _params, honest) => honest()) {
  const [secret, app] = [generateSecretKey(), generateSecretKey()]
  const key = getConversationKey(secret, getPublicKey(app))
  const calls: string[] = []
  const socket = new WebSocket(relayUrl)
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(JSON.stringify(['REQ', 'wallet', { kinds: [23194], '#p': [getPublicKey(secret)] }]))
  await new Promise((resolve) => socket.once('message', resolve))
  socket.on('message', (data) => {
    const [kind, , event] = JSON.parse((data as Buffer).toString()) as [string, string, Event]
    if (kind === 'EVENT' && verifyEvent(event) && event.pubkey === getPublicKey(app)) void answer(event)
  })
  return {
    url: `nostr+walletconnect://${getPublicKey(secret)}?relay=${encodeURIComponent(relayUrl)}&secret=${Buffer.from(app).toString('hex')}`,
    calls,
    close: () => socket.terminate()
  }

  async function answer(event: Event): Promise<void> {
    const { method, params } = JSON.parse(decrypt(event.content, key)) as { method: string; params: Record<string, unknown> }
    calls.push(method)
    const honest = (): Promise<Answer> => serve(node, method, params).catch((error: unknown) => ({ error: { code: codeOf(error), message: 'no' } }))
    const given = await handle(method, params, honest)
    if (given === undefined) return
    const content = typeof given === 'string' ? given : encrypt(JSON.stringify({ result_type: method, result: null, error: null, ...given }), key)
    const template = { kind: 23195, created_at: event.created_at, tags: [['p', event.pubkey], ['e', event.id]], content }
    socket.send(JSON.stringify(['EVENT', finalizeEvent(template, secret)]))
  }
}

async function serve(node: LightningNode, method: string, params: Record<string, unknown>): Promise<Answer> {
  if (method === 'make_invoice') {
    const { amount, description_hash: hash, expiry } = params as { amount: number; description_hash: string; expiry: number }
    const invoice = await node.createInvoice({ amountMsat: BigInt(amount), descriptionHash: Uint8Array.from(Buffer.from(hash, 'hex')), expiresInMs: expiry * 1000 })
    return { result: { type: 'incoming', invoice } }
  }
  if (method === 'pay_invoice') {
    const { invoice } = params as { invoice: string }
    const decoded = decodeBolt11(invoice)
    if (!decoded.ok) throw decoded.error
    const payment = await node.payInvoice(invoice, { maxFeeMsat: 10_000n })
    if (payment.status !== 'paid') throw new Error('not paid')
    return { result: { preimage: Buffer.from(payment.preimage!).toString('hex'), fees_paid: Number(payment.feeMsat) } }
  }
  const { payment_hash: hash } = params as { payment_hash: string }
  const received = node.received(Uint8Array.from(Buffer.from(hash, 'hex')))
  if (received !== undefined) return { result: { type: 'incoming', payment_hash: hash, state: 'settled', amount: Number(received) } }
  const payment = node.payment(Uint8Array.from(Buffer.from(hash, 'hex')))
  if (payment === undefined) return { error: { code: 'NOT_FOUND', message: 'no' } }
  const state = { pending: 'pending', paid: 'settled', failed: 'failed' }[payment.status]
  const preimage = payment.preimage === null ? undefined : Buffer.from(payment.preimage).toString('hex')
  return { result: { type: 'outgoing', payment_hash: hash, state, preimage, fees_paid: Number(payment.feeMsat) } }
}

function codeOf(error: unknown): string {
  return isCoveyError(error, 'INSUFFICIENT_FUNDS') ? 'INSUFFICIENT_BALANCE' : 'PAYMENT_FAILED'
}

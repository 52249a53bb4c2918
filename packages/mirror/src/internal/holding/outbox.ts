import { encodeZ32, isCoveyError } from '@covey/core'
import type { Channel } from '@covey/transport'
import { MAX_NAMED, type HoldingMessage, type RefusalCode } from './channel.js'

/** What waits to be told to devices: of each core the newest word only, so that who is slow has no long queue. */
export interface Outbox {
  held(peer: string, key: Uint8Array, length: number): void
  refused(peer: string, key: Uint8Array, code: RefusalCode): void
  answer(peer: string, id: number, hash: Uint8Array | undefined): void
  /** Forgets a device that is gone. */
  drop(peer: string): void
}

/** How many answers wait for a device that does not read them; the next are not given. */
const MAX_ANSWERS = 64

interface Waiting {
  readonly held: Map<string, { readonly key: Uint8Array; readonly length: number }>
  readonly refused: Map<string, { readonly key: Uint8Array; readonly code: RefusalCode }>
  readonly answers: HoldingMessage[]
  isSending: boolean
}

export function createOutbox(channel: Channel<HoldingMessage>, onerror: (error: unknown) => void): Outbox {
  const devices = new Map<string, Waiting>()

  /** Gives `change` what waits for a device, and sends it. */
  function add(peer: string, change: (waiting: Waiting) => void): void {
    const waiting = devices.get(peer) ?? { held: new Map(), refused: new Map(), answers: [], isSending: false }
    devices.set(peer, waiting)
    change(waiting)
    if (waiting.isSending) return
    waiting.isSending = true
    send(peer, waiting).catch((error: unknown) => {
      // Who is gone is told nothing.
      if (!isCoveyError(error, 'CHANNEL_CLOSED')) onerror(error)
      drop(peer, waiting)
    })
  }

  async function send(peer: string, waiting: Waiting): Promise<void> {
    for (let next = take(waiting); next !== undefined; next = take(waiting)) await channel.send(peer, next)
    waiting.isSending = false
  }

  function drop(peer: string, waiting: Waiting): void {
    if (devices.get(peer) === waiting) devices.delete(peer)
  }

  return {
    held: (peer, key, length) => add(peer, ({ held }) => void held.set(encodeZ32(key), { key, length })),
    refused: (peer, key, code) => add(peer, ({ refused }) => void refused.set(encodeZ32(key), { key, code })),
    answer: (peer, id, hash) =>
      add(peer, ({ answers }) => {
        if (answers.length < MAX_ANSWERS) answers.push({ type: 'answer', id, hash })
      }),
    drop: (peer) => void devices.delete(peer)
  }
}

function take({ held, refused, answers }: Waiting): HoldingMessage | undefined {
  const answer = answers.shift()
  if (answer !== undefined) return answer
  const [first] = refused.values()
  if (first !== undefined) {
    const { code } = first
    const keys = takeSome(refused, (other) => other.code === code).map(({ key }) => key)
    return { type: 'refused', code, keys }
  }
  return held.size === 0 ? undefined : { type: 'held', held: takeSome(held, () => true) }
}

/** Takes out of a map what one message has room for. */
function takeSome<Value>(from: Map<string, Value>, isOne: (value: Value) => boolean): Value[] {
  const taken: Value[] = []
  for (const [id, value] of from) {
    if (taken.length === MAX_NAMED) break
    if (!isOne(value)) continue
    from.delete(id)
    taken.push(value)
  }
  return taken
}

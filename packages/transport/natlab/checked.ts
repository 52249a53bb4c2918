import { createHash } from 'node:crypto'
import Protomux from 'protomux'
import type { Session } from '../src/internal/session/session.js'

const BLOCK_BYTES = 65_536

export interface Checked {
  readonly bytes: number
  readonly ms: number
  /** Whether what arrived is what was sent: all of it, in order, and once. */
  readonly isWhole: boolean
}

/** Sends blocks to whoever asks for them by a session, and asks for some. Each block follows from its place. */
export function checkedTransfers(session: Session): (bytes: number) => Promise<Checked> {
  let onblock: (block: Uint8Array) => void = () => undefined
  let drained = (): void => undefined
  const channel = Protomux.from(session).createChannel({
    protocol: 'covey/natlab-checked',
    messages: [
      { onmessage: (asked: Uint8Array) => void send(Buffer.from(asked).readUInt32LE(0)) },
      { onmessage: (block: Uint8Array) => onblock(block) }
    ] as { onmessage: (message: never) => void }[],
    ondrain: () => drained()
  })!
  const [request, data] = channel.messages as unknown as { send(bytes: Uint8Array): boolean }[]
  channel.open()

  async function send(count: number): Promise<void> {
    for (let i = 0; i < count && !session.destroying; i++) {
      if (!data!.send(blockAt(i))) await new Promise<void>((resolve) => (drained = resolve))
    }
  }

  return (bytes) =>
    new Promise((resolve) => {
      const count = Math.ceil(bytes / BLOCK_BYTES)
      const [expected, arrived] = [createHash('sha256'), createHash('sha256')]
      const startedAt = performance.now()
      let blocks = 0
      onblock = (block) => {
        arrived.update(block)
        expected.update(blockAt(blocks++))
        if (blocks < count) return
        const isWhole = expected.digest().equals(arrived.digest())
        resolve({ bytes: blocks * BLOCK_BYTES, ms: Math.round(performance.now() - startedAt), isWhole })
      }
      const asked = Buffer.alloc(4)
      asked.writeUInt32LE(count)
      request!.send(asked)
    })
}

function blockAt(number: number): Uint8Array {
  return Buffer.alloc(BLOCK_BYTES, createHash('sha256').update(String(number)).digest())
}

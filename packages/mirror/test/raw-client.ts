import NoiseSecretStream from '@hyperswarm/secret-stream'
import { onTestFinished } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import type { Relay } from '@covey/mirror'
import { closeWhole, decodeFrame, encodeFrame, FRAME, type DecodedFrame } from '@covey/transport/internal'

/** A device that says to a relay what it likes. */
export interface RawClient {
  readonly publicKey: Uint8Array
  readonly stream: NoiseSecretStream
  /** What the relay has said. */
  readonly frames: DecodedFrame[]
  send(type: number, id: number, body?: Uint8Array): void
  /** Resolves with the first frame of a type, or null when the relay ends the connection. */
  next(type: number): Promise<DecodedFrame | null>
}

export async function connectRaw(relay: Relay): Promise<RawClient> {
  const raw = closeWhole(createWebSocketStream(new WebSocket(`ws://127.0.0.1:${relay.webSocketPort}`)))
  const stream = new NoiseSecretStream(true, raw)
  stream.on('error', () => undefined)
  onTestFinished(() => stream.destroy())
  const frames: DecodedFrame[] = []
  // Resumed in the same tick as it opens, so that nothing is missed.
  stream.on('data', (bytes) => {
    const frame = decodeFrame(bytes)
    if (frame !== null) frames.push({ ...frame, body: frame.body.slice() })
  })
  await stream.opened
  let wake = (): void => undefined
  stream.on('data', () => wake())
  stream.on('close', () => wake())
  const changed = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  const client: RawClient = {
    publicKey: stream.publicKey,
    stream,
    frames,
    send: (type, id, body) => void stream.write(encodeFrame(type, id, body)),
    async next(type) {
      for (;;) {
        const at = frames.findIndex((frame) => frame.type === type)
        if (at !== -1) return frames.splice(at, 1)[0]!
        if (stream.destroyed) return null
        await changed()
      }
    }
  }
  // By its answer the relay has taken the device on.
  await client.next(FRAME.hello)
  return client
}

/** A circuit from one to the other. */
export async function openCircuit(from: RawClient, to: RawClient, id = 1): Promise<number> {
  from.send(FRAME.open, id, to.publicKey)
  return (await to.next(FRAME.open))!.id
}

import NoiseSecretStream from '@hyperswarm/secret-stream'
import { onTestFinished } from 'vitest'
import type { RelayAddress } from '@covey/transport'
import { listenWebSocket } from '../src/internal/listen.js'
import { Switchboard } from '../src/internal/switchboard.js'
import { relayLimits } from '../src/limits.js'

/** What a relay does with a frame to a device: it may send it, another one, or none. */
export type Lie = (frame: Uint8Array, send: (frame: Uint8Array) => void) => void

export interface Liar {
  readonly address: RelayAddress
  readonly switchboard: Switchboard
  /** Those that are connected. */
  readonly streams: NoiseSecretStream[]
}

/** A relay, reached over a WebSocket, that is not honest with the devices. */
export async function startLiar(lie: Lie = (frame, send) => send(frame)): Promise<Liar> {
  const keyPair = NoiseSecretStream.keyPair()
  const switchboard = new Switchboard(relayLimits({}, 'limits'))
  const streams: NoiseSecretStream[] = []
  const listener = await listenWebSocket({ host: '127.0.0.1', port: 0 }, (raw) => {
    const stream = new NoiseSecretStream(false, raw, { keyPair })
    const write = stream.write.bind(stream)
    stream.write = (bytes) => {
      const frame = Uint8Array.from(bytes as Uint8Array)
      // Keep-alives are left alone.
      if (frame.length === 0) return write(bytes)
      lie(frame, (sent) => void (stream.destroying || write(sent)))
      return true
    }
    streams.push(stream)
    switchboard.accept(stream)
  })
  onTestFinished(async () => {
    switchboard.close()
    await listener.close()
  })
  return { address: { publicKey: keyPair.publicKey, addresses: [`ws://127.0.0.1:${listener.port}`] }, switchboard, streams }
}

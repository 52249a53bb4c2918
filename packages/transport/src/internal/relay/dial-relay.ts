import NoiseSecretStream from '@hyperswarm/secret-stream'
import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import { equalBytes } from '@covey/core'
import type { RelayTarget, WebSocketTarget } from '../../relay.js'
import { connectWebSocket, type ByteStream } from './websocket.js'
import { OPEN_TIMEOUT_MS } from './wire.js'

/** By how much a WebSocket is preferred: it costs a relay and a device a fifth of the CPU that UDX does. */
const HEDGE_MS = 400

interface DialInit {
  readonly dht: HyperDHT
  readonly keyPair: Hyperswarm['keyPair']
  readonly relay: RelayTarget
  /** The first connection that has proven the relay's key. */
  readonly onopen: (stream: NoiseSecretStream) => void
  /** None has. */
  readonly onfail: () => void
}

/** Connects to a relay over whatever leads there: all its addresses at once, the DHT a little later. */
export function dialRelay({ dht, keyPair, relay, onopen, onfail }: DialInit): { close(): void } {
  const streams = new Set<NoiseSecretStream>()
  let isOver = false
  let hedge: ReturnType<typeof setTimeout> | undefined

  const finish = (winner: NoiseSecretStream | null): void => {
    isOver = true
    clearTimeout(hedge)
    clearTimeout(timeout)
    for (const stream of streams) if (stream !== winner) stream.destroy()
  }
  const add = (stream: NoiseSecretStream): void => {
    streams.add(stream)
    stream.on('error', () => undefined)
    stream.once('open', () => {
      if (isOver) return stream.destroy()
      if (!equalBytes(stream.remotePublicKey, relay.publicKey)) return stream.destroy(new Error('It is another relay.'))
      finish(stream)
      onopen(stream)
    })
    stream.once('close', () => {
      streams.delete(stream)
      if (isOver || streams.size > 0) return
      if (hedge !== undefined) return dialByKey()
      finish(null)
      onfail()
    })
  }
  const dialByKey = (): void => {
    clearTimeout(hedge)
    hedge = undefined
    add(dht.connect(relay.publicKey, { keyPair, relayAddresses: [...relay.udp] }))
  }

  const timeout = setTimeout(() => {
    finish(null)
    onfail()
  }, OPEN_TIMEOUT_MS)
  if (relay.webSockets.length === 0) dialByKey()
  else hedge = setTimeout(dialByKey, HEDGE_MS)
  for (const target of relay.webSockets) {
    const socket = tryConnect(target)
    if (socket !== null) add(new NoiseSecretStream(true, socket, { keyPair }))
  }
  return {
    close() {
      if (!isOver) finish(null)
    }
  }
}

/** Null where no URL can be made of the address: it may be what a peer says. */
function tryConnect(target: WebSocketTarget): ByteStream | null {
  try {
    return connectWebSocket(target)
  } catch {
    return null
  }
}

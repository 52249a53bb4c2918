import NoiseSecretStream from '@hyperswarm/secret-stream'
import HyperDHT from 'hyperdht'
import { assertInteger, assertOptions, assertString, encodeZ32 } from '@covey/core'
import { assertNetwork, formatRelay, publicNetwork, type Network, type RelayAddress } from '@covey/transport'
import { dhtOptions } from '@covey/transport/internal'
import { listenHttp, listenWebSocket, unavailable, type Listener } from './internal/listen.js'
import { formatMetrics, RELAY_METRICS } from './internal/metrics.js'
import { openRelayKey } from './internal/relay-key.js'
import { Switchboard, type RelayStats } from './internal/switchboard.js'
import { relayLimits, type RelayLimits } from './limits.js'

/** What {@link createRelay} needs. */
export interface RelayInit {
  /** The folder of the relay's key, by which devices know it; made on the first run. Without one the key is lost on closing. */
  readonly storage?: string
  /** Default `publicNetwork()`. */
  readonly network?: Network
  /** The address to listen on. Default `0.0.0.0`; on a local network of this machine `127.0.0.1`. */
  readonly host?: string
  /** The UDP port, for the DHT and for devices that come by it. Default 0: any. */
  readonly port?: number
  /** The TCP port for devices that come by WebSocket. Default {@link RelayInit.port}. */
  readonly webSocketPort?: number
  /** Where devices find it, as in `RelayAddress`. Default: host and ports, if the host is an address of its own. */
  readonly addresses?: readonly string[]
  /** The TCP port, on loopback, for `GET /metrics`. Default: none. */
  readonly metricsPort?: number
  readonly limits?: Partial<RelayLimits>
}

/** A blind relay: devices that are connected to it reach each other through it, encrypted end to end. */
export interface Relay {
  /** Its ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** {@link publicKey} in z-base-32. */
  readonly id: string
  /** What devices put among their `relays`. */
  readonly address: RelayAddress
  /** {@link address} in one line, for `parseRelay()`. */
  readonly line: string
  /** The TCP port that it listens on. */
  readonly webSocketPort: number
  /** The TCP port of the metrics; null without. */
  readonly metricsPort: number | null
  /** What it has done since it started. */
  stats(): RelayStats
  /** Resolves when it can be found by its key. Rejects when it could not be announced: its addresses work all the same. */
  announced(): Promise<void>
  /** Ends all connections and leaves the network. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** dht-rpc 6.27.0, index.js */
interface UpstreamDht {
  bind(): Promise<void>
  readonly io: { readonly serverSocket: { address(): { port: number } } }
}

const PORT = { min: 0, max: 65_535 }

/**
 * Starts a relay. It serves whoever comes, within its limits, and can read nothing of what it forwards.
 *
 * @throws {MirrorError} RELAY_KEY_UNREADABLE, RELAY_PORT_UNAVAILABLE
 * @throws {TypeError} that names the field.
 */
export async function createRelay(init: RelayInit = {}): Promise<Relay> {
  assertOptions(init, 'init', ['storage', 'network', 'host', 'port', 'webSocketPort', 'addresses', 'metricsPort', 'limits'])
  const { storage, network = publicNetwork(), port = 0, metricsPort } = init
  if (storage !== undefined) assertString(storage, 'init.storage', { minLength: 1 })
  assertNetwork(network, 'init.network')
  const dhtInit = dhtOptions(network)
  const host = init.host ?? dhtInit?.host ?? '0.0.0.0'
  assertString(host, 'init.host', { minLength: 1 })
  assertInteger(port, 'init.port', PORT)
  if (init.webSocketPort !== undefined) assertInteger(init.webSocketPort, 'init.webSocketPort', PORT)
  if (metricsPort !== undefined) assertInteger(metricsPort, 'init.metricsPort', PORT)
  const switchboard = new Switchboard(relayLimits(init.limits ?? {}, 'init.limits'))
  const keyPair = storage === undefined ? HyperDHT.keyPair() : await openRelayKey(storage)

  const dht = new HyperDHT({ ...dhtInit, host, port, ...(port > 0 && { anyPort: false }) })
  const listeners: Listener[] = []
  const server = dht.createServer((stream) => switchboard.accept(stream))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      switchboard.close()
      await Promise.all(listeners.map((listener) => listener.close()))
      await server.close()
      await dht.destroy()
    })())

  try {
    const { bind, io } = dht as unknown as UpstreamDht
    await bind.call(dht).catch((cause: unknown) => {
      throw unavailable(`${host}:${port}`, cause)
    })
    const onconnection = (raw: object): void => switchboard.accept(new NoiseSecretStream(false, raw, { keyPair }))
    const sockets = await listenWebSocket({ host, port: init.webSocketPort ?? port }, onconnection)
    listeners.push(sockets)
    const metrics =
      metricsPort === undefined
        ? null
        : await listenHttp({ host: '127.0.0.1', port: metricsPort }, (request, response) => {
            const isKnown = request.method === 'GET' && request.url === '/metrics'
            response.statusCode = isKnown ? 200 : 404
            response.setHeader('content-type', 'text/plain; version=0.0.4')
            response.end(isKnown ? formatMetrics(RELAY_METRICS, switchboard.stats) : '')
          })
    if (metrics !== null) listeners.push(metrics)

    const listening = server.listen(keyPair)
    listening.catch(() => undefined)
    const addresses = init.addresses ?? ownAddresses(host, sockets.port, io.serverSocket.address().port)
    const address: RelayAddress = { publicKey: keyPair.publicKey, addresses }
    return {
      publicKey: keyPair.publicKey,
      id: encodeZ32(keyPair.publicKey),
      address,
      line: formatRelay(address),
      webSocketPort: sockets.port,
      metricsPort: metrics?.port ?? null,
      stats: () => switchboard.stats,
      announced: async () => void (await listening),
      close,
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Of an address that others can be told. */
function ownAddresses(host: string, webSocketPort: number, port: number): string[] {
  return host === '0.0.0.0' || host === '::' ? [] : [`ws://${host}:${webSocketPort}`, `udp://${host}:${port}`]
}

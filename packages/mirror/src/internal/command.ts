import process from '#process'
import { isCoveyError } from '@covey/core'
import { localNetwork } from '@covey/transport'
import { createMirror, type Mirror, type MirrorInit } from '../create-mirror.js'
import { createRelay, type Relay, type RelayInit } from '../create-relay.js'
import { LIMIT_NAMES, MIRROR_LIMIT_NAMES } from '../limits.js'

const HELP = `covey-mirror [mirror | relay] [options]

Holds rooms for devices, sealed, while they sleep (mirror), and is where devices meet that have no other
way to each other (relay). Without a name it is both. Neither can read anything.

  --storage <folder>        where keys, and what is held, are kept (./covey-mirror)
  --bootstrap <host:port>   a DHT of one's own; may be given several times (the public one)

The mirror:
  --allow <device>          holds for this device only; may be given several times (whoever asks)
  --max-bytes, --max-client-bytes, --max-cores, --max-client-cores,
  --min-free-bytes <number>
  --mirror-metrics-port <port>  GET /metrics and /health on http://127.0.0.1:<port>

The relay:
  --host <address>          the address to listen on (0.0.0.0)
  --port <port>             UDP, and TCP where --web-socket-port is not given (49700)
  --web-socket-port <port>  TCP, for devices that come by WebSocket
  --address <address>       where devices find it: ws://host:port, wss://host/path or udp://ip:port;
                            may be given several times (what is listened on, if --host is given)
  --metrics-port <port>     GET /metrics on http://127.0.0.1:<port>
  --max-clients, --max-circuits, --max-client-circuits, --max-bytes-per-second,
  --max-client-bytes-per-second, --max-buffered-bytes <number>

It prints what devices need, and runs until it is told to stop (SIGTERM, SIGINT).
`

const DEFAULT_PORT = 49_700

/** Runs the program; resolves with its exit code when it has ended. */
export async function runCommand(args: readonly string[]): Promise<number> {
  if (args[0] === 'help' || args.includes('--help')) {
    process.stdout.write(HELP)
    return 0
  }
  try {
    const name = args[0]?.startsWith('--') === false ? args[0] : undefined
    if (name !== undefined && name !== 'relay' && name !== 'mirror') {
      throw new TypeError(`there is no command ${name}: try covey-mirror --help`)
    }
    const flags = new Flags(name === undefined ? args : args.slice(1))
    const shared = { storage: flags.text('--storage') ?? './covey-mirror', ...readNetwork(flags) }
    const relayInit = name === 'mirror' ? undefined : { ...shared, ...readRelay(flags) }
    const mirrorInit = name === 'relay' ? undefined : { ...shared, ...readMirror(flags) }
    flags.end()
    await using relay = relayInit && (await startRelay(relayInit))
    await using _mirror = mirrorInit && (await startMirror({ ...mirrorInit, ...(relay && { relays: [relay.address] }) }))
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
    })
    return 0
  } catch (error) {
    if (!(error instanceof TypeError) && !isCoveyError(error)) throw error
    complain(error.message)
    if (isCoveyError(error) && error.hint !== undefined) complain(error.hint)
    return error instanceof TypeError ? 2 : 1
  }
}

async function startRelay(init: RelayInit): Promise<Relay> {
  const relay = await createRelay(init)
  print(`relay ${relay.id}`)
  print(`line  ${relay.line}`)
  if (relay.address.addresses?.length === 0) print('Give --address, so that devices find it where UDP is blocked.')
  if (relay.metricsPort !== null) print(`metrics http://127.0.0.1:${relay.metricsPort}/metrics`)
  relay.announced().then(
    () => print('announced: it can be found by its key alone'),
    (error: Error) => complain(`It could not be announced, and is found by its addresses only: ${error.message}`)
  )
  return relay
}

async function startMirror(init: MirrorInit): Promise<Mirror> {
  const mirror = await createMirror(init)
  mirror.on('error', (error) => complain(`${error.message} ${String((error.cause as Error | undefined)?.message ?? '')}`))
  print(`mirror ${mirror.link}`)
  if (mirror.metricsPort !== null) print(`mirror-metrics http://127.0.0.1:${mirror.metricsPort}/metrics`)
  return mirror
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`${line}\n`)

/** The options of a command line: what is not taken is unknown. */
class Flags {
  readonly #values = new Map<string, string[]>()

  constructor(args: readonly string[]) {
    for (let i = 0; i < args.length; i += 2) {
      const [flag, value] = [args[i]!, args[i + 1]]
      if (!flag.startsWith('--') || value === undefined) throw new TypeError(`${flag} is no option, or has no value`)
      this.#values.set(flag, [...(this.#values.get(flag) ?? []), value])
    }
  }

  texts(flag: string): string[] {
    const texts = this.#values.get(flag) ?? []
    this.#values.delete(flag)
    return texts
  }

  text(flag: string): string | undefined {
    return this.texts(flag).at(-1)
  }

  number(flag: string): number | undefined {
    const text = this.text(flag)
    if (text === undefined) return undefined
    if (!/^[0-9]{1,15}$/.test(text)) throw new TypeError(`${flag} must be a whole number`)
    return Number(text)
  }

  limits<Name extends string>(names: readonly Name[]): Partial<Record<Name, number>> {
    const limits: Partial<Record<Name, number>> = {}
    for (const name of names) {
      const value = this.number(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
      if (value !== undefined) limits[name] = value
    }
    return limits
  }

  end(): void {
    const [unknown] = this.#values.keys()
    if (unknown !== undefined) throw new TypeError(`there is no option ${unknown} for this: try covey-mirror --help`)
  }
}

function readNetwork(flags: Flags): Pick<RelayInit, 'network'> {
  const bootstrap = flags.texts('--bootstrap')
  return bootstrap.length > 0 ? { network: localNetwork(bootstrap) } : {}
}

function readRelay(flags: Flags): RelayInit {
  const [host, webSocketPort, metricsPort] = [flags.text('--host'), flags.number('--web-socket-port'), flags.number('--metrics-port')]
  const addresses = flags.texts('--address')
  return {
    port: flags.number('--port') ?? DEFAULT_PORT,
    limits: flags.limits(LIMIT_NAMES),
    ...(host !== undefined && { host }),
    ...(webSocketPort !== undefined && { webSocketPort }),
    ...(metricsPort !== undefined && { metricsPort }),
    ...(addresses.length > 0 && { addresses })
  }
}

function readMirror(flags: Flags): Omit<MirrorInit, 'storage'> {
  const [allow, metricsPort] = [flags.texts('--allow'), flags.number('--mirror-metrics-port')]
  return {
    limits: flags.limits(MIRROR_LIMIT_NAMES),
    ...(allow.length > 0 && { allow }),
    ...(metricsPort !== undefined && { metricsPort })
  }
}

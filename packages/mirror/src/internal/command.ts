import process from '#process'
import { isCoveyError } from '@covey/core'
import { localNetwork } from '@covey/transport'
import { createRelay, type RelayInit } from '../create-relay.js'
import { LIMIT_NAMES, type RelayLimits } from '../limits.js'

const HELP = `covey-mirror relay [options]

  --storage <folder>        where the key of the relay is kept (./covey-relay)
  --host <address>          the address to listen on (0.0.0.0)
  --port <port>             UDP, and TCP where --web-socket-port is not given (49700)
  --web-socket-port <port>  TCP, for devices that come by WebSocket
  --address <address>       where devices find it: ws://host:port, wss://host/path or udp://ip:port;
                            may be given several times (what is listened on, if --host is given)
  --metrics-port <port>     GET http://127.0.0.1:<port>/metrics
  --bootstrap <host:port>   a DHT of one's own; may be given several times (the public one)
  --max-clients, --max-circuits, --max-client-circuits, --max-bytes-per-second,
  --max-client-bytes-per-second, --max-buffered-bytes <number>

It prints the line that devices need, and runs until it is told to stop (SIGTERM, SIGINT).
`

const DEFAULT_PORT = 49_700

/** Runs the program; resolves with its exit code when it has ended. */
export async function runCommand([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || args.includes('--help')) {
    process.stdout.write(HELP)
    return name === undefined ? 2 : 0
  }
  try {
    if (name !== 'relay') throw new TypeError(`there is no command ${name}: try covey-mirror --help`)
    await using relay = await createRelay(readInit(readFlags(args)))
    print(`relay ${relay.id}`)
    print(`line  ${relay.line}`)
    if (relay.address.addresses?.length === 0) print('Give --address, so that devices find it where UDP is blocked.')
    if (relay.metricsPort !== null) print(`metrics http://127.0.0.1:${relay.metricsPort}/metrics`)
    relay.announced().then(
      () => print('announced: it can be found by its key alone'),
      (error: Error) => complain(`It could not be announced, and is found by its addresses only: ${error.message}`)
    )
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

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`${line}\n`)

type Flags = Map<string, string[]>

function readFlags(args: readonly string[]): Flags {
  const flags: Flags = new Map()
  for (let i = 0; i < args.length; i += 2) {
    const [flag, value] = [args[i]!, args[i + 1]]
    if (!flag.startsWith('--') || value === undefined) throw new TypeError(`${flag} is no option, or has no value`)
    const known = flags.get(flag) ?? []
    flags.set(flag, [...known, value])
  }
  return flags
}

function readInit(flags: Flags): RelayInit {
  const take = (flag: string): string[] => {
    const values = flags.get(flag) ?? []
    flags.delete(flag)
    return values
  }
  const number = (flag: string): number | undefined => {
    const text = take(flag).at(-1)
    if (text === undefined) return undefined
    if (!/^[0-9]{1,15}$/.test(text)) throw new TypeError(`${flag} must be a whole number`)
    return Number(text)
  }
  const limits: { -readonly [Name in keyof RelayLimits]?: number } = {}
  for (const name of LIMIT_NAMES) {
    const value = number(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
    if (value !== undefined) limits[name] = value
  }
  const [storage, host, webSocketPort, metricsPort] = [take('--storage').at(-1), take('--host').at(-1), number('--web-socket-port'), number('--metrics-port')]
  const [addresses, bootstrap] = [take('--address'), take('--bootstrap')]
  const init = {
    storage: storage ?? './covey-relay',
    port: number('--port') ?? DEFAULT_PORT,
    limits,
    ...(host !== undefined && { host }),
    ...(webSocketPort !== undefined && { webSocketPort }),
    ...(metricsPort !== undefined && { metricsPort }),
    ...(addresses.length > 0 && { addresses }),
    ...(bootstrap.length > 0 && { network: localNetwork(bootstrap) })
  }
  const [unknown] = flags.keys()
  if (unknown !== undefined) throw new TypeError(`there is no option ${unknown}: try covey-mirror --help`)
  return init
}

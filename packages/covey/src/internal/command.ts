import process from '#process'
import { isCoveyError } from '@covey/core'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, parseRelay, type Diagnosis } from '@covey/transport'
import { createTemporaryFolder } from './temporary-folder.js'

const HELP = `covey doctor [options]

Tells how this device's network looks from outside, and what that means.

  --relay <line>           a relay to try, as covey-mirror prints it; may be given several times
  --bootstrap <host:port>  a DHT of one's own; may be given several times (the public one)
`

/** Runs the program; resolves with its exit code: 1 when peers cannot be reached, 2 for a command that is none. */
export async function runCommand([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || args.includes('--help')) {
    process.stdout.write(HELP)
    return name === undefined ? 2 : 0
  }
  try {
    if (name !== 'doctor') throw new TypeError(`there is no command ${name}: try covey --help`)
    return await doctor(readFlag(args, '--relay').map(parseRelay), readFlag(args, '--bootstrap'))
  } catch (error) {
    if (!(error instanceof TypeError) && !isCoveyError(error)) throw error
    process.stderr.write(`${error.message}\n`)
    return error instanceof TypeError ? 2 : 1
  }
}

/** Somebody nobody knows, who asks and is gone. */
async function doctor(relays: ReturnType<typeof parseRelay>[], bootstrap: string[]): Promise<number> {
  const folder = await createTemporaryFolder()
  try {
    await using identity = await openIdentity({ storage: createMemorySecretStore() })
    const store = await openStore(folder.path)
    await using node = createNode({ identity, store, relays, ...(bootstrap.length > 0 && { network: localNetwork(bootstrap) }) })
    const found = await node.diagnose()
    process.stdout.write(`${linesOf(found).join('\n')}\n`)
    return found.udp.answered > 0 || found.relays.some(({ isReachable }) => isReachable) ? 0 : 1
  } finally {
    await folder.remove()
  }
}

function linesOf({ summary, nat, publicAddress, udp, relays, clockAheadMs }: Diagnosis): string[] {
  const time = (ms: number | null): string => (ms === null ? '' : `, ${ms} ms`)
  return [
    summary,
    '',
    `nat      ${nat}`,
    `address  ${publicAddress === null ? 'unknown' : `${publicAddress.host}:${publicAddress.port}`}`,
    `udp      ${udp.answered} of ${udp.asked} answered${time(udp.roundTripMs)}`,
    ...relays.map(({ id, isReachable, roundTripMs }) => `relay    ${id} ${isReachable ? 'answers' : 'does not answer'}${time(roundTripMs)}`),
    `clock    ${clockAheadMs === null ? 'not compared' : `${clockAheadMs} ms ahead`}`
  ]
}

function readFlag(args: readonly string[], flag: string): string[] {
  const unknown = args.find((arg, i) => i % 2 === 0 && arg !== '--relay' && arg !== '--bootstrap')
  if (unknown !== undefined) throw new TypeError(`there is no option ${unknown}: try covey --help`)
  if (args.length % 2 === 1) throw new TypeError(`${args.at(-1)!} has no value`)
  return args.flatMap((arg, i) => (arg === flag ? [args[i + 1]!] : []))
}

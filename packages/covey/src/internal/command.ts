import process from '#process'
import { isCoveyError } from '@covey/core'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, parseRelay, type Diagnosis } from '@covey/transport'
import { readCommandArgs, type CommandArgs } from './command-args.js'
import { steward, STEWARD_OPTIONS } from './steward.js'
import { createTemporaryFolder } from './temporary-folder.js'

const HELP = `covey doctor [options]

Tells how this device's network looks from outside, and what that means.

covey steward [invite]… [options]

Joins rooms and stays in them until it is told to stop (SIGTERM, SIGINT): a member that is always there. Make it an
admin, and the rooms settle their order by it while all others sleep. It reads what members read.

  --storage <folder>       what it is and has (./covey-steward)
  --name <name>            by which members see it (Steward)
  --mirror <link>          a mirror of its own; may be given several times

Both:
  --relay <line>           a relay, as covey-mirror prints it; may be given several times
  --bootstrap <host:port>  a DHT of one's own; may be given several times (the public one)
`

/** Runs the program; resolves with its exit code: 1 when peers cannot be reached, 2 for a command that is none. */
export async function runCommand([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || args.includes('--help')) {
    process.stdout.write(HELP)
    return name === undefined ? 2 : 0
  }
  try {
    if (name === 'doctor') return await doctor(readCommandArgs(args, ['--relay', '--bootstrap']))
    if (name === 'steward') return await steward(readCommandArgs(args, STEWARD_OPTIONS))
    throw new TypeError(`there is no command ${name}: try covey --help`)
  } catch (error) {
    if (!(error instanceof TypeError) && !isCoveyError(error)) throw error
    process.stderr.write(`${error.message}\n`)
    return error instanceof TypeError ? 2 : 1
  }
}

/** Somebody nobody knows, who asks and is gone. */
async function doctor({ words: [word], valuesOf }: CommandArgs): Promise<number> {
  if (word !== undefined) throw new TypeError(`there is nothing to do with ${word}: try covey --help`)
  const [relays, bootstrap] = [valuesOf('--relay').map(parseRelay), valuesOf('--bootstrap')]
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

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalNetwork } from '@covey/testing'
import { isQuick, measureEach } from './harness.js'
import { build, startPeer, type PeerProcess } from './members/processes.js'

const SIZES = isQuick() ? [10, 30] : [10, 100, 1_000, 2_000]
/** How many messages a peer reads that joins, or comes back. */
const LAST = 50
const TALKED = isQuick() ? 10 : 100
/** Ten messages a second. */
const TALK_INTERVAL_MS = 100

const UNITS = {
  'join until the last 50 are read': 'ms',
  'join, received': 'kB',
  'reopened by a member': 'ms',
  'reopened by the owner': 'ms',
  'a member, resident': 'MB',
  'a member, in use': 'MB',
  'the owner, resident': 'MB',
  'the owner, in use': 'MB',
  'A→B visible, p50': 'ms',
  'A→B visible, p95': 'ms',
  'CPU of B, a message': 'ms'
} as const

type Figure = keyof typeof UNITS
type Made = { readonly storage: string; readonly invite: string; readonly members: number }

const FIGURES = Object.keys(UNITS) as Figure[]
const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
const network = await createLocalNetwork()
const { bootstrap } = network
let scenes = 0
try {
  const alone = await make(0)
  for (const size of SIZES) {
    // One of them is the owner, and two are the peers that are measured.
    const room = await make(size - 3)
    const name = (figure: Figure): string => `${size} members: ${figure}`
    const named = async (measured: Promise<Record<Figure, number>>): Promise<Record<string, number>> => {
      return Object.fromEntries(Object.entries(await measured).map(([figure, number]) => [name(figure as Figure), number]))
    }
    await measureEach(FIGURES.map(name), {
      unit: Object.fromEntries(FIGURES.map((figure) => [name(figure), UNITS[figure]])),
      baselineName: '3 members',
      runs: 3,
      value: () => named(measure(room)),
      baseline: () => named(measure(alone))
    })
    await rm(room.storage, { recursive: true })
  }
} finally {
  await network.close()
  await rm(folder, { recursive: true, force: true })
}

async function make(simulated: number): Promise<Made> {
  const storage = join(folder, `room of ${simulated}`)
  const { invite, admittedMs, spokenMs } = await build({ storage, bootstrap, members: simulated, messages: LAST })
  console.log(`A room with ${simulated} simulated members: let in in ${(admittedMs / 1e3).toFixed(1)} s, and heard in ${(spokenMs / 1e3).toFixed(1)} s.`)
  return { storage, invite, members: simulated + 1 }
}

/** The owner's peer, and two that join: each in a process of its own, on a copy of the room. */
async function measure({ storage, invite, members }: Made): Promise<Record<Figure, number>> {
  const scene = join(folder, `scene ${scenes++}`)
  // A store does not open where it was copied to, for two that go on would sign two pasts. These go on in turn, and nobody meets two.
  const mark = join(storage, 'cores', 'CORESTORE')
  await cp(storage, join(scene, 'owner'), { recursive: true, filter: (file) => file !== mark })
  const open: PeerProcess[] = []
  const start = (name: string, before: number): PeerProcess => {
    const peer = startPeer({ name, storage: join(scene, name), bootstrap, last: LAST, members: members + before })
    open.push(peer)
    return peer
  }
  try {
    const owner = start('owner', 0)
    const reopenedByOwner = await owner.reopen()
    const [a, b] = [start('a', 1), start('b', 2)]
    await a.start()
    await a.join(invite)
    await b.start()
    const joined = await b.join(invite)
    const owners = await owner.memory()
    const joiners = await b.memory()
    const talk = await measureTalk(a, b)
    await b.end()
    const again = start('b', 2)
    const reopened = await again.reopen()
    const figures = {
      'join until the last 50 are read': joined.ms,
      'join, received': joined.receivedKb,
      'reopened by a member': reopened.ms,
      'reopened by the owner': reopenedByOwner.ms,
      'a member, resident': joiners.residentMb,
      'a member, in use': joiners.usedMb,
      'the owner, resident': owners.residentMb,
      'the owner, in use': owners.usedMb,
      ...talk
    }
    // A whole run takes long: what was measured is told as it goes.
    console.log(`${members + 2} members: ${FIGURES.map((figure) => `${figure} ${figures[figure].toFixed(1)} ${UNITS[figure]}`).join(', ')}`)
    return figures
  } finally {
    for (const peer of open.toReversed()) await peer.end()
    await rm(scene, { recursive: true, force: true })
  }
}

async function measureTalk(a: PeerProcess, b: PeerProcess): Promise<Record<Extract<Figure, `A→B${string}` | `CPU${string}`>, number>> {
  await b.listen()
  // Until they hear each other.
  const first = textsOf('before', 10)
  await Promise.all([a.talk(first, TALK_INTERVAL_MS), b.heard(first)])
  const texts = textsOf('message', TALKED)
  const [sentAt, { atMs, cpuMs }] = await Promise.all([a.talk(texts, TALK_INTERVAL_MS), b.heard(texts)])
  const latencies = texts.map((text) => atMs[text]! - sentAt[text]!).sort((one, other) => one - other)
  const percentile = (share: number): number => latencies[Math.ceil(latencies.length * share) - 1]!
  return { 'A→B visible, p50': percentile(0.5), 'A→B visible, p95': percentile(0.95), 'CPU of B, a message': cpuMs / TALKED }
}

function textsOf(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind} ${i}`.padEnd(81, '.'))
}

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createLocalNetwork } from '@covey/testing'
import { localNetwork } from 'covey'
import { createMirror, type Mirror } from '../packages/mirror/src/index.js'
import { isQuick, measureEach } from './harness.js'
import { build, startPeer, type PeerProcess } from './members/processes.js'

const SIZES = process.env['BENCH_JOIN_MESSAGES']?.split(',').map(Number) ?? [10_000, 100_000]
const WRITERS = process.env['BENCH_JOIN_WRITERS']?.split(',').map(Number) ?? [10, 1_000]
const ROOMS = isQuick() ? [{ messages: 300, writers: 5 }] : SIZES.flatMap((messages) => WRITERS.map((writers) => ({ messages, writers })))
/** How many messages a newcomer waits for. */
const LAST = 50
/** As much as a mirror holds in all. */
const MIRROR_BYTES = 2 ** 36
/** A mirror that holds no more than so long ago holds what it was given. */
const SETTLED_MS = 5_000
const SETTLED_WITHIN_MS = 1_800_000

/** Who is there when somebody joins. */
const SCENES = ['from a member', 'data at a mirror', 'indexer asleep'] as const
const UNITS = { 'until the last 50 are shown': 'ms', 'until they are read': 'ms', received: 'kB', 'CPU of the newcomer': 'ms' } as const

type Scene = (typeof SCENES)[number]
type Figure = keyof typeof UNITS
interface Made {
  readonly storage: string
  readonly invite: string
  readonly writers: number
}

const FIGURES = Object.keys(UNITS) as Figure[]
const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
const network = await createLocalNetwork()
const { bootstrap } = network
let scenes = 0
try {
  const small = await make({ messages: LAST, writers: 1 })
  for (const size of ROOMS) {
    const room = await make(size)
    for (const scene of SCENES) {
      const name = (figure: Figure): string => `${size.messages} messages, ${size.writers} writers, ${scene}: ${figure}`
      const named = async (from: Made): Promise<Record<string, number>> => {
        const figures = await measure(from, scene)
        return Object.fromEntries(FIGURES.map((figure) => [name(figure), figures[figure]]))
      }
      await measureEach(FIGURES.map(name), {
        unit: Object.fromEntries(FIGURES.map((figure) => [name(figure), UNITS[figure]])),
        baselineName: `${LAST} messages, 1 writer`,
        runs: 3,
        value: () => named(room),
        baseline: () => named(small)
      })
    }
    await rm(room.storage, { recursive: true })
  }
} finally {
  await network.close()
  await rm(folder, { recursive: true, force: true })
}

/** A room; of its owner, of a member who has all of it, and of one who has come in just now; and a mirror that has it. */
async function make({ messages, writers }: { readonly messages: number; readonly writers: number }): Promise<Made> {
  const storage = join(folder, `${messages} messages by ${writers}`)
  const { invite } = await build({ storage: join(storage, 'owner'), bootstrap, members: writers - 1, messages })
  const mirror = await openMirror(storage)
  const start = (name: string): PeerProcess => startPeer({ name, storage: join(storage, name), bootstrap, last: LAST, members: writers })
  const [owner, member, newcomer] = [start('owner'), start('member'), start('newcomer')]
  try {
    await owner.reopen()
    await owner.name([mirror.link])
    await member.start()
    await member.join(invite)
    await member.whole()
    await settled(mirror)
    await newcomer.start()
    await newcomer.join(invite)
  } finally {
    for (const peer of [newcomer, member, owner]) await peer.end()
    await mirror.close()
  }
  return { storage, invite, writers }
}

function openMirror(storage: string): Promise<Mirror> {
  // A room of a million messages is more than a mirror takes from one device by itself.
  return createMirror({ storage: join(storage, 'mirror'), network: localNetwork(bootstrap), limits: { maxClientBytes: MIRROR_BYTES } })
}

/** A mirror does not tell when it has all. */
async function settled(mirror: Mirror): Promise<void> {
  const end = Date.now() + SETTLED_WITHIN_MS
  for (let before = '', now = JSON.stringify(mirror.stats()); now !== before || mirror.stats().cores === 0; now = JSON.stringify(mirror.stats())) {
    if (Date.now() > end) throw new Error('The mirror still changes.')
    before = now
    await pause(SETTLED_MS)
  }
}

/** Joins on a copy of the room, where nobody is but those of the scene. */
async function measure({ storage, invite, writers }: Made, scene: Scene): Promise<Record<Figure, number>> {
  const copy = join(folder, `scene ${scenes++}`)
  const host = { 'from a member': 'owner', 'data at a mirror': 'newcomer', 'indexer asleep': 'member' }[scene]
  // A store does not open where it was copied to, for two that go on would sign two pasts. These go on in turn, and nobody
  // meets two: a mirror that had would hold what another copy has written.
  const ignored = join('cores', 'CORESTORE')
  for (const name of [host, 'mirror']) await cp(join(storage, name), join(copy, name), { recursive: true, filter: (file) => !file.endsWith(ignored) })
  const mirror = scene === 'data at a mirror' ? await openMirror(copy) : undefined
  const open: PeerProcess[] = []
  const start = (name: string): PeerProcess => {
    const peer = startPeer({ name, storage: join(copy, name), bootstrap, last: LAST, members: writers })
    open.push(peer)
    return peer
  }
  try {
    await start(host).reopen()
    const joiner = start('joiner')
    await joiner.start()
    const { ms, shownMs, receivedKb, cpuMs } = await joiner.join(invite)
    const figures = { 'until the last 50 are shown': shownMs, 'until they are read': ms, received: receivedKb, 'CPU of the newcomer': cpuMs }
    // A whole run takes long: what was measured is told as it goes.
    console.log(`${scene}: ${FIGURES.map((figure) => `${figure} ${figures[figure].toFixed(1)} ${UNITS[figure]}`).join(', ')}`)
    return figures
  } finally {
    for (const peer of open.toReversed()) await peer.end()
    await mirror?.close()
    await rm(copy, { recursive: true, force: true })
  }
}

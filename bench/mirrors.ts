import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Corestore from 'corestore'
import { createLocalNetwork, createTestPeer } from '@covey/testing'
import type { Message, Room } from 'covey'
import { isQuick, measureEach } from './harness.js'
import type { Figures } from './mirrors/hold.js'
import { startHolder, type Holder } from './mirrors/processes.js'
import { createStockSwarm } from './stock/swarm.js'

const ROOMS = isQuick() ? [2, 4] : [10, 100, 1_000]
/** In each room. */
const MESSAGES = 20
const INGESTED = isQuick() ? 200 : 5_000
/** A text of 81 bytes makes a block of this size on average, where many are sent together. */
const BLOCK_BYTES = 258
/** So long a mirror is let be before its memory is looked at. */
const REST_MS = 5_000
/** What is not held by then never is. */
const HELD_WITHIN_MS = 120_000

const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
const network = await createLocalNetwork()
const { bootstrap } = network
let runs = 0
try {
  await measureIngest()
  const empty = join(folder, 'empty')
  for (const rooms of ROOMS) await measureMemory(rooms, empty)
} finally {
  await network.close()
  await rm(folder, { recursive: true, force: true })
}

/** What comes in at a mirror from one device that says as much as it can. */
async function measureIngest(): Promise<void> {
  const [rate, cpu] = ['ingest', 'ingest, CPU of the mirror a message'] as const
  await measureEach([rate, cpu], {
    unit: { [rate]: 'messages/s', [cpu]: 'ms' },
    baselineName: 'blocks of a Hypercore, downloaded over Hyperswarm',
    async value() {
      const mirror = await startHolder({ storage: join(folder, `mirror ${runs}`), bootstrap })
      const peer = await createTestPeer({ network, name: 'Alice', storage: join(folder, `peer ${runs++}`), mirrors: [mirror.link] })
      const room = await peer.rooms.create({ name: 'Tea' })
      await held(room, await room.send('Hello'))
      const took = await taking(mirror, async () => {
        const sent = await Promise.all(Array.from({ length: INGESTED }, (_, i) => room.send(`${i} `.padEnd(81, '.'))))
        await held(room, sent.at(-1)!)
      })
      await peer.close()
      await mirror.end()
      return { [rate]: (INGESTED * 1_000) / took.ms, [cpu]: took.cpuMs / INGESTED }
    },
    async baseline() {
      const store = new Corestore(join(folder, `core ${runs}`))
      const core = store.get({ name: 'core' })
      await core.append(Array.from({ length: INGESTED }, () => Buffer.alloc(BLOCK_BYTES, 1)))
      const swarm = createStockSwarm(network, (connection) => void store.replicate(connection))
      await swarm.join(core.discoveryKey!, { server: true, client: false }).flushed()
      const key = Buffer.from(core.key!).toString('hex')
      const reader = await startHolder({ storage: join(folder, `reader ${runs++}`), bootstrap, core: { key, length: INGESTED } })
      const took = await taking(reader, () => reader.whole)
      await reader.end()
      await swarm.destroy()
      await store.close()
      return { [rate]: (INGESTED * 1_000) / took.ms, [cpu]: took.cpuMs / INGESTED }
    }
  })
}

async function taking(holder: Holder, work: () => Promise<void>): Promise<{ ms: number; cpuMs: number }> {
  const before = await holder.figures()
  const startedAt = performance.now()
  await work()
  const ms = performance.now() - startedAt
  return { ms, cpuMs: (await holder.figures()).cpuMs - before.cpuMs }
}

/** What a mirror takes that holds so many rooms: alone, and while a member of all of them is there. */
async function measureMemory(rooms: number, empty: string): Promise<void> {
  const storage = join(folder, `${rooms} rooms`)
  await fill(storage, rooms)
  const scenes = ['nobody there', 'a member there'] as const
  const names = scenes.flatMap((scene) => ['resident', 'in use'].map((what) => `${rooms} rooms, ${scene}, ${what}`))
  const figures = (of: readonly Figures[]): Record<string, number> =>
    Object.fromEntries(of.flatMap(({ residentMb, usedMb }) => [residentMb, usedMb]).map((number, i) => [names[i]!, number]))
  await measureEach(names, {
    unit: 'MB',
    baselineName: 'a mirror that holds nothing',
    runs: 1,
    async value() {
      const mirror = await startHolder({ storage: join(storage, 'mirror'), bootstrap })
      const alone = await rested(mirror)
      if (alone.cores < 2 * rooms) throw new Error(`The mirror holds ${alone.cores} cores of ${rooms} rooms.`)
      const peer = await createTestPeer({ network, name: 'Alice', storage: join(storage, 'peer'), mirrors: [mirror.link] })
      await allOpen(mirror)
      const withPeer = await rested(mirror)
      await peer.close()
      await mirror.end()
      return figures([alone, withPeer])
    },
    async baseline() {
      const mirror = await startHolder({ storage: empty, bootstrap })
      const alone = await rested(mirror)
      await mirror.end()
      return figures([alone, alone])
    }
  })
  await rm(storage, { recursive: true })
}

/** Resolves when the peer has asked for all that the mirror holds. */
async function allOpen(mirror: Holder): Promise<void> {
  const end = Date.now() + HELD_WITHIN_MS
  for (;;) {
    const { cores, openCores } = await mirror.figures()
    if (openCores === cores) return
    if (Date.now() > end) throw new Error(`Of ${cores} cores that the mirror holds, ${openCores} are open.`)
    await pause(200)
  }
}

async function rested(mirror: Holder): Promise<Figures> {
  await pause(REST_MS)
  return mirror.figures()
}

/** A mirror, and a peer that is in so many rooms, all of which the mirror holds. */
async function fill(storage: string, rooms: number): Promise<void> {
  const mirror = await startHolder({ storage: join(storage, 'mirror'), bootstrap })
  const peer = await createTestPeer({ network, name: 'Alice', storage: join(storage, 'peer'), mirrors: [mirror.link] })
  for (let i = 0; i < rooms; i++) {
    const room = await peer.rooms.create({ name: `Room ${i}` })
    const sent = await Promise.all(Array.from({ length: MESSAGES }, (_, k) => room.send(`${k} `.padEnd(81, '.'))))
    await held(room, sent.at(-1)!)
  }
  await peer.close()
  await mirror.end()
}

async function held(room: Room, message: Message): Promise<void> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), HELD_WITHIN_MS)
  await room.durable({ message: message.id, mirrors: 1, signal: late.signal }).finally(() => clearTimeout(timer))
}

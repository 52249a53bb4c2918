import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalNetwork, createTestPeer } from '@covey/testing'
import type { Room } from 'covey'
import { isQuick, measure, measureEach } from './harness.js'

const MESSAGES = isQuick() ? 500 : 100_000
const QUERIES = isQuick() ? 8 : 200
/** How many are in flight at once while the room is filled. */
const SENT_AT_ONCE = 1_000
const WORDS_IN_A_TEXT = 12
const WORDS = 30_000
const READING = 'reading the last messages, one after the other'

let seed = 1
/** The same on every machine and in every run. */
function random(): number {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return seed / 2 ** 31
}

const vocabulary = Array.from({ length: WORDS }, () =>
  Array.from({ length: 3 + Math.floor(random() * 8) }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('')
)
/** A few words are in most texts, and most words in few. */
const word = (): string => vocabulary[Math.floor(random() ** 3 * WORDS)]!
const textOf = (words: number): string => Array.from({ length: words }, word).join(' ')

const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
const network = await createLocalNetwork()
try {
  const start = () => createTestPeer({ network, name: 'Alice', storage: join(folder, 'alice') })
  let peer = await start()
  let room: Room = await peer.rooms.create({ name: 'Search' })
  for (let sent = 0; sent < MESSAGES; sent += SENT_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(SENT_AT_ONCE, MESSAGES - sent) }, () => room.send(textOf(WORDS_IN_A_TEXT))))
  }
  const readLast = async (): Promise<number> => timed(() => readAll(room))

  await measure(`first search of ${MESSAGES} messages`, { unit: 'ms', baselineName: READING, runs: 1, value: firstOf(() => timed(() => room.search('x'))), baseline: readLast })
  // One word, two, three, and one that nobody has said, so that all texts are gone through.
  const queries = Array.from({ length: QUERIES }, (_, i) => (i % 4 === 3 ? `zzqx${i}` : textOf(1 + (i % 4))))
  await measureEach(['search, p50', 'search, p95'], {
    unit: 'ms',
    baselineName: READING,
    runs: 1,
    value: () => percentiles((i) => timed(() => room.search(queries[i]!))),
    baseline: () => percentiles(readLast)
  })
  await peer.close()
  peer = await start()
  room = peer.rooms.list()[0]!
  await measure('first search after a restart', { unit: 'ms', baselineName: READING, runs: 1, value: firstOf(() => timed(() => room.search('x'))), baseline: readLast })
  console.log(`memory: ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB in use by the process`)
  await peer.close()
} finally {
  await network.close()
  await rm(folder, { recursive: true, force: true })
}

/** What can be measured only once, given each time that it is asked for. */
function firstOf(value: () => Promise<number>): () => Promise<number> {
  let first: Promise<number> | undefined
  return () => (first ??= value())
}

async function readAll(room: Room): Promise<void> {
  const messages = room.messages({ limit: 50 })[Symbol.asyncIterator]()
  while (!(await messages.next()).done);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

async function percentiles(once: (i: number) => Promise<number>): Promise<Record<'search, p50' | 'search, p95', number>> {
  const times: number[] = []
  for (let i = 0; i < QUERIES; i++) times.push(await once(i))
  times.sort((one, other) => one - other)
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))]!
  return { 'search, p50': at(0.5), 'search, p95': at(0.95) }
}

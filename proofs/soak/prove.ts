import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createLocalNetwork } from '@covey/testing'
import { createPrng } from '../model/prng.js'
import { Person } from './person.js'
import type { Measured } from './protocol.js'
import { trendOf } from './trend.js'

/** Beside the one that is always there. */
const VISITORS = 4
const PAUSE_MS = 1_000
const LIFE_MS = 45_000
const AWAY_MS = 15_000
const SAMPLES = 60
/** So long all have to say the same, when it is over. */
const AGREE_TIMEOUT_MS = 120_000

/**
 * What a process may hold more in the last quarter of the time than in the second. Resident is also what RocksDB has not
 * written yet, up to 64 MiB; in use are caches that fill.
 */
const MAX_MORE = { usedBytes: 12e6, residentBytes: 80e6, handles: 12 } as const

/**
 * One person is always there, and four come and go for so many minutes; they write, change, take back and read. Then all have
 * the same messages, and whoever was there all the while holds no more than after a quarter of the time.
 */
export async function proveSoak(seed: number, minutes: number): Promise<void> {
  const random = createPrng(seed)
  const network = await createLocalNetwork()
  const folder = await mkdtemp(join(tmpdir(), 'covey-soak-'))
  const [failed, over] = [new AbortController(), new AbortController()]
  const onfailure = (error: Error): void => {
    failed.abort(error)
    over.abort()
  }
  const personOf = (name: string, invite: string | undefined): Person =>
    new Person({ storage: join(folder, name), bootstrap: [...network.bootstrap], name, invite, pauseMs: PAUSE_MS, seed: 0 }, onfailure)
  const keeper = personOf('keeper', undefined)
  const visitors: Person[] = []
  let visits: Promise<void>[] = []
  try {
    await keeper.live(seed)
    const { link } = await keeper.ask('invite', null)
    for (let i = 0; i < VISITORS; i++) visitors.push(personOf(`visitor ${i}`, link))
    visits = visitors.map((visitor) => comeAndGo(visitor, random.below(2 ** 32), over.signal).catch(onfailure))
    const samples = await sample(keeper, minutes * 60_000, failed.signal)
    over.abort()
    await Promise.all(visits)
    failed.signal.throwIfAborted()
    await agree([keeper, ...visitors])
    judge(samples)
  } finally {
    over.abort()
    await Promise.all([keeper, ...visitors].map((person) => person.kill()))
    await Promise.all(visits)
    await network.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Until it is over; then it is there. */
async function comeAndGo(person: Person, seed: number, over: AbortSignal): Promise<void> {
  const random = createPrng(seed)
  const wait = (ms: number): Promise<void> => delay(random.below(2 * ms), undefined, { signal: over }).catch(() => undefined)
  while (!over.aborted) {
    await person.live(random.below(2 ** 32))
    await wait(LIFE_MS)
    if (over.aborted) return
    await person.leave()
    await wait(AWAY_MS)
  }
  await person.live(random.below(2 ** 32))
}

async function sample(person: Person, forMs: number, signal: AbortSignal): Promise<Measured[]> {
  const samples: Measured[] = []
  const startedAt = performance.now()
  for (let i = 1; i <= SAMPLES; i++) {
    await delay(Math.max(0, startedAt + (i * forMs) / SAMPLES - performance.now()), undefined, { signal })
    samples.push(await person.ask('measure', null))
  }
  return samples
}

/** All are quiet, and come to have the same messages: as many of each person as that person has sent. */
async function agree(people: readonly Person[]): Promise<void> {
  for (const person of people) person.said += (await person.ask('quiet', null)).said
  const expected = describe(Object.fromEntries(people.map(({ id, said }) => [id, said])))
  const end = Date.now() + AGREE_TIMEOUT_MS
  for (;;) {
    const counts = await Promise.all(people.map((person) => person.ask('count', null)))
    const views = counts.map(describe)
    if (views.every((view) => view === expected)) return console.log(`${people.reduce((sum, { said }) => sum + said, 0)} messages, the same at all`)
    if (Date.now() > end) throw new Error(`Not all has come: sent were ${expected};\n  read ${views.join('\n  read ')}`)
    await delay(500)
  }
}

function describe(counts: Readonly<Record<string, number>>): string {
  return Object.keys(counts).toSorted().map((id) => `${counts[id]} of ${id}`).join(', ')
}

function judge(samples: readonly Measured[]): void {
  const [firstKinds, lastKinds] = [samples[Math.floor(samples.length / 4)]!.kinds, samples.at(-1)!.kinds]
  const grown: string[] = []
  for (const [what, most] of Object.entries(MAX_MORE) as [keyof typeof MAX_MORE, number][]) {
    const values = samples.map((each) => each[what])
    const { first, last } = trendOf(values)
    console.log(`${what}: ${first} in the second quarter, ${last} in the last; ${values.join(' ')}`)
    if (last - first > most) grown.push(`${what} by ${last - first}`)
  }
  if (grown.length > 0) throw new Error(`It holds more and more: ${grown.join(', ')}.\n  ${firstKinds}\n  ${lastKinds}`)
}

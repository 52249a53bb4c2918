import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { createPrng, type Prng } from '../model/prng.js'
import { MirrorProcess, type MirrorWay } from './mirror.js'
import { PATIENCE_MS, Person } from './person.js'

/** Where a scene takes place: a network, a folder, and whoever comes. */
export interface Play {
  readonly random: Prng
  readonly folder: string
  /** Somebody who is awake, with these mirrors. */
  readonly person: (name: string, ...mirrors: readonly MirrorProcess[]) => Promise<Person>
  /** One that runs. */
  readonly mirror: (name: string, how?: MirrorWay) => Promise<MirrorProcess>
}

/** @throws what the scene throws; or why a process ended that nobody killed. */
export async function play(seed: number, scene: (play: Play) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-scenario-'))
  const network = await createLocalNetwork()
  const all: (Person | MirrorProcess)[] = []
  const ended: Error[] = []
  const common = { network, onend: (error: Error) => void ended.push(error) }
  try {
    await scene({ random: createPrng(seed), folder, ...cast(folder, all, common) })
    if (ended.length > 0) throw new Error('It came to its end all the same.')
  } catch (cause) {
    throw new Error([(cause as Error).message, ...ended.map(({ message }) => message)].join('\n  '), { cause })
  } finally {
    await Promise.all(all.map((each) => each.kill()))
    await network.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function cast(folder: string, all: (Person | MirrorProcess)[], common: { network: LocalNetwork; onend: (error: Error) => void }): Pick<Play, 'person' | 'mirror'> {
  return {
    async person(name, ...mirrors) {
      const person = new Person({ ...common, name, storage: join(folder, name), mirrors: mirrors.map(({ link }) => link) })
      all.push(person)
      await person.wake()
      return person
    },
    async mirror(name, how = {}) {
      const mirror = new MirrorProcess({ ...common, ...how, storage: join(folder, name) })
      all.push(mirror)
      await mirror.start()
      return mirror
    }
  }
}

/** @throws with these words when it is not so. */
export function check(isSo: boolean, otherwise: string, seen?: unknown): asserts isSo {
  if (!isSo) throw new Error(seen === undefined ? otherwise : `${otherwise} ${JSON.stringify(seen)}`)
}

/** Looks until it is so: what other processes come to has no event here. */
export async function eventually<Seen>(look: () => Promise<Seen>, isSo: (seen: Seen) => boolean, otherwise: string): Promise<Seen> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const seen = await look()
    if (isSo(seen)) return seen
    check(Date.now() < end, otherwise, seen)
    await delay(100)
  }
}

/** So many different things to say. */
export function texts(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${i}`)
}

/** Lets others into the room of the first, who all read `hello`. */
export async function meet(host: Person, ...guests: readonly Person[]): Promise<void> {
  await host.found()
  await letIn(host, ...guests)
  await host.say(['hello'])
  await Promise.all(guests.map((guest) => guest.reads(['hello'])))
}

export async function letIn(host: Person, ...guests: readonly Person[]): Promise<void> {
  const link = await host.room.createInvite({ uses: Math.max(1, guests.length) })
  await Promise.all(guests.map((guest) => guest.join(link)))
}

/** @throws where nobody's log is read on, somebody signed two pasts, or the view is not what was signed. */
export async function assertSound(...people: readonly Person[]): Promise<void> {
  for (const person of people) {
    const { frozen, equivocations, isSplit } = await person.room.health()
    check(frozen.length === 0 && equivocations.length === 0 && !isSplit, `${person.name} finds the room damaged:`, { frozen, equivocations, isSplit })
    const { errors } = await person.heard()
    check(errors.length === 0, `${person.name} was told of errors:`, errors)
  }
}

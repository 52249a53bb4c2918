import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createLocalNetwork } from '@covey/testing'
import { localNetwork } from 'covey'
import { createPrng, type Prng } from '../model/prng.js'
import { checkReports, settle } from './check.js'
import { createPerson, type Person } from './person.js'

/** How many kills a room goes through: enough for what only shows after many of them. */
export const KILLS_PER_ROOM = 50
/** Rooms mostly wait: for a moment to kill at, and for processes that start. */
export const PARALLEL_ROOMS = 2
/** Founder, and those who join while kills fall. */
const MAX_PEOPLE = 4
/** How many are let in, and removed, beside them. */
const MAX_PASSERS_BY = 3
/** After so many kills all are given the time to come to one view. */
const SETTLE_EVERY = 15
const USUAL_PAUSE_MS = 400

interface Play {
  readonly random: Prng
  readonly people: Person[]
  readonly passersBy: Person[]
  readonly newPerson: (name: string) => Person
  /** Who has all that was said before they came: others cannot show it, nor what they have said since, while nobody else is there. */
  readonly whole: Set<Person>
  readonly told: string[]
  readonly history: 'full' | 'since-join'
  killsLeft: number
  /** Whether a role was taken from somebody who may not know it: who they let in then is not let in. */
  isDemoting: boolean
}

type Scene = (play: Play) => Promise<void>

/** One room, in which processes are killed `kills` times, until all that are in it say the same. */
export async function proveCrashes(seed: number, kills: number): Promise<void> {
  const random = createPrng(seed)
  const net = await createLocalNetwork()
  const root = await mkdtemp(join(tmpdir(), 'covey-crash-'))
  const newPerson = (name: string) => createPerson(name, join(root, name), localNetwork(net.bootstrap))
  const history = random.chance(0.7) ? 'full' : 'since-join'
  const founder = newPerson('p0')
  const play: Play = { random, people: [founder], passersBy: [], newPerson, whole: new Set([founder]), told: [history], history, killsLeft: kills, isDemoting: false }
  try {
    await found(play, founder)
    await letIn(play)
    await playOn(play)
    await settle(play.people)
    await checkReports(play.people, history)
    await checkFolders(play)
  } catch (error) {
    const told = play.told.join('\n  ')
    throw new Error(`${(error as Error).message}\n  ${told}`, { cause: error })
  } finally {
    await Promise.all([...play.people, ...play.passersBy].map((person) => person.kill()))
    await net.close()
    await rm(root, { recursive: true, force: true })
  }
}

async function playOn(play: Play): Promise<void> {
  for (let settledAt = play.killsLeft; play.killsLeft > 0; ) {
    await pickScene(play)(play)
    assertSound(play)
    if (settledAt - play.killsLeft < SETTLE_EVERY) continue
    settledAt = play.killsLeft
    await bringBack(play)
    await rest(play)
  }
  await bringBack(play)
}

function pickScene(play: Play): Scene {
  const { random, people } = play
  const weights: [number, Scene][] = [
    [30, whileSending],
    [24, whileReceiving],
    [10, whileOpening],
    [people.length < MAX_PEOPLE ? 12 : 0, whileJoining],
    [8, whileInviting],
    [8, whileRolesChange],
    [play.passersBy.length < MAX_PASSERS_BY ? 5 : 0, whileRemoving],
    [6, allAtOnce]
  ]
  let at = random.below(weights.reduce((sum, [weight]) => sum + weight, 0))
  return weights.find(([weight]) => (at -= weight) < 0)![1]
}

/** The first room of the founder, whose process may be killed while it makes it. */
async function found(play: Play, founder: Person): Promise<void> {
  const { random, history, told } = play
  await founder.start()
  while (!founder.isIn) {
    const founding = founder.attempt('create', { history })
    if (play.killsLeft > 1 && random.chance(0.5)) {
      told.push('p0 is killed while it makes the room')
      await killAfter(play, [founder], 150)
    }
    const made = await founding
    if (made !== undefined) founder.entered(made.room)
    if (!founder.isAlive) await founder.start()
  }
  await setTempo(play)
}

/** Somebody new comes by an invite for one, and nobody is killed. */
async function letIn(play: Play): Promise<void> {
  const { people, newPerson } = play
  const newcomer = newPerson(`p${people.length}`)
  await newcomer.start()
  const { link } = await people[0]!.call('invite', {})
  newcomer.entered((await newcomer.call('join', { link })).room)
  people.push(newcomer)
  await setTempo(play)
}

const whileSending: Scene = async (play) => {
  const victim = await pickAlive(play)
  play.told.push(`${victim.name} is killed while it sends`)
  await victim.call('tempo', { pauseMs: 0 })
  await killAfter(play, [victim], 300)
  await perhapsStart(play, victim)
}

const whileReceiving: Scene = async (play) => {
  const victim = await pickAlive(play)
  play.told.push(`${victim.name} is killed while it receives`)
  await victim.call('tempo', { pauseMs: null })
  for (const other of alive(play)) if (other !== victim) await other.call('tempo', { pauseMs: 0 })
  await killAfter(play, [victim], 300)
  await setTempo(play)
  await perhapsStart(play, victim)
}

const whileOpening: Scene = async (play) => {
  const victim = await pickAlive(play)
  play.told.push(`${victim.name} is killed while it opens`)
  await victim.kill()
  const starting = unlessKilled(victim.start())
  await killAfter(play, [victim], 1_500)
  await starting
  await perhapsStart(play, victim)
}

const allAtOnce: Scene = async (play) => {
  play.told.push('all are killed')
  for (const person of alive(play)) await person.call('tempo', { pauseMs: 0 })
  await killAfter(play, alive(play), 300)
  await bringBack(play)
}

const whileInviting: Scene = async (play) => {
  const founder = await founderAlive(play)
  play.told.push('p0 is killed while it invites')
  await founder.call('inviteOn', {})
  await killAfter(play, [founder], 250)
  await founder.start()
  await setTempo(play)
}

/** Who joins, who invites, or both are killed; the invite is for one, and is used to the end. */
const whileJoining: Scene = async (play) => {
  const { random, people, newPerson, told } = play
  await joinCut(play, newPerson(`p${people.length}`), (newcomer) => people.push(newcomer), random.pick(['newcomer', 'founder', 'both']))
  told.push(`p${people.length - 1} is in`)
}

async function joinCut(play: Play, newcomer: Person, ondone: (newcomer: Person) => void, who: 'newcomer' | 'founder' | 'both'): Promise<void> {
  // Whom somebody lets in who is not what they think they are, is not in.
  if (play.isDemoting) await rest(play)
  const founder = await founderAlive(play)
  play.told.push(`${newcomer.name} joins, and ${who} is killed`)
  const { link } = await founder.call('invite', {})
  await newcomer.start()
  const joining = newcomer.attempt('join', { link })
  const victims = { newcomer: [newcomer], founder: [founder], both: [newcomer, founder] }[who]
  await killAfter(play, victims, 1_000)
  let joined = who === 'founder' ? undefined : await joining
  if (!founder.isAlive) await founder.start()
  if (!newcomer.isAlive) await newcomer.start()
  if (who === 'founder') joined = await joining
  joined ??= await newcomer.call('join', { link })
  newcomer.entered(joined.room)
  ondone(newcomer)
  await setTempo(play)
}

/** Nobody loses the right to send: what was acknowledged has to stay. */
const whileRolesChange: Scene = async (play) => {
  const { random, people, told } = play
  if (people.length < 2) return whileSending(play)
  const founder = await founderAlive(play)
  await knowsEverybody(play, founder)
  play.isDemoting = true
  const members = people.slice(1).map(({ identity }) => identity)
  await founder.call('roleOn', { members, seed: random.below(2 ** 32) })
  const victim = random.chance(0.6) ? founder : await pickAlive(play)
  told.push(`${victim.name} is killed while p0 changes roles`)
  await killAfter(play, [victim], 250)
  if (victim !== founder) await founder.kill()
  await bringBack(play)
}

/** Somebody passes by and is removed: the room has another key from then on. */
const whileRemoving: Scene = async (play) => {
  const { random, passersBy, newPerson, told } = play
  const passer = newPerson(`x${passersBy.length}`)
  await joinCut(play, passer, () => passersBy.push(passer), random.pick(['newcomer', 'founder', 'both']))
  const founder = await founderAlive(play)
  await rest(play)
  // Gone before it is removed, so that it lets nobody in meanwhile.
  await passer.kill()
  await knowsEverybody(play, founder)
  told.push(`p0 removes ${passer.name} and is killed`)
  const removing = founder.attempt('remove', { member: passer.identity })
  await killAfter(play, [founder], 120)
  const isDone = (await removing) !== undefined
  await founder.start()
  if (!isDone) await founder.call('remove', { member: passer.identity }).catch(ignoreGone)
  await setTempo(play)
}

function ignoreGone(error: unknown): void {
  if (!/MEMBER_NOT_FOUND/.test((error as Error).message)) throw error
}

/** Waits until the founder's view has the devices of all who are in. */
async function knowsEverybody({ people, passersBy }: Play, founder: Person): Promise<void> {
  while ((await founder.call('devices', {})) < people.length + passersBy.length) await delay(20)
}

async function killAfter(play: Play, victims: readonly Person[], maxMs: number): Promise<void> {
  await delay(play.random.below(maxMs))
  await Promise.all(victims.map((victim) => victim.kill()))
  play.killsLeft -= victims.length
}

/** Mostly at once; now and then the others go on alone until the next scene is over. */
async function perhapsStart(play: Play, victim: Person): Promise<void> {
  if (play.random.chance(0.3) && alive(play).some((person) => play.whole.has(person))) {
    play.told.push(`${victim.name} stays away`)
    return
  }
  await victim.start()
  await setTempo(play)
}

async function bringBack(play: Play): Promise<void> {
  for (const person of play.people) if (!person.isAlive) await person.start()
  await setTempo(play)
}

/** Lets everybody come to one view, in the middle of the play. */
async function rest(play: Play): Promise<void> {
  await bringBack(play)
  await settle(play.people)
  for (const person of play.people) play.whole.add(person)
  play.isDemoting = false
  play.told.push('all rest')
  await setTempo(play)
}

function alive({ people }: Play): Person[] {
  return people.filter(({ isAlive }) => isAlive)
}

async function pickAlive(play: Play): Promise<Person> {
  if (alive(play).length === 0) await bringBack(play)
  return play.random.pick(alive(play))
}

async function founderAlive(play: Play): Promise<Person> {
  const founder = play.people[0]!
  if (!founder.isAlive) await founder.start()
  await setTempo(play)
  return founder
}

async function setTempo(play: Play): Promise<void> {
  for (const person of alive(play)) await person.call('tempo', { pauseMs: USUAL_PAUSE_MS })
}

async function unlessKilled(work: Promise<void>): Promise<void> {
  await work.catch((error: Error) => {
    if (error.name !== 'Killed') throw error
  })
}

function assertSound({ people, passersBy }: Play): void {
  const failures = [...people, ...passersBy].flatMap((person) => person.failures)
  if (failures.length > 0) throw new Error(failures.join('\n'))
}

/** Closed and opened once more, with nobody else there, each folder says what it said. */
async function checkFolders({ people }: Play): Promise<void> {
  const before = await Promise.all(people.map((person) => person.call('digest', {})))
  for (const person of people) {
    await person.call('close', {})
    await person.kill()
  }
  for (const [i, person] of people.entries()) {
    await person.start()
    const after = await person.call('digest', {})
    if (after.hash !== before[i]!.hash) throw new Error(`The folder of ${person.name} says something else when it is opened again: ${JSON.stringify([before[i], after])}`)
    await person.kill()
  }
}

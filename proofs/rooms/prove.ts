import { setTimeout as delay } from 'node:timers/promises'
import { hash } from '../../packages/rooms/src/internal/crypto.js'
import { decodeOp } from '../../packages/rooms/src/internal/op.js'
import { ROLES, roleOf, type Role } from '../../packages/rooms/src/roles.js'
import type { History } from '../../packages/rooms/src/internal/keyring.js'
import type { Rows } from '../../packages/rooms/src/internal/view.js'
import { decodeZ32, isCoveyError } from '../../packages/core/src/index.js'
import { createPrng, type Prng } from '../model/prng.js'
import { cheat, CHEATS } from './cheat.js'
import { hintDevices } from '../../packages/rooms/src/internal/hint-devices.js'
import { admit, createLinks, found, hex, readmit, type Links, type Member } from './member.js'
import { checkAuthority } from './authority.js'
import type { World } from './world.js'

const MIN_STEPS = 8
const MAX_STEPS = 20
/** How long those who are connected may take to come to one view. */
const SETTLE_TIMEOUT_MS = 15_000
/** How long a newcomer may take to hear of its admission. */
const WAKE_TIMEOUT_MS = 3_000
/** Whoever lacks a key asks for it, and those who have it wait up to 5 s for each other. */
const KEYS_TIMEOUT_MS = 12_000
const POLL_MS = 5

/** A message, and what its sender's view said when it was written. */
interface Sent {
  readonly id: string
  readonly text: string
  readonly sender: string
  /** The writers that were let in, and were not out. */
  readonly present: ReadonlySet<string>
  readonly removed: ReadonlySet<string>
  /** Those who were let in again after it. */
  readonly readmitted: Set<string>
}

export interface Play {
  readonly random: Prng
  readonly world: World
  readonly members: Member[]
  readonly links: Links
  readonly sent: Sent[]
  readonly told: string[]
}

/** One room of several machines that are parted and meet again, until all of them say the same. */
export async function proveRoom(seed: number, world: World): Promise<void> {
  const random = createPrng(seed)
  const history = random.chance(0.7) ? 'full' : 'since-join'
  await inRoom(random, world, history, async (play) => {
    const { members } = play
    for (let i = 1; i < 3; i++) await join(play, members[0]!, i)
    await settle(play, members)
    const steps = MIN_STEPS + random.below(MAX_STEPS - MIN_STEPS)
    for (let step = 0; step < steps; step++) await takeStep(play)
    for (const member of members) member.group = 0
    await play.links.arrange(members)
    await settle(play, members)
    await checkAuthority(members[0]!.view)
    await checkMessages(play, history === 'full')
    await settle(play, members)
  })
}

/** A room of one person, for as long as the script goes on. */
export async function inRoom(random: Prng, world: World, history: History, script: (play: Play) => Promise<void>): Promise<void> {
  const members = [await found(world.machines[0]!, 'm0', history)]
  const play: Play = { random, world, members, links: createLinks(), sent: [], told: [history] }
  try {
    await script(play)
  } catch (error) {
    throw new Error(`${(error as Error).message}\n  ${play.told.join('\n  ')}`, { cause: error })
  } finally {
    for (const [i, member] of members.entries()) member.group = i + 1
    await play.links.arrange(members)
    await Promise.all(members.map(({ room }) => room.close()))
  }
}

async function takeStep(play: Play): Promise<void> {
  const { random, members, links } = play
  if (random.chance(0.25)) {
    for (const member of members) member.group = random.below(2)
    play.told.push(`groups ${members.map(({ group }) => group).join(' ')}`)
    await links.arrange(members)
  }
  if (random.chance(0.4)) {
    const some = random.below(2)
    await settle(play, members.filter(({ group }) => group === some))
  }
  const member = random.pick(members)
  const other = random.pick(members)
  const target = other.machine.identity.identity.id
  try {
    await act(play, member, other, target, random.below(22))
  } catch (error) {
    // What a member may not do, or not any more, is refused.
    if (!isCoveyError(error) && (error as Error).message !== 'Not writable') throw error
    play.told.push(`  refused: ${(error as { code: string }).code}`)
  }
}

async function act(play: Play, member: Member, other: Member, target: string, choice: number): Promise<void> {
  const { random, told } = play
  const { room, name } = member
  if (choice < 9) return send(play, member)
  if (choice < 12) {
    told.push(`${name} removes ${other.name}`)
    return room.remove(target, { ban: random.chance(0.2) })
  }
  if (choice < 15) {
    const role = random.pick(ROLES.filter((one) => one !== 'owner')) as Exclude<Role, 'owner'>
    told.push(`${name} makes ${other.name} ${role}`)
    return room.setRole(target, role)
  }
  if (choice < 18) return letIn(play, member, other)
  if (choice === 18) {
    told.push(`${name} leaves`)
    return room.leave()
  }
  if (choice > 19) {
    const kind = random.pick(CHEATS)
    told.push(`${name} cheats: ${kind}`)
    return cheat(member, kind)
  }
  told.push(`${name} hands over to ${other.name}`)
  return room.transferOwnership(target)
}

export async function send(play: Play, member: Member): Promise<void> {
  const devices = await member.view.all('devices')
  const text = `${member.name} ${play.sent.length}`
  play.told.push(`${text}: sends`)
  const message = await member.room.send(text)
  const names = (rows: typeof devices) => new Set(rows.map(({ writer }) => hex(writer)))
  play.sent.push({
    id: message.id,
    text,
    sender: member.writer,
    present: names(devices.filter((row) => !row.removed)),
    removed: names(devices.filter((row) => row.removed)),
    readmitted: new Set()
  })
}

/** Somebody new, as long as there are machines, or the other one again. */
async function letIn(play: Play, by: Member, other: Member): Promise<void> {
  const { members, world, told, random, sent } = play
  const own = await by.view.member(by.machine.identity.identity.publicKey)
  const role = own === null ? undefined : roleOf(own.role)
  if (role !== 'owner' && role !== 'admin') return
  if (members.length < world.machines.length && random.chance(0.6)) return join(play, by, members.length)
  told.push(`${by.name} lets ${other.name} in again`)
  const isIn = await readmit(by, other, 'member')
  if (isIn) for (const { readmitted } of sent) readmitted.add(other.writer)
}

export async function join(play: Play, by: Member, machine: number): Promise<void> {
  play.told.push(`${by.name} lets m${machine} in`)
  const member = await admit(by, play.world.machines[machine]!, `m${machine}`, 'member')
  member.group = by.group
  play.members.push(member)
  await play.links.arrange(play.members)
  const { publicKey } = member.machine.identity.identity
  // One of the machines is another device of somebody who may have been banned.
  const isIn = async () => (await member.view.device(member.base.local.key)) !== null || (await by.view.ban(publicKey)) !== null
  try {
    await until('the newcomer is in', WAKE_TIMEOUT_MS, isIn)
  } catch {
    // Finding 9: the wakeup that tells of who admitted may be lost. Shown, and not counted against the rest.
    console.log(`${member.name} was not woken`)
    member.base.hintWakeup(play.members.map(({ base: { local } }) => ({ key: local.key, length: local.length })).filter(({ length }) => length > 0))
    await until('the newcomer is in', SETTLE_TIMEOUT_MS, isIn)
  }
  // As everybody who comes into a room does: what was announced before it knew its writer is not announced again.
  await hintDevices(member)
}

/** Waits until all of these have one view, with what they have sent in it. */
export async function settle({ links, members: all }: Play, members: readonly Member[]): Promise<void> {
  await links.arrange(all)
  await Promise.all(members.map(({ log }) => log.settled()))
  let last: string[] = []
  await until(
    'one view',
    SETTLE_TIMEOUT_MS,
    async () => {
      last = await Promise.all(members.map(describe))
      return new Set(last).size <= 1
    },
    () => last.join('\n  ')
  )
}

const COLLECTIONS: readonly (keyof Rows)[] = [
  'meta', 'writers', 'authority', 'room', 'members', 'devices', 'bans', 'profiles', 'invites', 'knocks', 'epochs', 'grants',
  'key-requests', 'messages', 'read-receipts'
]

/** All that a view says, in one hash. */
async function describe({ view }: Member): Promise<string> {
  const rows = await Promise.all(COLLECTIONS.map((collection) => view.all(collection)))
  const text = JSON.stringify(rows, (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value))
  return hex(hash('covey/proof/view', new TextEncoder().encode(text)))
}

export async function checkMessages({ members, sent }: Play, isFull: boolean): Promise<void> {
  const devices = await members[0]!.view.all('devices')
  const present = new Set(devices.filter((row) => !row.removed).map(({ writer }) => hex(writer)))
  const listed = (await members[0]!.view.messages(0, Infinity)).length
  for (const member of members) {
    const isPresent = present.has(member.writer)
    await until(
      `${member.name} to read what it may`,
      isPresent ? KEYS_TIMEOUT_MS : 0,
      async () => (await lacking(member, sent, isPresent ? isFull : undefined)).length === 0,
      async () => (await lacking(member, sent, isPresent ? isFull : undefined)).join(', ')
    )
    if (isPresent) continue
    for (const { id, text, removed, readmitted } of sent) {
      // Where newcomers read what was before them, so do those who come again.
      if (!removed.has(member.writer) || (isFull && readmitted.has(member.writer))) continue
      const message = await member.room.message(id)
      if (message?.kind === 'text') throw new Error(`${member.name}, removed, reads '${text}'`)
    }
  }
  const orders = await Promise.all(members.map(async ({ view }) => (await view.messages(0, listed)).map(({ id }) => hex(id)).join()))
  if (new Set(orders).size !== 1) throw new Error('members have different orders')
}

/** What of the room's messages a member cannot read though it may. `isFull` undefined: it may nothing. */
export async function lacking(member: Member, sent: readonly Sent[], isFull: boolean | undefined): Promise<string[]> {
  if (isFull === undefined) return []
  const found: string[] = []
  for (const { id, text, present, removed } of sent) {
    const message = await member.room.message(id)
    // What was written by somebody who was out by then is in nobody's view.
    if (message === undefined || !(isFull || present.has(member.writer)) || removed.has(member.writer)) continue
    if (message.kind !== 'text' || message.text !== text) found.push(`'${text}' is ${message.kind}, ${await epochOf(member, id)}`)
  }
  return found
}

/** Whether a view knows the epoch of a message at all, and whose it is. */
async function epochOf({ view }: Member, id: string): Promise<string> {
  const decoded = decodeZ32(id, 32)
  const row = decoded.ok ? await view.message(decoded.value) : null
  const epoch = row && decodeOp(row.op)?.header.epoch
  const known = epoch ? await view.epoch(epoch) : null
  return known === null ? 'its epoch is unknown' : `its epoch is by ${hex(known.writer).slice(0, 6)}`
}

async function until(
  what: string,
  timeoutMs: number,
  check: () => Promise<boolean>,
  detail: () => string | Promise<string> = () => ''
): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}: ${await detail()}`)
    await delay(POLL_MS)
  }
}

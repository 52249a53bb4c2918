import { FOUNDER, RANK, type ModelState, type Op, type Seen, type Want } from './ops.js'
import type { Prng } from './prng.js'
import { resolve } from './resolve.js'
import { rankOf, step } from './step.js'

/** An op, and what its author had read when it was written. */
export interface Written extends Op {
  /** How much of every writer, this op's own included. */
  readonly past: ReadonlyMap<string, number>
  /** Whether it says truly what it has seen. */
  readonly isHonest: boolean
}

/** The ops of a room that was partitioned now and then, in the order of their writing. */
export interface History {
  readonly ops: readonly Written[]
}

const MAX_IDENTITIES = 6
const MAX_DEVICES = 3

interface Person {
  readonly identity: string
  readonly writers: readonly string[]
  /** How many revocations the person has signed. */
  epoch: number
}

/** What a writer has: its own ops, and those of others that have reached it. */
interface Replica {
  readonly writer: string
  length: number
  readonly known: Map<string, number>
  group: number
}

export function randomHistory(random: Prng, size: number): History {
  const people: Person[] = Array.from({ length: 2 + random.below(MAX_IDENTITIES - 1) }, (_, i) => ({
    identity: `i${i}`,
    writers: Array.from({ length: 1 + random.below(MAX_DEVICES) }, (__, d) => `i${i}d${d}`),
    epoch: 0
  }))
  const replicas = people.flatMap(({ writers }) => writers).map(
    (writer): Replica => ({ writer, length: 0, known: new Map(), group: 0 })
  )
  const ops: Written[] = []
  const liars = random.chance(0.5) ? 0 : 0.4
  let invites = 0

  const write = (replica: Replica, want: Want, isHonest: boolean): void => {
    replica.length++
    replica.known.set(replica.writer, replica.length)
    // A clock that may be wrong.
    const sentAt = random.chance(0.1) ? random.below(60) : ops.length
    ops.push({ writer: replica.writer, length: replica.length, sentAt, want, past: new Map(replica.known), isHonest })
  }

  /** What a replica shows: the model's own answer for the ops that it knows. */
  const look = (replica: Replica): ModelState => resolve(known(ops, replica)).state

  const founder = replicas[0]!
  // Somebody may claim the room before its founder is heard of.
  const claimant = random.pick(replicas)
  if (claimant !== founder && random.chance(0.1)) {
    write(claimant, { type: 'create', identity: claimant.writer.split('d')[0]!, device: claimant.writer }, false)
  }
  write(founder, { type: 'create', identity: 'i0', device: FOUNDER }, true)
  for (const replica of replicas) meet(founder, replica)

  while (ops.length < size) {
    if (random.chance(0.12)) for (const replica of replicas) replica.group = random.below(3)
    if (random.chance(0.45)) {
      const [one, other] = [random.pick(replicas), random.pick(replicas)]
      if (one.group === other.group || random.chance(0.05)) meet(one, other)
      continue
    }
    const acting = random.pick(replicas)
    const state = look(acting)
    if (rankOf(state, acting.writer) === RANK.none && !random.chance(0.02)) {
      // Who is not in may come in by themselves.
      const want = randomEntry(random, people, state, acting)
      if (want !== undefined) write(acting, want, true)
      continue
    }
    // What is none of authority lengthens a writer too.
    if (random.chance(0.15)) {
      acting.length++
      acting.known.set(acting.writer, acting.length)
    }
    const isHonest = !random.chance(liars)
    // Mostly what is allowed, as far as its author knows; sometimes what is not.
    for (let tries = 0; tries < 8; tries++) {
      const want = randomWant(random, people, state, acting, isHonest, `v${invites}`)
      if (tries < 7 && !random.chance(0.12) && !isAllowed(state, acting, want, ops.length)) continue
      if (want.type === 'invite') invites++
      write(acting, want, isHonest)
      break
    }
  }
  return { ops }
}

function isAllowed(state: ModelState, { writer, length }: Replica, want: Want, sentAt: number): boolean {
  const copy: ModelState = {
    ...state,
    members: new Map(state.members),
    devices: new Map(state.devices),
    bans: new Map(state.bans),
    invites: new Map(state.invites)
  }
  return step(copy, { writer, length: length + 1, sentAt, want })
}

function known(ops: readonly Written[], { known: lengths }: Replica): Written[] {
  return ops.filter(({ writer, length }) => length <= (lengths.get(writer) ?? 0))
}

function meet(one: Replica, other: Replica): void {
  for (const [from, to] of [[one, other], [other, one]] as const) {
    for (const [writer, length] of from.known) to.known.set(writer, Math.max(length, to.known.get(writer) ?? 0))
  }
}

const TYPES: readonly Want['type'][] = [
  ...Array<'admit'>(7).fill('admit'),
  ...Array<'addDevice'>(3).fill('addDevice'),
  ...Array<'setRole'>(6).fill('setRole'),
  ...Array<'remove'>(5).fill('remove'),
  ...Array<'invite'>(3).fill('invite'),
  ...Array<'mute'>(2).fill('mute'),
  'transfer',
  'unban',
  'unban',
  'leave',
  'revokeInvite',
  'revokeDevice',
  'equivocation',
  ...Array<'indexers'>(5).fill('indexers'),
  'settings',
  'mirrors',
  'rules',
  'rules',
  'create',
  'enter'
]

function randomWant(random: Prng, people: Person[], state: ModelState, acting: Replica, isHonest: boolean, fresh: string): Want {
  const person = random.pick(people)
  const { identity } = person
  const type = random.pick(TYPES)
  const role = random.below(7) - (random.chance(0.5) ? 0 : 1)
  const seen = (): Seen => (isHonest ? honestSeen(state, acting, identity) : lyingSeen(random, state, acting, identity))
  switch (type) {
    case 'create':
      return { type, identity, device: acting.writer }
    case 'admit': {
      const writer = random.pick(person.writers)
      const invite = random.chance(0.6) && state.invites.size > 0 ? random.pick([...state.invites.keys()]) : undefined
      const granted = invite !== undefined && random.chance(0.95) ? state.invites.get(invite)!.role : Math.max(0, role)
      const device = random.chance(0.05) ? random.pick(person.writers) : writer
      const isApproved = invite !== undefined && state.invites.get(invite)!.needsApproval !== random.chance(0.1)
      return { type, identity, device, writer, epoch: random.below(person.epoch + 1), role: granted, invite, isForged: random.chance(0.05), isApproved }
    }
    case 'addDevice': {
      // Mostly of the author's own person: only such can be let in.
      const own = random.chance(0.9) ? people.find(({ writers }) => writers.includes(acting.writer))! : person
      const writer = random.pick(own.writers)
      const issuer = random.chance(0.5) ? random.pick(own.writers) : undefined
      return { type, identity: own.identity, device: writer, writer, epoch: random.below(own.epoch + 1), issuer }
    }
    case 'invite': {
      const uses = random.chance(0.5) ? 1 + random.below(2) : undefined
      const expiresAt = random.chance(0.3) ? 1 + random.below(50) : undefined
      const invitee = random.chance(0.2) ? identity : undefined
      const [needsApproval, isPublic] = [random.chance(0.3), random.chance(0.3)]
      return { type, invite: random.chance(0.1) ? 'v0' : fresh, role: Math.max(0, role), uses, expiresAt, invitee, needsApproval, isPublic }
    }
    case 'enter':
      return randomEntry(random, people, state, acting) ?? { type: 'leave' }
    case 'revokeInvite':
      return { type, invite: random.pick([...state.invites.keys(), 'v?']) }
    case 'rules':
      return { type, broadcast: random.chance(0.6) }
    case 'settings':
    case 'mirrors':
    case 'leave':
      return { type }
    case 'setRole':
      return { type, identity, role: Math.max(0, role), seen: seen() }
    case 'remove':
      return { type, identity, ban: random.chance(0.4), seen: seen() }
    case 'mute':
      return { type, identity, muted: random.chance(0.7) }
    case 'unban':
      return { type, identity: random.pick([...state.bans.keys(), identity]) }
    case 'transfer':
      return { type, identity }
    case 'revokeDevice':
      return { type, identity, device: random.pick(person.writers), epoch: ++person.epoch }
    case 'equivocation':
      return { type, writer: random.pick(person.writers) }
    case 'indexers':
      return { type, writers: randomIndexers(random, people, state) }
  }
}

/** One, or three, mostly of those who may. */
function randomIndexers(random: Prng, people: readonly Person[], state: ModelState): string[] {
  if (random.chance(0.5)) {
    // As an admin may: the owner's, and one of each other person.
    const ranked = [...state.devices].filter(([writer]) => rankOf(state, writer) >= RANK.admin)
    const owners = ranked.filter(([writer]) => rankOf(state, writer) === RANK.owner).map(([writer]) => writer)
    const admins = new Map(ranked.filter(([writer]) => rankOf(state, writer) === RANK.admin).map(([writer, { identity }]) => [identity, writer]))
    const fitting = [...state.indexers.filter((writer) => owners.includes(writer)), ...admins.values(), ...owners]
    const three = [...new Set(fitting)].slice(0, 3)
    if (three.length === 3) return three
  }
  const count = random.chance(0.3) ? 1 : 3
  const all = people.flatMap(({ writers }) => writers)
  const fit = all.filter((writer) => rankOf(state, writer) >= RANK.admin)
  const from = fit.length >= count && random.chance(0.85) ? fit : all
  const named = new Set<string>()
  while (named.size < Math.min(count, from.length)) named.add(random.pick(from))
  return named.size === count ? [...named] : [...named].slice(0, 1)
}

/** By a public invite, or by another, of a person who has this writer, or of another. */
function randomEntry(random: Prng, people: readonly Person[], { invites }: ModelState, { writer }: Replica): Want | undefined {
  const open = [...invites].filter(([, { isPublic }]) => isPublic || random.chance(0.1)).map(([id]) => id)
  if (open.length === 0) return undefined
  const own = people.find(({ writers }) => writers.includes(writer))!
  const person = random.chance(0.05) ? random.pick(people) : own
  const device = random.chance(0.05) ? random.pick(person.writers) : writer
  const epoch = random.below(person.epoch + 1)
  return { type: 'enter', identity: person.identity, device, epoch, invite: random.pick(open), isForged: random.chance(0.05) }
}

/** As an honest client tells it: every writer that its view has for the target, and how far it has read it. */
function honestSeen(state: ModelState, { known: lengths }: Replica, target: string): Seen {
  const writers = [...state.devices].filter(([, { identity }]) => identity === target).map(([writer]) => writer)
  return new Map(writers.map((writer) => [writer, lengths.get(writer) ?? 0]))
}

function lyingSeen(random: Prng, state: ModelState, replica: Replica, target: string): Seen {
  const seen = [...honestSeen(state, replica, target)]
  return new Map(
    seen
      .filter(() => random.chance(0.7))
      .map(([writer, length]) => [writer, random.chance(0.2) ? length + random.below(4) : random.below(length + 1)])
  )
}

/** The ops in a random order that every reader could come to: none before what its author had read. */
export function randomOrder(random: Prng, { ops }: History): Written[] {
  // Some writers come early whenever they can, others late: extremes are where orders differ most.
  const haste = new Map([...new Set(ops.map(({ writer }) => writer))].map((writer) => [writer, random.below(4)]))
  const isReady = ({ writer, past, length }: Written, left: readonly Written[]): boolean =>
    left.every((other) => {
      if (other.writer === writer) return other.length >= length
      return other.length > (past.get(other.writer) ?? 0)
    })
  const ordered: Written[] = []
  let left: readonly Written[] = ops
  while (left.length > 0) {
    const ready = left.filter((op) => isReady(op, left))
    const best = Math.max(...ready.map(({ writer }) => haste.get(writer)!))
    const next = random.pick(random.chance(0.7) ? ready.filter(({ writer }) => haste.get(writer) === best) : ready)
    ordered.push(next)
    left = left.filter((op) => op !== next)
  }
  return ordered
}


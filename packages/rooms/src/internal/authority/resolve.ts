import { equalBytes } from '@covey/core'
import { isAtLeast, roleOf, type Role } from '../../roles.js'
import type { Action, Seen } from './action.js'
import type { Author } from './acts.js'
import { perform, roleIn } from './rules.js'
import { createMemoryState, type MemoryState } from './state.js'
import { mapKey } from '../map-key.js'

/** An action and who asked for it, at its place in the room's order. */
export interface Entry {
  readonly author: Author
  /** The op is block `length - 1` of its writer. */
  readonly length: number
  readonly action: Action
}

/**
 * Who may do what after `entries`, in their order: a function of them alone.
 *
 * Somebody who is removed or demoted may at that moment have been at work elsewhere, unseen by who
 * removes them, and the order may put that work first. It is void all the same: an entry is left out if
 * a later one, a cut, takes authority from its author without having seen it.
 *
 * A cut takes nothing from those who stand as high as its author, or higher: what was done with such a
 * role is never void, and a cut that would pull such a thing, or such a person, down with what it makes
 * void makes nothing void. (The removal itself stands.) Cuts are settled in the order of the room; one
 * that comes into force may end others of lesser roles, and what these held down is looked at again.
 * So each cut in force is itself allowed, and the last entry is looked at when all before it are settled:
 * to go on from the answer for the others comes to the same as to start anew.
 */
export function resolve(entries: readonly Entry[]): Promise<MemoryState> {
  return createResolver().resolve(entries)
}

/** Resolves one history again and again as it grows, and remembers what of it is settled. */
export interface Resolver {
  resolve(entries: readonly Entry[]): Promise<Resolved>
}

/** The answer, and what became of each entry for it. */
export interface Resolved extends MemoryState {
  readonly isDone: readonly boolean[]
}

/**
 * What is settled depends on nothing that comes after it. So of a history that has grown, or has lost its
 * end in a reorder, only what is new is looked at: otherwise who makes cuts that come to nothing would
 * have all of them tried again at each op.
 *
 * @param onentry called for each entry that is gone through: what the work is measured in.
 */
export function createResolver(onentry: () => void = () => undefined): Resolver {
  let known: readonly Entry[] = []
  /** The cuts in force for the first so many entries alone. */
  const settled: (readonly Cut[])[] = [[]]

  return {
    async resolve(entries) {
      let at = Math.min(sharedLength(known, entries), settled.length - 1)
      settled.length = at + 1
      known = entries
      let cuts = settled[at]!
      let run = await replay(entries, cuts, onentry)
      while (at < entries.length) {
        const trial = canCut(entries, run, cuts, at) ? await attempt(entries, run, cuts, at, onentry) : undefined
        if (trial === undefined) {
          at++
          // The first time that it comes this far, no entry after has had a say.
          if (settled.length === at) settled.push(cuts)
          continue
        }
        ;({ cuts, run } = trial)
        at = 0
      }
      return { ...run.state, isDone: run.outcomes.map(({ isDone }) => isDone) }
    }
  }
}

function sharedLength(a: readonly Entry[], b: readonly Entry[]): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [one, other] = [a[i]!, b[i]!]
    const isSame = one.length === other.length && equalBytes(one.author.writer, other.author.writer)
    if (!isSame || !equalBytes(one.author.bytes, other.author.bytes)) return i
  }
  return length
}

/** That an entry takes authority away from somebody, with what role, and what it had seen of them. */
interface Cut {
  readonly at: number
  readonly role: Role
  readonly identity: Uint8Array
  readonly seen: ReadonlyMap<string, number>
}

/** What became of an entry. */
interface Outcome {
  /** Whose it was: known also where the device is removed. */
  readonly identity: Uint8Array | undefined
  /** What the author was, with this device. */
  readonly role: Role | undefined
  readonly isDone: boolean
  /** The cut that it is, if it was done and took authority from somebody. */
  readonly cut: Cut | undefined
}

interface Replay {
  readonly state: MemoryState
  readonly outcomes: readonly Outcome[]
  /** What everybody was, and every device, just before the entry that was asked for. */
  readonly standing: ReadonlyMap<string, Role>
}

async function replay(
  entries: readonly Entry[],
  cuts: readonly Cut[],
  onentry: () => void,
  before?: number
): Promise<Replay> {
  const state = createMemoryState()
  const outcomes: Outcome[] = []
  let standing: ReadonlyMap<string, Role> = new Map()
  for (const [at, entry] of entries.entries()) {
    onentry()
    if (at === before) standing = standingIn(state)
    const { author, action } = entry
    const device = await state.device(author.writer)
    const identity = device?.identity
    const role = device === null || device.removed ? undefined : await roleIn(state, device.identity)
    const isVoid = cuts.some((cut) => makesVoid(cut, entry, at, identity, role))
    const cut = isVoid ? undefined : await cutOf(state, at, role, action)
    const isDone = !isVoid && (await perform(state, author, action))
    outcomes.push({ identity, role, isDone, cut: isDone ? cut : undefined })
  }
  return { state, outcomes, standing }
}

function standingIn(state: MemoryState): ReadonlyMap<string, Role> {
  const members = state.rows('members')
  const standing = new Map<string, Role>()
  for (const [identity, member] of members) {
    const role = roleOf(member.role)
    if (role !== undefined) standing.set(`member ${identity}`, role)
  }
  for (const [writer, { identity, removed }] of state.rows('devices')) {
    const role = standing.get(`member ${mapKey(identity)}`)
    if (role !== undefined && !removed) standing.set(`device ${writer}`, role)
  }
  return standing
}

function makesVoid(
  cut: Cut,
  { author, length, action }: Entry,
  at: number,
  identity: Uint8Array | undefined,
  role: Role | undefined
): boolean {
  // What is signed by who it is about: who brings it does not matter.
  if (cut.at <= at || identity === undefined || isSignedBySubject(action)) return false
  if (role !== undefined && isAtLeast(role, cut.role)) return false
  return equalBytes(cut.identity, identity) && length > (cut.seen.get(mapKey(author.writer)) ?? 0)
}

function isSignedBySubject({ type }: Action): boolean {
  return type === 'revokeDevice' || type === 'enter' || type === 'equivocation'
}

async function cutOf(state: MemoryState, at: number, role: Role | undefined, action: Action): Promise<Cut | undefined> {
  if (role === undefined || !takesAuthority(action)) return undefined
  const { identity } = action
  if (action.type === 'setRole' && action.role >= ((await state.member(identity))?.role ?? 0)) return undefined
  return { at, role, identity, seen: seenLengths(action.seen) }
}

/** Whether an entry is a cut that is not in force and has something to make void. */
function canCut(entries: readonly Entry[], { outcomes }: Replay, cuts: readonly Cut[], at: number): boolean {
  const cut = outcomes[at]!.cut
  if (cut === undefined || cuts.some((other) => other.at === at)) return false
  return entries.slice(0, at).some(({ author, length }, i) => {
    const { isDone, identity } = outcomes[i]!
    if (!isDone || identity === undefined || !equalBytes(identity, cut.identity)) return false
    return length > (cut.seen.get(mapKey(author.writer)) ?? 0)
  })
}

async function attempt(
  entries: readonly Entry[],
  run: Replay,
  cuts: readonly Cut[],
  at: number,
  onentry: () => void
): Promise<{ cuts: readonly Cut[]; run: Replay } | undefined> {
  const cut = run.outcomes[at]!.cut!
  const upTo = entries.slice(0, at + 1)
  const { standing } = await replay(upTo, cuts, onentry, at)
  const isRefused = (next: Replay): boolean =>
    next.outcomes[at]!.cut?.role !== cut.role || takesFromSeniors(run, standing, next, cut)
  let trial: readonly Cut[] = [...cuts, cut]
  for (;;) {
    // What comes later has no say in whether it is refused, and mostly need not be gone through.
    if (isRefused(await replay(upTo, trial, onentry, at))) return undefined
    const next = await replay(entries, trial, onentry, at)
    // Who lost, by this cut, what it needed for its own.
    const left = trial.filter((other) => {
      const now = next.outcomes[other.at]!.cut
      return now !== undefined && isAtLeast(now.role, other.role)
    })
    if (left.length === trial.length) return { cuts: trial, run: next }
    trial = left
  }
}

/** Whether those who stood as high as who cuts, or higher, would have done less by then, or be less. */
function takesFromSeniors(run: Replay, standing: ReadonlyMap<string, Role>, next: Replay, cut: Cut): boolean {
  const hasUndone = run.outcomes.slice(0, cut.at).some(({ isDone, role }, i) => {
    if (!isDone || role === undefined || !isAtLeast(role, cut.role)) return false
    const now = next.outcomes[i]!
    return !now.isDone || now.role === undefined || !isAtLeast(now.role, role)
  })
  if (hasUndone) return true
  return [...standing].some(([who, role]) => {
    const now = next.standing.get(who)
    return isAtLeast(role, cut.role) && (now === undefined || !isAtLeast(now, role))
  })
}

/** Whether an action may take authority from somebody: a removal, or a change of role. */
export function takesAuthority(action: Action): action is Extract<Action, { seen: Seen }> {
  return action.type === 'remove' || action.type === 'setRole'
}

export function seenLengths(seen: Seen): ReadonlyMap<string, number> {
  return new Map(seen.map(({ writer, length }) => [mapKey(writer), length]))
}

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
export async function resolve(entries: readonly Entry[]): Promise<MemoryState> {
  let cuts: readonly Cut[] = []
  let run = await replay(entries, cuts)
  for (let at = 0; at < entries.length; ) {
    const trial = canCut(entries, run, cuts, at) ? await attempt(entries, run, cuts, at) : undefined
    if (trial === undefined) {
      at++
      continue
    }
    ;({ cuts, run } = trial)
    at = 0
  }
  return run.state
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

async function replay(entries: readonly Entry[], cuts: readonly Cut[], before?: number): Promise<Replay> {
  const state = createMemoryState()
  const outcomes: Outcome[] = []
  let standing: ReadonlyMap<string, Role> = new Map()
  for (const [at, entry] of entries.entries()) {
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
  return type === 'revokeDevice' || type === 'equivocation'
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
  at: number
): Promise<{ cuts: readonly Cut[]; run: Replay } | undefined> {
  const cut = run.outcomes[at]!.cut!
  const { standing } = await replay(entries.slice(0, at + 1), cuts, at)
  let trial: readonly Cut[] = [...cuts, cut]
  for (;;) {
    const next = await replay(entries, trial, at)
    if (next.outcomes[at]!.cut?.role !== cut.role || takesFromSeniors(run, standing, next, cut)) return undefined
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

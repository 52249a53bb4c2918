import { IS_SIGNED_BY_SUBJECT, type ModelState, type Op } from './ops.js'
import { rankOf, roleOf, step } from './step.js'

/** What became of an op: `rank` is what its author was when it was its turn. */
export interface Outcome {
  readonly rank: number
  readonly verdict: 'done' | 'refused' | 'void'
  /** Whether it took away a role that somebody had. */
  readonly takes: boolean
}

interface Replay {
  readonly state: ModelState
  readonly outcomes: readonly Outcome[]
}

function emptyState(): ModelState {
  return { founded: false, settings: undefined, mirrors: undefined, isBroadcast: false, indexers: [], members: new Map(), devices: new Map(), bans: new Map(), invites: new Map() }
}

/** A removal, or a demotion, that makes void what its target did and it had not seen. */
interface Cut {
  readonly at: number
  /** The rank of who cuts: only what was done with less is void. */
  readonly rank: number
}

/** Goes through the ops once, leaving out what the cuts make void. */
function replay(ops: readonly Op[], cuts: readonly Cut[], onop?: (at: number, state: ModelState) => void): Replay {
  const state = emptyState()
  const outcomes = ops.map((op, at): Outcome => {
    onop?.(at, state)
    const rank = rankOf(state, op.writer)
    const author = state.devices.get(op.writer)?.identity
    if (isVoid(ops, at, rank, author, cuts)) return { rank, verdict: 'void', takes: false }
    const { want } = op
    const takes = want.type === 'remove' || (want.type === 'setRole' && want.role < roleOf(state, want.identity))
    const done = step(state, op)
    return { rank, verdict: done ? 'done' : 'refused', takes: done && takes }
  })
  return { state, outcomes }
}

function isVoid(ops: readonly Op[], at: number, rank: number, author: string | undefined, cuts: readonly Cut[]): boolean {
  const { writer, length, want } = ops[at]!
  if (author === undefined || IS_SIGNED_BY_SUBJECT.has(want.type)) return false
  return cuts.some((cut) => {
    const by = ops[cut.at]!.want
    if (by.type !== 'remove' && by.type !== 'setRole') return false
    return cut.at > at && rank < cut.rank && by.identity === author && length > (by.seen.get(writer) ?? 0)
  })
}

/** An answer: what became of every op, and the cuts that are in force. */
export interface Resolved extends Replay {
  readonly cuts: readonly Cut[]
}

/**
 * Takes the cuts in the order of the room. One is in force if it takes nothing from those who stand as
 * high as its author, or higher: neither what they had done by then, nor what they were.
 */
export function resolve(ops: readonly Op[]): Resolved {
  let cuts: readonly Cut[] = []
  let run = replay(ops, cuts)
  for (let at = 0; at < ops.length; ) {
    const tried = isOpen(ops, run, cuts, at) ? attempt(ops, run, cuts, at) : undefined
    if (tried === undefined) {
      at++
      continue
    }
    // What was turned down before may be right now.
    ;({ cuts, run } = tried)
    at = 0
  }
  return { ...run, cuts }
}

/** Whether the op at this place is a cut that is not in force and has something to make void. */
function isOpen(ops: readonly Op[], { outcomes }: Replay, cuts: readonly Cut[], at: number): boolean {
  const { want } = ops[at]!
  if (!outcomes[at]!.takes || cuts.some((cut) => cut.at === at)) return false
  if (want.type !== 'remove' && want.type !== 'setRole') return false
  let isUseful = false
  replay(ops, cuts, (before, state) => {
    const { writer, length } = ops[before]!
    if (before >= at) return
    if (state.devices.get(writer)?.identity !== want.identity || outcomes[before]!.verdict !== 'done') return
    if (length > (want.seen.get(writer) ?? 0)) isUseful = true
  })
  return isUseful
}

function attempt(ops: readonly Op[], run: Replay, cuts: readonly Cut[], at: number): { cuts: readonly Cut[]; run: Replay } | undefined {
  const { rank } = run.outcomes[at]!
  const standing = standingAt(ops, cuts, at)
  const isSenior = (i: number): boolean => i < at && run.outcomes[i]!.verdict === 'done' && run.outcomes[i]!.rank >= rank
  let trial: readonly Cut[] = [...cuts, { at, rank }]
  for (;;) {
    const next = replay(ops, trial)
    const holds = (i: number, least: number): boolean => next.outcomes[i]!.verdict === 'done' && next.outcomes[i]!.rank >= least
    if (!next.outcomes[at]!.takes || next.outcomes[at]!.rank !== rank) return undefined
    if (run.outcomes.some((before, i) => isSenior(i) && !holds(i, before.rank))) return undefined
    const now = standingAt(ops, trial, at)
    if ([...standing].some(([who, role]) => role >= rank && (now.get(who) ?? 0) < role)) return undefined
    const left = trial.filter((cut) => next.outcomes[cut.at]!.takes && next.outcomes[cut.at]!.rank >= cut.rank)
    if (left.length === trial.length) return { cuts: trial, run: next }
    trial = left
  }
}

/** What everybody, and every device, is just before the op at `at`. */
function standingAt(ops: readonly Op[], cuts: readonly Cut[], at: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  replay(ops, cuts, (before, state) => {
    if (before !== at) return
    for (const [identity, { role }] of state.members) found.set(identity, role)
    for (const writer of state.devices.keys()) found.set(writer, rankOf(state, writer))
  })
  return found
}

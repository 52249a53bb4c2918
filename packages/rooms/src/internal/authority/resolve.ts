import { equalBytes } from '@covey/core'
import { ROLES } from '../../roles.js'
import type { Action, Seen } from './action.js'
import type { Author } from './acts.js'
import { perform } from './rules.js'
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
 * a later one takes authority from its author without having seen it.
 *
 * Whether that later one stands may itself depend on what is left out. Authority flows downward only,
 * so what the owner took away is settled first, then what the admins did, and so on: after as many
 * rounds as there are roles nothing can change any more.
 */
export async function resolve(entries: readonly Entry[]): Promise<MemoryState> {
  let cuts: readonly Cut[] = []
  for (let round = 0; ; round++) {
    const { state, cuts: found } = await replay(entries, cuts)
    if (round === ROLES.length || sameCuts(cuts, found)) return state
    cuts = found
  }
}

/** That an entry takes authority away from somebody, and what it had seen of them. */
interface Cut {
  readonly position: number
  readonly identity: Uint8Array
  readonly seen: ReadonlyMap<string, number>
}

async function replay(
  entries: readonly Entry[],
  cuts: readonly Cut[]
): Promise<{ state: MemoryState; cuts: Cut[] }> {
  const state = createMemoryState()
  const found: Cut[] = []
  for (const { author, length, action } of entries) {
    if (await isVoid(state, author, length, cuts)) continue
    const cut = await cutOf(state, author.position, action)
    if ((await perform(state, author, action)) && cut !== undefined) found.push(cut)
  }
  return { state, cuts: found }
}

async function isVoid(
  state: MemoryState,
  { writer, position }: Author,
  length: number,
  cuts: readonly Cut[]
): Promise<boolean> {
  const identity = (await state.device(writer))?.identity
  if (identity === undefined) return false
  return cuts.some(
    (cut) =>
      cut.position > position &&
      equalBytes(cut.identity, identity) &&
      length > (cut.seen.get(mapKey(writer)) ?? 0)
  )
}

async function cutOf(state: MemoryState, position: number, action: Action): Promise<Cut | undefined> {
  if (!takesAuthority(action)) return undefined
  if (action.type === 'setRole') {
    const current = (await state.member(action.identity))?.role ?? 0
    if (action.role >= current) return undefined
  }
  return { position, identity: action.identity, seen: seenLengths(action.seen) }
}

/** Whether an action may take authority from somebody: a removal, or a change of role. */
export function takesAuthority(action: Action): action is Extract<Action, { seen: Seen }> {
  return action.type === 'remove' || action.type === 'setRole'
}

export function seenLengths(seen: Seen): ReadonlyMap<string, number> {
  return new Map(seen.map(({ writer, length }) => [mapKey(writer), length]))
}

function sameCuts(left: readonly Cut[], right: readonly Cut[]): boolean {
  return left.length === right.length && left.every((cut, i) => cut.position === right[i]!.position)
}

import { isAtLeast, roleOf, type Role } from '../../roles.js'
import type { Action } from './action.js'
import * as acts from './acts.js'
import type { Act, Author } from './acts.js'
import { nameIndexers } from './indexers.js'
import type { AuthorityState } from './state.js'

type Rules = { readonly [Type in Exclude<Action['type'], 'create' | 'enter'>]: { readonly least: Role; readonly act: Act<Type> } }

/**
 * The least role for each action, and what the action does where it is allowed. Authority flows
 * downward only: nobody acts on a role that is not below their own, or gives one that is not.
 */
const RULES: Rules = {
  admit: { least: 'member', act: acts.admit },
  addDevice: { least: 'reader', act: acts.addDevice },
  invite: { least: 'moderator', act: acts.invite },
  revokeInvite: { least: 'moderator', act: acts.revokeInvite },
  settings: { least: 'admin', act: acts.settings },
  mirrors: { least: 'admin', act: acts.mirrors },
  rules: { least: 'admin', act: acts.rules },
  leave: { least: 'reader', act: acts.leave },
  setRole: { least: 'admin', act: acts.setRole },
  remove: { least: 'moderator', act: acts.remove },
  mute: { least: 'moderator', act: acts.mute },
  unban: { least: 'moderator', act: acts.unban },
  transfer: { least: 'owner', act: acts.transfer },
  revokeDevice: { least: 'reader', act: acts.revokeDevice },
  equivocation: { least: 'reader', act: acts.equivocation },
  collection: { least: 'admin', act: acts.collection },
  indexers: { least: 'admin', act: nameIndexers }
}

/** The least role for each action: for those who would rather ask than be refused. */
export function leastRole(type: keyof Rules): Role {
  return RULES[type].least
}

/** Does what an action wants, if its author may; `false` and no change if not. */
export async function perform(state: AuthorityState, author: Author, action: Action): Promise<boolean> {
  if (action.type === 'create') return acts.create(state, author, action)
  if (action.type === 'enter') return acts.enter(state, author, action)
  const device = await state.device(author.writer)
  if (device === null || device.removed || device.silent) return false
  const role = await roleIn(state, device.identity)
  const { least, act } = RULES[action.type]
  if (role === undefined || !isAtLeast(role, least)) return false
  return (act as Act<Action['type']>)({ ...author, state, identity: device.identity, role }, action as never)
}

/** The role of an identity, or `undefined` if it is no member (any more). */
export async function roleIn(state: AuthorityState, identity: Uint8Array): Promise<Role | undefined> {
  const member = await state.member(identity)
  return member === null ? undefined : roleOf(member.role)
}

import type { Role } from 'covey'

/**
 * - `read`: read what is said;
 * - `send`: send messages;
 * - `invite`: invite others;
 * - `moderate`: mute, remove and ban those below;
 * - `configure`: rename the room, and give roles below one's own;
 * - `own`: hand the room to somebody else.
 */
export type Capability = 'read' | 'send' | 'invite' | 'moderate' | 'configure' | 'own'

const ORDER: readonly Role[] = ['reader', 'member', 'moderator', 'admin', 'owner']

const LEAST: Readonly<Record<Capability, Role>> = {
  read: 'reader',
  send: 'member',
  invite: 'moderator',
  moderate: 'moderator',
  configure: 'admin',
  own: 'owner'
}

const WORDS: Readonly<Record<Capability, string>> = {
  read: 'read',
  send: 'send messages',
  invite: 'invite others',
  moderate: 'mute and remove members',
  configure: 'rename the room and give roles',
  own: 'hand the room over'
}

/** What a member of this role may do; nothing for `undefined`, who is no member. */
export function capabilitiesOf(role: Role | undefined): readonly Capability[] {
  return (Object.keys(LEAST) as Capability[]).filter((capability) => isAtLeast(role, LEAST[capability]))
}

export function isAtLeast(role: Role | undefined, least: Role): boolean {
  return role !== undefined && ORDER.indexOf(role) >= ORDER.indexOf(least)
}

export function isRole(value: unknown): value is Role {
  return (ORDER as readonly unknown[]).includes(value)
}

export function isCapability(value: unknown): value is Capability {
  return typeof value === 'string' && Object.hasOwn(LEAST, value)
}

export function leastRole(capability: Capability): Role {
  return LEAST[capability]
}

export function withArticle(role: Role): string {
  return `${role === 'admin' || role === 'owner' ? 'an' : 'a'} ${role}`
}

/** In words, for people: what it may do, or that it may do nothing. */
export function describeScope(role: Role | undefined): string {
  if (role === undefined) return 'no member any more, and may do nothing'
  return `${role}, and may ${capabilitiesOf(role).map((each) => WORDS[each]).join(', ')}`
}

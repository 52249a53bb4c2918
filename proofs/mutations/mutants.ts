import type { SceneName } from '../rooms/scenes.js'

/** A rule of the rooms, and how the source reads without it. */
export interface Mutant {
  readonly rule: string
  /** Under `packages/rooms/src`. */
  readonly file: string
  readonly from: string
  readonly to: string
  /** Which proof has to fail, and how many runs it gets for it. */
  readonly proof?: 'model' | 'rooms' | SceneName
  readonly count?: number
}

const RULES = 'internal/authority/rules.ts'
const ACTS = 'internal/authority/acts.ts'
const RESOLVE = 'internal/authority/resolve.ts'
const INDEXERS = 'internal/authority/indexers.ts'
const APPLY = 'internal/apply.ts'
const KEYRING = 'internal/keyring.ts'
const HOLDERS = 'internal/holders.ts'

/** Each least role one lower, or one higher where lower makes no difference: no ban is by a mere member. */
const LEAST_ROLES: readonly (readonly [string, string, string])[] = [
  ['admit', 'member', 'reader'],
  ['addDevice', 'reader', 'member'],
  ['invite', 'moderator', 'member'],
  ['revokeInvite', 'moderator', 'member'],
  ['settings', 'admin', 'moderator'],
  ['mirrors', 'admin', 'moderator'],
  ['rules', 'admin', 'moderator'],
  ['leave', 'reader', 'member'],
  ['setRole', 'admin', 'moderator'],
  ['remove', 'moderator', 'member'],
  ['mute', 'moderator', 'member'],
  ['unban', 'moderator', 'admin'],
  ['transfer', 'owner', 'admin'],
  ['revokeDevice', 'reader', 'member'],
  ['equivocation', 'reader', 'member'],
  ['indexers', 'admin', 'moderator']
]

export const MUTANTS: readonly Mutant[] = [
  ...LEAST_ROLES.map(([act, least, other]) => ({
    rule: `${act}: at least ${least}`,
    file: RULES,
    from: `${act}: { least: '${least}'`,
    to: `${act}: { least: '${other}'`
  })),
  { rule: 'who is out does nothing', file: RULES, from: 'device === null || device.removed', to: 'device === null' },
  { rule: 'a reader of a broadcast room does nothing', file: RULES, from: ' || device.silent', to: '' },
  { rule: 'a role is needed', file: RULES, from: '!isAtLeast(role, least)', to: 'false' },

  { rule: 'create: the founder only', file: ACTS, from: '!isFounder ||', to: '' },
  { rule: 'create: once', file: ACTS, from: ' || (await state.room()) !== null', to: '' },
  { rule: 'admit: nobody who is banned', file: ACTS, from: ' || (await state.ban(identity)) !== null', to: '' },
  { rule: 'admit: a writer keeps its device', file: ACTS, from: '(equalBytes(known.device, device) && equalBytes(known.identity, identity))', to: 'equalBytes(known.identity, identity)' },
  { rule: 'admit: a writer that is in stays as it is', file: ACTS, from: '!known.removed || known.forked', to: 'known.forked' },
  { rule: 'admit: no certificate from before a revocation', file: ACTS, from: 'epoch < (member?.minEpoch ?? 0)', to: 'false' },
  { rule: 'admit: an invite there is, of that role', file: ACTS, from: ' || invite.role !== action.role', to: '' },
  { rule: 'admit: the secret of that invite', file: ACTS, from: ' || !equalBytes(invite.publicKey, shown!.publicKey)', to: '' },
  { rule: 'admit: the secret is not enough where approval is needed', file: ACTS, from: 'else if (invite.approval || ', to: 'else if (' },
  { rule: 'admit: approval of what needs it', file: ACTS, from: 'if (!invite.approval || !isAtLeast', to: 'if (!isAtLeast' },
  { rule: 'admit: approval by moderators', file: ACTS, from: " || !isAtLeast(role, 'moderator') || invite.role", to: ' || invite.role', count: 10_000 },
  { rule: 'admit: approval to a lesser role', file: ACTS, from: ' || invite.role >= roleNumber(role)) return false', to: ') return false' },
  { rule: 'enter: by a public invite', file: ACTS, from: 'isPublic === true && equalBytes', to: 'equalBytes' },
  { rule: 'enter: by its secret', file: ACTS, from: 'isPublic === true && equalBytes(publicKey, shown.publicKey)', to: 'isPublic === true' },
  { rule: 'enter: is never void', file: RESOLVE, from: " || type === 'enter'", to: '' },
  { rule: 'invite: public by admins', file: ACTS, from: "isAtLeast(by, 'admin') && role", to: 'role' },
  { rule: 'invite: public to members at most', file: ACTS, from: " && role <= roleNumber('member') && !approval", to: ' && !approval' },
  { rule: 'invite: public without approval', file: ACTS, from: ' && !approval\n}', to: '\n}' },
  { rule: 'invite: expires for asking, not for approving', file: ACTS, from: '!approval && expiresAt', to: 'expiresAt' },
  { rule: 'admit: uses are counted', file: ACTS, from: 'used: invite.used + 1', to: 'used: invite.used' },
  { rule: 'admit: without an invite by admins', file: ACTS, from: "!isAtLeast(role, 'admin') || isAtLeast(granted, role)", to: 'isAtLeast(granted, role)' },
  { rule: 'admit: without an invite to a lesser role', file: ACTS, from: "!isAtLeast(role, 'admin') || isAtLeast(granted, role)", to: "!isAtLeast(role, 'admin')" },
  { rule: 'admit: a member keeps the role', file: ACTS, from: 'if (!isMember) await', to: 'if (true) await' },
  { rule: 'invite: expires', file: ACTS, from: '!approval && expiresAt && atMs >= expiresAt', to: 'false' },
  { rule: 'invite: is used up', file: ACTS, from: 'used >= Math.min(uses || MAX_INVITE_USES, MAX_INVITE_USES)', to: 'false' },
  { rule: 'invite: is revoked', file: ACTS, from: 'if (revoked || (', to: 'if ((' },
  { rule: 'invite: is for one person', file: ACTS, from: '(invitee && !equalBytes(invitee, identity))', to: 'false' },
  { rule: 'invite: is worth what its author is', file: ACTS, from: 'inviter !== null && inviter.role > role ?', to: 'inviter !== null ?' },
  { rule: 'invite: to a lesser role', file: ACTS, from: 'granted === undefined || isAtLeast(granted, role) || (await state.invite(wanted.id)) !== null', to: 'granted === undefined || (await state.invite(wanted.id)) !== null' },
  { rule: 'invite: an id once', file: ACTS, from: ' || (await state.invite(wanted.id)) !== null', to: '' },
  { rule: 'broadcast: who is a reader then writes no more', file: ACTS, from: 'await settleVoices(state)', to: '' },
  { rule: 'broadcast: a role changes who writes', file: ACTS, from: 'await settleVoice(state, member)', to: '' },
  { rule: 'broadcast: who comes as a reader does not write', file: ACTS, from: ', ...(silent && { silent })', to: '' },
  { rule: 'leave: not the owner', file: ACTS, from: "if (role === 'owner') return false", to: '' },
  { rule: 'setRole: to a lesser role', file: ACTS, from: 'wanted === undefined || isAtLeast(wanted, role)', to: 'wanted === undefined' },
  { rule: 'remove: somebody below', file: ACTS, from: '(await below(state, role, identity)) === undefined', to: '(await state.member(identity)) === null' },
  { rule: 'remove: bans', file: ACTS, from: "await state.put('bans'", to: "if (false) await state.put('bans'" },
  { rule: 'ban: somebody below, or who has gone', file: ACTS, from: '|| (theirs !== undefined && isAtLeast(theirs, role))', to: '' },
  { rule: 'ban: of who was a member', file: ACTS, from: 'if (member === null || (theirs', to: 'if ((theirs' },
  { rule: 'ban: not again by somebody no higher', file: ACTS, from: 'if (ban !== null && ban.role >= roleNumber(role)) return false', to: '' },
  { rule: 'nobody acts on a role not below', file: ACTS, from: 'theirs === undefined || isAtLeast(theirs, role) ?', to: 'theirs === undefined ?' },
  { rule: 'unban: not of somebody above', file: ACTS, from: 'ban === null || ban.role > roleNumber(role)', to: 'ban === null' },
  { rule: 'transfer: one owner', file: ACTS, from: "role: roleNumber('admin') })", to: "role: roleNumber('owner') })" },
  { rule: 'transfer: lifts a mute', file: ACTS, from: "role: roleNumber('owner'), muted: false }", to: "role: roleNumber('owner') }" },
  { rule: 'revokeDevice: the device is out', file: ACTS, from: 'if (isTheirs) await', to: 'if (false) await' },
  { rule: 'revokeDevice: what it certified is out', file: ACTS, from: '(row.issuer && equalBytes(row.issuer, device))', to: 'false' },
  { rule: 'addDevice: of the same person', file: ACTS, from: 'if (!equalBytes(action.claimant.identity, identity)) return false', to: '' },
  { rule: 'revokeDevice: old certificates are out', file: ACTS, from: 'Math.max(member.minEpoch ?? 0, epoch)', to: 'member.minEpoch ?? 0' },
  { rule: 'equivocation: the device is out', file: ACTS, from: 'removed: true, forked: true', to: 'forked: true' },
  { rule: 'equivocation: it does not come back', file: ACTS, from: '(!known.removed || known.forked)', to: '!known.removed' },
  { rule: 'an equivocation is never void', file: RESOLVE, from: " || type === 'equivocation'", to: '' },
  { rule: 'a removal ends all devices', file: ACTS, from: 'for (const row of await state.devicesOf(identity)) await state.put', to: 'for (const row of []) await state.put' },
  { rule: 'a removal ends the role', file: ACTS, from: 'role: NO_ROLE', to: 'role: member.role' },

  { rule: 'indexers: not by who is muted', file: INDEXERS, from: ' || member.muted', to: '' },
  { rule: 'indexers: of admins', file: INDEXERS, from: "role !== undefined && isAtLeast(role, 'admin') ?", to: 'role !== undefined ?' },
  { rule: 'indexers: devices that are in', file: INDEXERS, from: 'device === null || !hasVoice(device)', to: 'device === null' },
  { rule: 'indexers: an admin names three', file: INDEXERS, from: 'writers.length !== 3 || ', to: '' },
  { rule: 'indexers: an admin names three people', file: INDEXERS, from: ' || new Set(others).size !== others.length', to: '' },
  { rule: "indexers: an admin leaves the owner's in", file: INDEXERS, from: "(await indexerOf(state, writer))?.role === 'owner') return false", to: "(await indexerOf(state, writer))?.role === 'owner') continue" },
  { rule: 'indexers: one or three', file: INDEXERS, from: 'indexers.length === 2', to: 'false' },
  { rule: "indexers: of two the owner's", file: INDEXERS, from: "indexers.find(({ role }) => role === 'owner') ?? indexers[0]!", to: 'indexers[0]!' },
  { rule: 'indexers: it is counted how often an admin names them', file: INDEXERS, from: 'namingsOf(member) + 1', to: 'namingsOf(member)' },
  { rule: 'indexers: the founder at first', file: ACTS, from: ', indexers: [writer] })', to: ' })' },

  { rule: 'a cut makes void what it had not seen', file: RESOLVE, from: 'length > (cut.seen.get(mapKey(author.writer)) ?? 0)\n}', to: 'false\n}' },
  { rule: 'a cut spares what it had seen', file: RESOLVE, from: 'equalBytes(cut.identity, identity) && length > (cut.seen.get(mapKey(author.writer)) ?? 0)', to: 'equalBytes(cut.identity, identity)' },
  { rule: 'a cut makes void what its target did', file: RESOLVE, from: 'equalBytes(cut.identity, identity) && length', to: 'length' },
  { rule: 'what comes after a cut is not void', file: RESOLVE, from: 'cut.at <= at || identity', to: 'identity' },
  { rule: 'a revocation is never void', file: RESOLVE, from: "type === 'revokeDevice' || ", to: '' },
  { rule: 'what was done with no lesser role is never void', file: RESOLVE, from: 'role !== undefined && isAtLeast(role, cut.role)', to: 'false' },
  { rule: 'a promotion is no cut', file: RESOLVE, from: "if (action.type === 'setRole' && action.role >=", to: "if (action.type === 'leave' as string && 0 >=" },
  { rule: 'a cut takes nothing that seniors did', file: RESOLVE, from: 'if (hasUndone) return true', to: '' },
  { rule: 'a cut takes no senior', file: RESOLVE, from: 'return isAtLeast(role, cut.role) && (now', to: 'return false && (now' },
  { rule: 'a cut is allowed with what it makes void', file: RESOLVE, from: 'next.outcomes[at]!.cut?.role !== cut.role || takes', to: 'takes' },
  { rule: 'a cut whose ground is gone ends', file: RESOLVE, from: 'return now !== undefined && isAtLeast(now.role, other.role)', to: 'return true', count: 20_000 },
  { rule: 'a cut begins the look at the others anew', file: RESOLVE, from: 'at = 0\n', to: 'at++\n' },

  { rule: 'apply: unseen work is resolved', file: APPLY, from: 'if (unseen) await resolveAnew', to: 'if (false) await resolveAnew', proof: 'removed-while-removing' },
  { rule: 'keys: none to strangers', file: HOLDERS, from: ' || tagged.size < tags.size', to: '', proof: 'rooms' },
  { rule: 'keys: a grant to the removed ends an epoch', file: HOLDERS, from: 'strangers.size > 0 || ', to: '', proof: 'granted-to-the-removed' },
  { rule: 'keys: none of a removed author', file: 'internal/authority/view-state.ts', from: '(meta.removals ?? 0) + 1', to: '0', proof: 'key-of-the-removed' },
  { rule: 'keys: none of who did not know that somebody has gone', file: KEYRING, from: '(removals ?? 0) >= ((await view.meta()).removals ?? 0)', to: 'true', proof: 'given-to-the-gone' },
  { rule: 'keys: whoever lacks one gets it', file: HOLDERS, from: '[...lacking.values()]', to: '[]', proof: 'rooms' },
  { rule: 'keys: what is written under is kept', file: APPLY, from: '[OpType.keepEpoch, {', to: '[0, {', proof: 'removed-maker-of-a-key' },
  { rule: 'keys: what came before is carried on', file: KEYRING, from: "history === 'full' && { parents", to: 'false && { parents', proof: 'alone-with-the-past' },
  { rule: 'keys: removed devices are not present', file: KEYRING, from: 'filter((row) => !row.removed)', to: 'filter(() => true)', proof: 'rooms' },
  { rule: 'keys: a slot holds what was committed to', file: 'internal/slots.ts', from: 'key !== undefined && equalBytes(commitmentTo(room, key), commitment) ?', to: 'key !== undefined ?', proof: 'rooms' },
  { rule: 'keys: so does a parent', file: 'internal/epoch-keys.ts', from: 'opened && committed && equalBytes(commitmentTo(room, opened), committed)', to: 'opened', proof: 'false-parents' }
]

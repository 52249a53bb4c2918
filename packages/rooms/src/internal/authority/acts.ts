import { equalBytes } from '@covey/core'
import { MAX_INVITE_USES } from '../../constants.js'
import { isAtLeast, roleNumber, roleOf, type Role } from '../../roles.js'
import type { Action, AdmitAction, ShownInvite } from './action.js'
import type { Structs } from '../structs.js'
import { changeRules, rulesOf } from '../room-rules.js'
import type { InviteRow, MemberRow, RoomRow } from '../view.js'
import type { AuthorityState } from './state.js'
import { isSilent, settleVoice, settleVoices } from './voices.js'

/** Who wrote the op that wants to act, and what an act may know of it. */
export interface Author {
  readonly writer: Uint8Array
  /** The place of the op among those about authority. */
  readonly position: number
  /** Whether it is the writer after whom the room is named. */
  readonly isFounder: boolean
  /** By the author's clock: compared with what others said by theirs, never with the time. */
  readonly sentAt: number
  /** The whole op, where a row keeps it. */
  readonly bytes: Uint8Array
}

/** An author who is a member, with the role that the action needs. */
export interface Acting extends Author {
  readonly state: AuthorityState
  readonly identity: Uint8Array
  readonly role: Role
}

/** Does what an action wants, where it may: `false`, and nothing is changed, where it may not. */
export type Act<Type extends Action['type']> = (
  acting: Acting,
  action: Extract<Action, { type: Type }>
) => Promise<boolean>

/** The most devices that one member has in a room at a time: each may write as much as a quota gives. */
const MAX_DEVICES = 32

/** What the row of a former member has for a role. */
const NO_ROLE = 0

export async function create(
  state: AuthorityState,
  { isFounder, writer, position, sentAt }: Author,
  { claimant, history, peer }: Extract<Action, { type: 'create' }>
): Promise<boolean> {
  if (!isFounder || (await state.room()) !== null) return false
  const { identity, device, box, issuer } = claimant
  if (peer && equalBytes(peer, identity)) return false
  await state.put('room', { createdAt: sentAt, history, ...(peer && { founder: identity, peer }), indexers: [writer] })
  await state.put('members', { identity, role: roleNumber('owner'), joinedAt: sentAt })
  await state.put('devices', { writer, device, box, identity, position, ...(issuer && { issuer }) })
  return true
}

export const admit: Act<'admit'> = async ({ state, role, position, sentAt }, action) => {
  const { invite: shown, approved } = action
  if (isDirect(await state.room())) return !shown && !approved && letIn(state, position, sentAt, action)
  if (!shown && !approved) {
    const granted = roleOf(action.role)
    if (granted === undefined || !isAtLeast(role, 'admin') || isAtLeast(granted, role)) return false
    return letIn(state, position, sentAt, action)
  }
  const invite = await state.invite(approved ?? shown!.id)
  if (invite === null || invite.role !== action.role) return false
  if (approved) {
    // Who approves may make such an invite: the secret is shown to them, and to nobody else.
    if (!invite.approval || !isAtLeast(role, 'moderator') || invite.role >= roleNumber(role)) return false
  } else if (invite.approval || !equalBytes(invite.publicKey, shown!.publicKey)) {
    return false
  }
  return letIn(state, position, sentAt, action, invite)
}

/** A device of a member answers for the other devices of the same person, and for nobody else's. */
export const addDevice: Act<'addDevice'> = async ({ state, identity, position, sentAt }, action) => {
  if (!equalBytes(action.claimant.identity, identity)) return false
  const direct = isDirect(await state.room())
  // The member has a role, and the device gets that one.
  return letIn(state, position, sentAt, { ...action, claimant: { ...action.claimant, isDirect: direct }, role: roleNumber(direct ? 'owner' : 'reader') })
}

/** Written by who comes, and therefore without a role of theirs to look at. */
export async function enter(
  state: AuthorityState,
  { position, sentAt }: Author,
  action: Extract<Action, { type: 'enter' }>
): Promise<boolean> {
  const invite = await state.invite(action.invite.id)
  if (invite === null || !opensTo(invite, action.invite)) return false
  return letIn(state, position, sentAt, { ...action, role: invite.role }, invite)
}

/** Whether an invite lets in who has its secret, without anybody else. */
export function opensTo({ public: isPublic, publicKey }: InviteRow, shown: ShownInvite): boolean {
  return isPublic === true && equalBytes(publicKey, shown.publicKey)
}

/** Whether a room is for two people: both own it, so that neither can do anything to the other, and nobody else comes in. */
function isDirect(room: RoomRow | null): boolean {
  return !!room?.peer
}

function isOneOf({ founder, peer }: RoomRow, identity: Uint8Array): boolean {
  return [founder, peer].some((one) => one && equalBytes(one, identity))
}

/** Makes somebody a member, or their device another of a member, and counts the invite. */
async function letIn(
  state: AuthorityState,
  position: number,
  sentAt: number,
  { claimant, writer, role: number }: Pick<AdmitAction, 'claimant' | 'writer' | 'role'>,
  invite?: InviteRow
): Promise<boolean> {
  const { identity, device, box, issuer } = claimant
  const granted = roleOf(number)
  const room = await state.room()
  if (granted === undefined || (granted === 'owner') !== isDirect(room) || (await state.ban(identity)) !== null) return false
  // What somebody signed to come into the one does not bring them into the other.
  if (claimant.isDirect !== isDirect(room) || (isDirect(room) && !isOneOf(room!, identity))) return false
  if (!(await hasPlaceFor(state, claimant, writer))) return false
  const member = await state.member(identity)

  if (invite !== undefined) {
    if ((await refusalOf(state, invite, identity, sentAt)) !== undefined) return false
    await state.put('invites', { ...invite, used: invite.used + 1 })
  }

  // A second device of a member has the member's role, whatever the invite says.
  const isMember = member !== null && roleOf(member.role) !== undefined
  if (!isMember) await state.put('members', { ...member, identity, role: number, joinedAt: sentAt })
  const silent = await isSilent(state, isMember ? member.role : number)
  await state.put('devices', { writer, device, box, identity, position, ...(issuer && { issuer }), ...(silent && { silent }) })
  return true
}

/** Whether a device can be one more of a person's, whoever lets it in. */
export async function hasPlaceFor(
  state: Pick<AuthorityState, 'device' | 'devicesOf' | 'member'>,
  { identity, device, epoch }: Pick<AdmitAction['claimant'], 'identity' | 'device' | 'epoch'>,
  writer: Uint8Array
): Promise<boolean> {
  const known = await state.device(writer)
  // A writer stays whose it was: what it wrote is told by its row.
  const isSame = known === null || (equalBytes(known.device, device) && equalBytes(known.identity, identity))
  if (!isSame || (known !== null && (!known.removed || known.forked))) return false
  const member = await state.member(identity)
  if (epoch < (member?.minEpoch ?? 0)) return false
  const devices = (await state.devicesOf(identity)).filter(({ removed }) => !removed)
  return devices.length < MAX_DEVICES
}

/** Why an invite lets somebody in no more, if so. */
export async function refusalOf(
  state: Pick<AuthorityState, 'member'>,
  { uses, used, expiresAt, revoked, invitee, author, role, approval }: InviteRow,
  identity: Uint8Array,
  atMs: number
): Promise<'refused' | 'usedUp' | 'expired' | undefined> {
  // Where a moderator approves, the time is for asking, and passes while the request waits.
  if (!approval && expiresAt && atMs >= expiresAt) return 'expired'
  if (used >= Math.min(uses || MAX_INVITE_USES, MAX_INVITE_USES)) return 'usedUp'
  if (revoked || (invitee && !equalBytes(invitee, identity))) return 'refused'
  // An invite is worth what its author is now.
  const inviter = await state.member(author)
  return inviter !== null && inviter.role > role ? undefined : 'refused'
}

export const invite: Act<'invite'> = async ({ state, identity, role }, { invite: wanted }) => {
  const granted = roleOf(wanted.role)
  if (granted === undefined || isAtLeast(granted, role) || (await state.invite(wanted.id)) !== null) return false
  if (isDirect(await state.room()) || (wanted.public && !mayBePublic(wanted, role))) return false
  await state.put('invites', { ...wanted, author: identity, used: 0 })
  return true
}

/** The link of a public invite has the key of the room in it, and nobody looks at who comes. */
function mayBePublic({ role, approval }: Structs['invite'], by: Role): boolean {
  return isAtLeast(by, 'admin') && role <= roleNumber('member') && !approval
}

export const revokeInvite: Act<'revokeInvite'> = async ({ state }, { invite: id }) => {
  const found = await state.invite(id)
  if (found === null || found.revoked) return false
  await state.put('invites', { ...found, revoked: true })
  return true
}

export const settings: Act<'settings'> = async ({ state, writer, bytes }) => {
  const room = await state.room()
  if (room === null) return false
  await state.put('room', { ...room, settingsWriter: writer, settings: bytes })
  return true
}

export const mirrors: Act<'mirrors'> = async ({ state, writer, bytes }) => {
  const room = await state.room()
  if (room === null) return false
  await state.put('room', { ...room, mirrorsWriter: writer, mirrors: bytes })
  return true
}

export const rules: Act<'rules'> = async ({ state }, { rules: changes }) => {
  const room = await state.room()
  if (room === null) return false
  const changed = { ...room, rules: changeRules(room.rules ?? [], changes) }
  await state.put('room', changed)
  if (rulesOf(room).broadcast !== rulesOf(changed).broadcast) await settleVoices(state)
  return true
}

export const leave: Act<'leave'> = async ({ state, identity, role }) => {
  // A room is never without an owner.
  if (role === 'owner') return false
  await dismiss(state, identity)
  return true
}

export const setRole: Act<'setRole'> = async ({ state, role }, { identity, role: number }) => {
  const wanted = roleOf(number)
  const member = await below(state, role, identity)
  if (member === undefined || wanted === undefined || isAtLeast(wanted, role)) return false
  await changeMember(state, { ...member, role: number })
  return true
}

export const remove: Act<'remove'> = async ({ state, role }, { identity, ban }) => {
  if (ban) return banish(state, role, identity)
  if ((await below(state, role, identity)) === undefined) return false
  await dismiss(state, identity)
  return true
}

/** Also of who has left, perhaps because a ban was coming: so nobody escapes it. */
async function banish(state: AuthorityState, role: Role, identity: Uint8Array): Promise<boolean> {
  const [member, ban] = [await state.member(identity), await state.ban(identity)]
  const theirs = member === null ? undefined : roleOf(member.role)
  if (member === null || (theirs !== undefined && isAtLeast(theirs, role))) return false
  if (ban !== null && ban.role >= roleNumber(role)) return false
  await dismiss(state, identity)
  await state.put('bans', { identity, role: roleNumber(role) })
  return true
}

export const mute: Act<'mute'> = async ({ state, role }, { identity, muted }) => {
  const member = await below(state, role, identity)
  if (member === undefined) return false
  await state.put('members', { ...member, muted })
  return true
}

/** Nobody lifts a ban of somebody above. */
export const unban: Act<'unban'> = async ({ state, role }, { identity }) => {
  const ban = await state.ban(identity)
  if (ban === null || ban.role > roleNumber(role)) return false
  await state.unban(identity)
  return true
}

export const transfer: Act<'transfer'> = async ({ state, identity: owner }, { identity: heir }) => {
  const from = await state.member(owner)
  const to = await below(state, 'owner', heir)
  if (from === null || to === undefined) return false
  await state.put('members', { ...from, role: roleNumber('admin') })
  // Nobody could lift it from an owner.
  await changeMember(state, { ...to, role: roleNumber('owner'), muted: false })
  return true
}

/** Signed by the identity itself, so that any member may bring it. What the device has certified goes with it. */
export const revokeDevice: Act<'revokeDevice'> = async ({ state }, { identity, device, epoch }) => {
  const member = await state.member(identity)
  if (member === null) return false
  for (const row of await state.devicesOf(identity)) {
    const isTheirs = equalBytes(row.device, device) || (row.issuer && equalBytes(row.issuer, device))
    if (isTheirs) await state.put('devices', { ...row, removed: true })
  }
  await state.put('members', { ...member, minEpoch: Math.max(member.minEpoch ?? 0, epoch) })
  return true
}

/**
 * Proven by the writer's own key, so that any member may bring it. The device goes, not the person: it
 * may as well be one that was restored from an old copy of its folder.
 */
export const equivocation: Act<'equivocation'> = async ({ state }, { writer }) => {
  const row = await state.device(writer)
  if (row === null) return false
  await state.put('devices', { ...row, removed: true, forked: true })
  return true
}

/** The most collections of app data in a room: only admins make them. */
export const MAX_COLLECTIONS = 64

/** Nobody says who may write where they may not write themselves, before or after. */
export const collection: Act<'collection'> = async ({ state, role }, { id, role: number }) => {
  const wanted = roleOf(number)
  if (wanted === undefined || !isAtLeast(role, wanted)) return false
  const found = await state.collection(id)
  if (found === null && (await state.collections()).length >= MAX_COLLECTIONS) return false
  if (found !== null && found.role > roleNumber(role)) return false
  await state.put('collections', { id, role: number })
  return true
}

/** The member row of an identity whose role is below `role`. */
async function below(state: AuthorityState, role: Role, identity: Uint8Array) {
  const member = await state.member(identity)
  const theirs = member === null ? undefined : roleOf(member.role)
  return member === null || theirs === undefined || isAtLeast(theirs, role) ? undefined : member
}

/** Gives a member another role, by which its devices may be heard, or not be heard any more. */
async function changeMember(state: AuthorityState, member: MemberRow): Promise<void> {
  await state.put('members', member)
  await settleVoice(state, member)
}

/** Ends a membership. The rows stay, because what the member wrote stays the member's. */
async function dismiss(state: AuthorityState, identity: Uint8Array): Promise<void> {
  const member = await state.member(identity)
  if (member !== null) await state.put('members', { ...member, role: NO_ROLE })
  for (const row of await state.devicesOf(identity)) await state.put('devices', { ...row, removed: true })
}

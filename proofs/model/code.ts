import type { Action } from '../../packages/rooms/src/internal/authority/action.js'
import type { Entry, resolve } from '../../packages/rooms/src/internal/authority/resolve.js'
import type { MemoryState } from '../../packages/rooms/src/internal/authority/state.js'
import { indexersIn } from '../../packages/rooms/src/internal/authority/indexers.js'
import { rulesOf, writeRules } from '../../packages/rooms/src/internal/room-rules.js'
import { FOUNDER, type ModelState, type Op, type Seen, type Want } from './ops.js'
import { indexing, isSilent } from './step.js'

export type Resolve = typeof resolve

const KEY_BYTES = 32
const keys = new Map<string, Uint8Array>()

/** A name as a key: the same name gives the same bytes. */
function keyOf(name: string): Uint8Array {
  let key = keys.get(name)
  if (key === undefined) {
    key = new Uint8Array(KEY_BYTES)
    key.set(new TextEncoder().encode(name))
    keys.set(name, key)
  }
  return key
}

function nameOf(key: Uint8Array): string {
  return new TextDecoder().decode(key).replaceAll('\0', '')
}

/** The entry that the room would make of an op, were its signatures genuine. */
export function entryOf({ writer, length, sentAt, want }: Op, position: number): Entry {
  const bytes = new TextEncoder().encode(`${writer}/${length}`)
  const author = { writer: keyOf(writer), position, isFounder: writer === FOUNDER, sentAt, bytes }
  return { author, length, action: actionOf(want, writer) }
}

function actionOf(want: Want, writer: string): Action {
  switch (want.type) {
    case 'create':
      return { type: 'create', claimant: claimant(want.identity, want.device, 0), history: 1 }
    case 'admit': {
      const { invite, isForged, isApproved, role } = want
      const shown = invite === undefined ? {} : isApproved ? { approved: keyOf(invite) } : { invite: shownOf(invite, isForged) }
      return {
        type: 'admit',
        claimant: claimant(want.identity, want.device, want.epoch),
        writer: keyOf(want.writer),
        role,
        ...shown
      }
    }
    case 'addDevice': {
      const { identity, device, epoch, issuer } = want
      const certified = { ...claimant(identity, device, epoch), ...(issuer !== undefined && { issuer: keyOf(issuer) }) }
      return { type: 'addDevice', claimant: certified, writer: keyOf(want.writer) }
    }
    case 'enter': {
      const { identity, device, epoch, invite, isForged } = want
      return { type: 'enter', claimant: claimant(identity, device, epoch), writer: keyOf(writer), invite: shownOf(invite, isForged) }
    }
    case 'invite': {
      const { role, uses, expiresAt, invitee } = want
      const limits = { uses: uses ?? null, expiresAt: expiresAt ?? null, invitee: invitee === undefined ? null : keyOf(invitee), approval: want.needsApproval, public: want.isPublic }
      return { type: 'invite', invite: { id: keyOf(want.invite), publicKey: keyOf(want.invite), role, ...limits } }
    }
    case 'revokeInvite':
      return { type: 'revokeInvite', invite: keyOf(want.invite) }
    case 'rules':
      return { type: 'rules', rules: writeRules({ broadcast: want.broadcast }) }
    case 'settings':
    case 'mirrors':
    case 'leave':
      return { type: want.type }
    case 'setRole':
      return { type: 'setRole', identity: keyOf(want.identity), role: want.role, seen: seenOf(want.seen) }
    case 'remove':
      return { type: 'remove', identity: keyOf(want.identity), ban: want.ban, seen: seenOf(want.seen) }
    case 'mute':
      return { type: 'mute', identity: keyOf(want.identity), muted: want.muted }
    case 'unban':
    case 'transfer':
      return { type: want.type, identity: keyOf(want.identity) }
    case 'revokeDevice':
      return { type: 'revokeDevice', identity: keyOf(want.identity), device: keyOf(want.device), epoch: want.epoch }
    case 'equivocation':
      return { type: 'equivocation', writer: keyOf(want.writer) }
    case 'indexers':
      return { type: 'indexers', writers: want.writers.map(keyOf) }
  }
}

function shownOf(invite: string, isForged: boolean) {
  return { id: keyOf(invite), publicKey: keyOf(isForged ? 'forged' : invite) }
}

function claimant(identity: string, device: string, epoch: number) {
  return { identity: keyOf(identity), device: keyOf(device), box: keyOf(device), epoch, isDirect: false }
}

function seenOf(seen: Seen) {
  return [...seen].map(([writer, length]) => ({ writer: keyOf(writer), length }))
}

/** A state in one text, the same for the same state: the code's … */
export async function describeCode(state: MemoryState): Promise<string> {
  const lines: string[] = []
  const indexers = (await indexersIn(state)).map(nameOf).join()
  for (const { settings, mirrors, rules, indexers: named } of state.rows('room').values()) {
    lines.push(`indexers ${(named ?? []).map(nameOf).join()} now ${indexers}`)
    lines.push(`room ${settings ? nameOf(settings) : ''} ${mirrors ? nameOf(mirrors) : ''} ${rulesOf({ rules: rules ?? null }).broadcast}`)
  }
  for (const { identity, role, muted, minEpoch, namings } of state.rows('members').values()) {
    lines.push(`member ${nameOf(identity)} ${role} ${muted === true} ${minEpoch ?? 0} ${namings ?? 0}`)
  }
  for (const { writer, device, identity, removed, forked, issuer, silent } of state.rows('devices').values()) {
    lines.push(`device ${nameOf(writer)} ${nameOf(device)} ${nameOf(identity)} ${removed === true} ${forked === true} ${issuer ? nameOf(issuer) : ''} ${!removed && silent === true}`)
  }
  for (const { identity, role } of state.rows('bans').values()) lines.push(`ban ${nameOf(identity)} ${role}`)
  for (const { id, author, role, used, uses, expiresAt, revoked, invitee, approval, public: isPublic } of state.rows('invites').values()) {
    const limits = `${uses || 0} ${expiresAt || 0} ${invitee ? nameOf(invitee) : ''}`
    lines.push(`invite ${nameOf(id)} ${nameOf(author)} ${role} ${used} ${limits} ${revoked === true} ${approval} ${isPublic}`)
  }
  return lines.sort().join('\n')
}

/** … and the model's. */
export function describeModel(state: ModelState): string {
  const { founded, settings, mirrors, isBroadcast, members, devices, bans, invites } = state
  const lines: string[] = founded
    ? [`room ${settings ?? ''} ${mirrors ?? ''} ${isBroadcast}`, `indexers ${state.indexers.join()} now ${indexing(state).join()}`]
    : []
  for (const [name, { role, muted, minEpoch, namings }] of members) {
    lines.push(`member ${name} ${role} ${muted} ${minEpoch} ${namings}`)
  }
  for (const [writer, { device, identity, isRemoved, isForked, issuer }] of devices) {
    lines.push(`device ${writer} ${device} ${identity} ${isRemoved} ${isForked === true} ${issuer ?? ''} ${isSilent(state, writer)}`)
  }
  for (const [name, role] of bans) lines.push(`ban ${name} ${role}`)
  for (const [id, { author, role, used, uses, expiresAt, isRevoked, invitee, needsApproval, isPublic }] of invites) {
    lines.push(`invite ${id} ${author} ${role} ${used} ${uses ?? 0} ${expiresAt ?? 0} ${invitee ?? ''} ${isRevoked} ${needsApproval} ${isPublic}`)
  }
  return lines.sort().join('\n')
}

import hypercoreCrypto from 'hypercore-crypto'
import { equalBytes } from '@covey/core'
import { decodeCertificate, verifyRevocation } from '@covey/identity'
import { isEquivocation } from '../equivocation.js'
import { claimantOf, verifyClaim, type Claim, type Claimant } from '../claim.js'
import { isReceipt } from '../invite-keys.js'
import { mapKey } from '../map-key.js'
import { isTime, OpType, type Op } from '../op.js'
import { isRule, type Rule } from '../room-rules.js'
import { decodeStruct, type Structs } from '../structs.js'

/** What an op wants to change about who may do what. Well-formed, but not yet allowed. */
export type Action =
  | { readonly type: 'create'; readonly claimant: Claimant; readonly history: number; readonly peer?: Uint8Array }
  | AdmitAction
  | EnterAction
  | AddDeviceAction
  | { readonly type: 'invite'; readonly invite: Structs['invite'] }
  | { readonly type: 'revokeInvite'; readonly invite: Uint8Array }
  | { readonly type: 'settings' }
  | { readonly type: 'mirrors' }
  | { readonly type: 'rules'; readonly rules: readonly Rule[] }
  | { readonly type: 'leave' }
  | { readonly type: 'setRole'; readonly identity: Uint8Array; readonly role: number; readonly seen: Seen }
  | { readonly type: 'remove'; readonly identity: Uint8Array; readonly ban: boolean; readonly seen: Seen }
  | { readonly type: 'mute'; readonly identity: Uint8Array; readonly muted: boolean }
  | { readonly type: 'unban'; readonly identity: Uint8Array }
  | { readonly type: 'transfer'; readonly identity: Uint8Array }
  | { readonly type: 'revokeDevice'; readonly identity: Uint8Array; readonly device: Uint8Array; readonly epoch: number }
  | { readonly type: 'equivocation'; readonly writer: Uint8Array }
  | { readonly type: 'collection'; readonly id: Uint8Array; readonly role: number }
  | { readonly type: 'indexers'; readonly writers: readonly Uint8Array[] }

/** Somebody is let in: by an invite, which they have shown to hold, by approval, or by the author alone. */
export interface AdmitAction {
  readonly type: 'admit'
  readonly claimant: Claimant
  readonly writer: Uint8Array
  readonly role: number
  readonly invite?: ShownInvite
  /** The id of the invite that the author approves the use of. */
  readonly approved?: Uint8Array
}

/** Somebody comes in by themselves, by a public invite, which they have shown to hold. */
export interface EnterAction {
  readonly type: 'enter'
  readonly claimant: Claimant
  readonly writer: Uint8Array
  readonly invite: ShownInvite
}

/** Another device of the author's own person comes in. */
export interface AddDeviceAction {
  readonly type: 'addDevice'
  readonly claimant: Claimant
  readonly writer: Uint8Array
}

/** An invite whose secret somebody has shown to hold. */
export type ShownInvite = Pick<Structs['invite'], 'id' | 'publicKey'>

/** How far the author had read each writer of the person that it acts on. */
export type Seen = Structs['remove']['seen']

/** How many rules one op sets at most: more than there are. */
const MAX_RULES = 16

type Parser = (op: Op, payload: Uint8Array, context: ParseContext) => Action | undefined

export interface ParseContext {
  /** The room's discovery key. */
  readonly room: Uint8Array
  readonly writer: Uint8Array
  /** `false` for an op whose signatures were verified before: it costs most of the work. */
  readonly verify: boolean
}

/** The ops that are about authority, and how they are read. */
const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [OpType.create, parseCreate],
  [OpType.admit, parseAdmit],
  [OpType.enter, parseEnter],
  [OpType.addDevice, parseAddDevice],
  [
    OpType.invite,
    (_, payload) => {
      const invite = decodeStruct('invite', payload)
      return invite && isTime(invite.expiresAt ?? 0) ? { type: 'invite', invite } : undefined
    }
  ],
  [OpType.revokeInvite, ({ header }) => (header.target ? { type: 'revokeInvite', invite: header.target } : undefined)],
  [OpType.settings, () => ({ type: 'settings' })],
  [OpType.mirrors, () => ({ type: 'mirrors' })],
  [OpType.rules, parseRules],
  [OpType.leave, () => ({ type: 'leave' })],
  [
    OpType.setRole,
    (_, payload) => {
      const change = decodeStruct('set-role', payload)
      return change && { type: 'setRole', ...change }
    }
  ],
  [
    OpType.remove,
    (_, payload) => {
      const removal = decodeStruct('remove', payload)
      return removal && { ...removal, type: 'remove', ban: removal.ban === true }
    }
  ],
  [
    OpType.mute,
    (_, payload) => {
      const mute = decodeStruct('mute', payload)
      return mute && { type: 'mute', identity: mute.identity, muted: mute.muted === true }
    }
  ],
  [
    OpType.unban,
    (_, payload) => {
      const unban = decodeStruct('unban', payload)
      return unban && { type: 'unban', identity: unban.identity }
    }
  ],
  [
    OpType.transfer,
    (_, payload) => {
      const transfer = decodeStruct('transfer', payload)
      return transfer && { type: 'transfer', identity: transfer.identity }
    }
  ],
  [OpType.revokeDevice, parseRevokeDevice],
  [OpType.equivocation, parseEquivocation],
  [
    OpType.collection,
    (_, payload) => {
      const collection = decodeStruct('collection', payload)
      return collection && { type: 'collection', ...collection }
    }
  ],
  [OpType.indexers, parseIndexers]
])

export function isAuthority({ header }: Op): boolean {
  return PARSERS.has(header.type)
}

/** The action of an op, or `undefined` if it is malformed or a signature in it is not genuine. */
export function parseAction(op: Op, context: ParseContext): Action | undefined {
  return PARSERS.get(op.header.type)?.(op, op.header.payload ?? EMPTY, context)
}

function parseCreate(op: Op, payload: Uint8Array, context: ParseContext): Action | undefined {
  const create = decodeStruct('create', payload)
  if (create === undefined || (create.history !== 1 && create.history !== 2)) return undefined
  const claimant = readClaim(context.writer, create, op.header.sentAt, context)
  const { history, peer } = create
  return claimant && { type: 'create', claimant, history, ...(peer && { peer }) }
}

function parseAdmit(op: Op, payload: Uint8Array, context: ParseContext): Action | undefined {
  const admit = decodeStruct('admit', payload)
  const request = admit && decodeStruct('join-request', admit.request)
  if (admit === undefined || request === undefined) return undefined
  const { writer } = request
  const { role, receipt, approved } = admit
  if (receipt && context.verify && !isReceipt(receipt, admit.request)) return undefined
  const claimant = readClaim(writer, request, op.header.sentAt, context)
  const invite = receipt && { invite: shownBy(receipt) }
  return claimant && { type: 'admit', claimant, writer, role, ...invite, ...(approved && { approved }) }
}

function parseEnter(op: Op, payload: Uint8Array, context: ParseContext): Action | undefined {
  const enter = decodeStruct('enter', payload)
  const request = enter && decodeStruct('join-request', enter.request)
  // Nobody comes in with the core of another.
  if (enter === undefined || request === undefined || !equalBytes(request.writer, context.writer)) return undefined
  if (context.verify && !isReceipt(enter.receipt, enter.request)) return undefined
  const claimant = readClaim(context.writer, request, op.header.sentAt, context)
  return claimant && { type: 'enter', claimant, writer: context.writer, invite: shownBy(enter.receipt) }
}

function parseAddDevice(op: Op, payload: Uint8Array, context: ParseContext): Action | undefined {
  const added = decodeStruct('add-device', payload)
  const request = added && decodeStruct('join-request', added.request)
  if (request === undefined) return undefined
  const { writer } = request
  const claimant = readClaim(writer, request, op.header.sentAt, context)
  return claimant && { type: 'addDevice', claimant, writer }
}

function shownBy({ invite: id, publicKey }: Structs['receipt']): ShownInvite {
  return { id, publicKey }
}

function readClaim(
  writer: Uint8Array,
  claim: Claim,
  atMs: number,
  { room, verify }: ParseContext
): Claimant | undefined {
  if (verify) return verifyClaim(room, writer, claim, atMs)
  const certificate = decodeCertificate(claim.certificate)
  if (!certificate.ok) return undefined
  return claimantOf(certificate.value, claim.direct)
}

function parseRevokeDevice(_: Op, payload: Uint8Array, { verify }: ParseContext): Action | undefined {
  const claimed = decodeStruct('revoke-device', payload)
  if (claimed === undefined) return undefined
  const { identity, device } = claimed
  const revocation = verifyRevocation(claimed.revocation, { identity })
  if (!revocation.ok || (verify && !equalBytes(revocation.value.device, device))) return undefined
  return { type: 'revokeDevice', identity, device, epoch: revocation.value.epoch }
}

function parseRules(_: Op, payload: Uint8Array): Action | undefined {
  const rules = decodeStruct('rules', payload)?.rules
  if (rules === undefined || rules.length === 0 || rules.length > MAX_RULES) return undefined
  return rules.every(isRule) ? { type: 'rules', rules } : undefined
}

/** Two would need each other: whichever sleeps, nothing is signed. */
function parseIndexers(_: Op, payload: Uint8Array): Action | undefined {
  const writers = decodeStruct('indexers', payload)?.writers
  if (writers === undefined || (writers.length !== 1 && writers.length !== 3)) return undefined
  return new Set(writers.map(mapKey)).size === writers.length ? { type: 'indexers', writers } : undefined
}

function parseEquivocation(_: Op, payload: Uint8Array, { room, verify }: ParseContext): Action | undefined {
  const proof = decodeStruct('equivocation', payload)
  // The order itself hangs on the founder's core: to remove its device would end the room and heal nothing.
  if (proof === undefined || equalBytes(hypercoreCrypto.discoveryKey(proof.writer), room)) return undefined
  return verify && !isEquivocation(proof) ? undefined : { type: 'equivocation', writer: proof.writer }
}

const EMPTY = new Uint8Array()

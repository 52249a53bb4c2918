import type { ApplyHost, AutobaseNode } from 'autobase'
import { equalBytes } from '@covey/core'
import { isAtLeast, roleNumber, roleOf, type Role } from '../roles.js'
import { verifyClaim } from './claim.js'
import { decodeOp, opId, OpType, type Op } from './op.js'
import { SLOT_BYTES } from './slots.js'
import { decodeStruct } from './structs.js'
import type { DeviceRow, MetaRow, RoomView } from './view.js'

/** What `apply` touched since it was last asked: for the caches, never for the view. */
export interface Touched {
  /** The lowest order at which a message was written, or `Infinity`. */
  order: number
  /** Whether members, devices, epochs or grants were. */
  people: boolean
}

interface Context {
  readonly view: RoomView
  readonly host: ApplyHost
  readonly meta: MetaRow
  readonly touched: Touched
  readonly node: AutobaseNode
  readonly op: Op
  readonly id: Uint8Array
}

/** An op whose writer is a device of a member. */
interface AuthoredContext extends Context {
  readonly device: DeviceRow
  readonly role: Role
}

/**
 * Turns ops into rows, the same on every peer: nothing in here may look at a clock, a network, a
 * locale or a key, and nothing that an op contains may make it throw. What is not allowed is counted
 * and skipped. Applying an op twice changes nothing, because the rows of a writer's device say how
 * far that writer has been applied.
 */
export async function applyOps(
  nodes: readonly AutobaseNode[],
  view: RoomView,
  host: ApplyHost,
  touched: Touched
): Promise<void> {
  const meta = await view.meta()
  for (const node of nodes) {
    if (!(await applyOp(node, view, host, meta, touched))) meta.skipped++
  }
  await view.put('meta', meta)
  await view.db.flush()
}

async function applyOp(
  node: AutobaseNode,
  view: RoomView,
  host: ApplyHost,
  meta: MetaRow,
  touched: Touched
): Promise<boolean> {
  const writer = node.from.key
  const device = await view.device(writer)
  if (device !== null && node.length <= device.length) return true

  const op = decodeOp(node.value)
  const id = opId(host.discoveryKey, writer, node.value)
  const context = op === undefined ? undefined : { view, host, meta, touched, node, op, id }
  if (device === null) return context !== undefined && create(context)

  // A writer's ops form a chain. A link that is missing or doubled is the writer's doing.
  const linked = op !== undefined && sameBytes(op.header.previous, device.head)
  const accepted = context !== undefined && linked && (await applyAuthored({ ...context, device }))
  await view.put('devices', { ...device, length: node.length, head: id })
  return accepted
}

async function applyAuthored(context: Context & { device: DeviceRow }): Promise<boolean> {
  const member = await context.view.member(context.device.identity)
  const role = member === null ? undefined : roleOf(member.role)
  const rule = RULES.get(context.op.header.type)
  if (role === undefined || rule === undefined || !isAtLeast(role, rule.role)) return false
  return rule.apply({ ...context, role })
}

/** Who may do what, and what it does. See docs/protocol.md. */
const RULES: ReadonlyMap<number, { role: Role; apply: (context: AuthoredContext) => Promise<boolean> }> = new Map([
  [OpType.admit, { role: 'member', apply: admit }],
  [OpType.rotate, { role: 'member', apply: rotate }],
  [OpType.grant, { role: 'member', apply: grant }],
  [OpType.invite, { role: 'moderator', apply: invite }],
  [OpType.settings, { role: 'admin', apply: settings }],
  [OpType.profile, { role: 'reader', apply: profile }],
  [OpType.message, { role: 'member', apply: message }]
])

/** Only the writer after whom the room is named may found it, and only once. */
async function create({ view, host, node, op, id, touched }: Context): Promise<boolean> {
  if (op.header.type !== OpType.create || !equalBytes(node.from.key, host.key)) return false
  const payload = decodeStruct('create', op.header.payload ?? EMPTY)
  if (payload === undefined || (payload.history !== 1 && payload.history !== 2)) return false
  const { sentAt } = op.header
  const claim = verifyClaim(host.discoveryKey, node.from.key, payload, sentAt)
  if (claim === undefined) return false

  await view.put('room', { creator: claim.identity, createdAt: sentAt, history: payload.history })
  await view.put('members', { identity: claim.identity, role: roleNumber('owner'), joinedAt: sentAt })
  await view.put('devices', { writer: node.from.key, ...claim, length: node.length, head: id })
  touched.people = true
  return true
}

async function admit({ view, host, op, role, touched }: AuthoredContext): Promise<boolean> {
  const payload = decodeStruct('admit', op.header.payload ?? EMPTY)
  if (payload === undefined) return false
  const granted = roleOf(payload.role)
  if (granted === undefined || granted === 'owner') return false
  const claim = verifyClaim(host.discoveryKey, payload.writer, payload, op.header.sentAt)
  if (claim === undefined || (await view.device(payload.writer)) !== null) return false

  if (payload.invite) {
    const row = await view.invite(payload.invite)
    if (row === null || row.role !== payload.role) return false
    if (row.uses && row.used >= row.uses) return false
    if (row.expiresAt && op.header.sentAt >= row.expiresAt) return false
    await view.put('invites', { ...row, used: row.used + 1 })
  } else if (!isAtLeast(role, 'admin') || isAtLeast(granted, role)) {
    return false
  }

  // A second device of a member has the member's role, whatever the invite says.
  if ((await view.member(claim.identity)) === null) {
    await view.put('members', { identity: claim.identity, role: payload.role, joinedAt: op.header.sentAt })
  }
  await view.put('devices', { writer: payload.writer, ...claim, length: 0 })
  await host.addWriter(payload.writer, { indexer: false })
  touched.people = true
  return true
}

async function rotate({ view, node, op, id, touched }: AuthoredContext): Promise<boolean> {
  const payload = decodeStruct('rotate', op.header.payload ?? EMPTY)
  if (payload === undefined || payload.slots.length % SLOT_BYTES !== 0) return false
  const [newest] = await view.epochs(1)
  // Of concurrent ones each follows the same newest; a number from the future would win for ever.
  const highest = (newest?.lamport ?? 0) + 1
  if (payload.lamport < 1 || payload.lamport > highest) return false
  await view.put('epochs', { lamport: payload.lamport, id, writer: node.from.key, rotate: op.header.payload! })
  touched.people = true
  return true
}

async function grant({ view, node, op, id, touched }: AuthoredContext): Promise<boolean> {
  const payload = decodeStruct('grant', op.header.payload ?? EMPTY)
  const epoch = op.header.target
  if (payload === undefined || !epoch || (await view.epoch(epoch)) === null) return false
  await view.put('grants', {
    epoch,
    device: payload.device,
    id,
    writer: node.from.key,
    grant: op.header.payload!
  })
  touched.people = true
  return true
}

async function invite({ view, op, device, role }: AuthoredContext): Promise<boolean> {
  const payload = decodeStruct('invite', op.header.payload ?? EMPTY)
  const granted = payload === undefined ? undefined : roleOf(payload.role)
  if (payload === undefined || granted === undefined || isAtLeast(granted, role)) return false
  if ((await view.invite(payload.id)) !== null) return false
  await view.put('invites', { ...payload, author: device.identity, used: 0 })
  return true
}

async function settings({ view, node }: AuthoredContext): Promise<boolean> {
  const room = await view.room()
  if (room === null) return false
  await view.put('room', { ...room, settingsWriter: node.from.key, settings: node.value })
  return true
}

async function profile({ view, node, device, touched }: AuthoredContext): Promise<boolean> {
  const member = await view.member(device.identity)
  if (member === null) return false
  await view.put('members', { ...member, profileWriter: node.from.key, profile: node.value })
  touched.people = true
  return true
}

async function message({ view, node, id, meta, touched }: AuthoredContext): Promise<boolean> {
  const order = meta.messages++
  await view.put('messages', { order, id, writer: node.from.key, op: node.value })
  touched.order = Math.min(touched.order, order)
  return true
}

function sameBytes(a: Uint8Array | null | undefined, b: Uint8Array | null | undefined): boolean {
  return a && b ? equalBytes(a, b) : !a && !b
}

const EMPTY = new Uint8Array()

import type { ApplyHost, AutobaseNode } from 'autobase'
import { equalBytes } from '@covey/core'
import { isAtLeast, roleOf, type Role } from '../roles.js'
import { isAuthority, parseAction, type Action } from './authority/action.js'
import { perform } from './authority/rules.js'
import { resolve, seenLengths, takesAuthority, type Entry } from './authority/resolve.js'
import { createViewState, writeState } from './authority/view-state.js'
import { decodeOp, opId, OpType, type Op } from './op.js'
import { readGrants, SLOT_BYTES } from './slots.js'
import { decodeStruct } from './structs.js'
import type { AuthorityRow, DeviceRow, MemberRow, MetaRow, RoomView } from './view.js'
import { mapKey } from './map-key.js'

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

/**
 * Turns ops into rows, the same on every peer: nothing in here may look at a clock, a network, a
 * locale or a key, and nothing that an op contains may make it throw. What is not allowed is counted
 * and skipped. Applying an op twice changes nothing, because the view knows how far each writer has
 * been applied.
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
  const applied = await view.writer(writer)
  if (applied !== null && node.length <= applied.length) return true

  const op = decodeOp(node.value)
  const id = opId(host.discoveryKey, writer, node.value)
  await view.put('writers', { writer, length: node.length, head: id })
  // A writer's ops form a chain. A link that is missing or doubled is the writer's doing.
  if (op === undefined || !sameBytes(op.header.previous, applied?.head)) return false

  const context = { view, host, meta, touched, node, op, id }
  return isAuthority(op) ? applyAuthority(context) : applyContent(context)
}

async function applyAuthority({ view, host, meta, touched, node, op }: Context): Promise<boolean> {
  const writer = node.from.key
  const action = parseAction(op, { room: host.discoveryKey, writer, verify: true })
  if (action === undefined) return false
  const row = { position: meta.authority++, writer, length: node.length, op: node.value }
  await view.put('authority', row)

  const entry = toEntry(host, row, op, action)
  const unseen = takesAuthority(action) && (await hasUnseen(view, action))
  if (!(await perform(createViewState(view, host), entry.author, action))) return false
  if (unseen) await writeState(view, host, await resolve(await allEntries(view, host)))
  touched.people = true
  return true
}

/** Whether the view knows more of somebody than who takes authority from them had seen. */
async function hasUnseen(view: RoomView, action: Extract<Action, { identity: Uint8Array }>): Promise<boolean> {
  const seen = seenLengths('seen' in action ? action.seen : [])
  for (const { writer } of await view.devicesOf(action.identity)) {
    const applied = (await view.writer(writer))?.length ?? 0
    if (applied > (seen.get(mapKey(writer)) ?? 0)) return true
  }
  return false
}

async function allEntries(view: RoomView, host: ApplyHost): Promise<Entry[]> {
  return (await view.all('authority')).flatMap((row) => {
    const op = decodeOp(row.op)
    const action = op && parseAction(op, { room: host.discoveryKey, writer: row.writer, verify: false })
    // Only what has been parsed once is in there.
    return op && action ? [toEntry(host, row, op, action)] : []
  })
}

function toEntry(host: ApplyHost, { position, writer, length, op: bytes }: AuthorityRow, op: Op, action: Action): Entry {
  const { sentAt } = op.header
  const isFounder = equalBytes(writer, host.key)
  return { author: { writer, position, isFounder, sentAt, bytes }, length, action }
}

/** An op of a member, about anything but authority. */
interface ContentContext extends Context {
  readonly device: DeviceRow
  readonly member: MemberRow
}

interface ContentRule {
  readonly least: Role
  readonly apply: (context: ContentContext) => Promise<boolean>
}

/** Who may write what else, and what becomes of it. */
const CONTENT_RULES: ReadonlyMap<number, ContentRule> = new Map<number, ContentRule>([
  [OpType.rotate, { least: 'reader', apply: rotate }],
  [OpType.grant, { least: 'reader', apply: grant }],
  [OpType.keyRequest, { least: 'reader', apply: keyRequest }],
  [OpType.profile, { least: 'reader', apply: profile }],
  [OpType.message, { least: 'member', apply: message }]
])

async function applyContent(context: Context): Promise<boolean> {
  const { view, node, op } = context
  const device = await view.device(node.from.key)
  const member = device === null || device.removed ? null : await view.member(device.identity)
  const role = member === null ? undefined : roleOf(member.role)
  const rule = CONTENT_RULES.get(op.header.type)
  if (device === null || member === null || role === undefined || rule === undefined) return false
  return isAtLeast(role, rule.least) && rule.apply({ ...context, device, member })
}

async function rotate({ view, node, op, id, meta, touched }: ContentContext): Promise<boolean> {
  const payload = decodeStruct('rotate', op.header.payload ?? EMPTY)
  if (payload === undefined || payload.slots.length % SLOT_BYTES !== 0) return false
  const [newest] = await view.epochs(1)
  // Of concurrent ones each follows the same newest; a number from the future would win for ever.
  const highest = (newest?.lamport ?? 0) + 1
  if (payload.lamport < 1 || payload.lamport > highest) return false
  await view.put('epochs', {
    lamport: payload.lamport,
    id,
    writer: node.from.key,
    position: meta.authority,
    rotate: op.header.payload!
  })
  touched.people = true
  return true
}

async function grant({ view, op, id, touched }: ContentContext): Promise<boolean> {
  const payload = decodeStruct('grant', op.header.payload ?? EMPTY)
  const slots = payload && readGrants(payload.slots)
  const epoch = op.header.target
  if (slots === undefined || !epoch || (await view.epoch(epoch)) === null) return false
  for (const { writer, sealed } of slots) {
    const recipient = await view.device(writer)
    if (recipient === null || recipient.removed) continue
    await view.put('grants', { epoch, writer, id, ephemeral: payload!.ephemeral, sealed })
    await view.delete('key-requests', { epoch, writer })
    touched.people = true
  }
  return true
}

/** A device that cannot open what it was given says so: then what it was given counts for nothing. */
async function keyRequest({ view, node, op, touched }: ContentContext): Promise<boolean> {
  const epoch = op.header.target
  if (!epoch || (await view.epoch(epoch)) === null) return false
  const writer = node.from.key
  for (const row of await view.grants(epoch, writer)) await view.delete('grants', row)
  await view.put('key-requests', { epoch, writer })
  touched.people = true
  return true
}

async function profile({ view, node, device, touched }: ContentContext): Promise<boolean> {
  await view.put('profiles', { identity: device.identity, writer: node.from.key, op: node.value })
  touched.people = true
  return true
}

async function message({ view, node, id, meta, member, touched }: ContentContext): Promise<boolean> {
  if (member.muted) return false
  const order = meta.messages++
  await view.put('messages', { order, id, writer: node.from.key, op: node.value })
  touched.order = Math.min(touched.order, order)
  return true
}

function sameBytes(a: Uint8Array | null | undefined, b: Uint8Array | null | undefined): boolean {
  return a && b ? equalBytes(a, b) : !a && !b
}

const EMPTY = new Uint8Array()

import type { ApplyHost, AutobaseNode } from 'autobase'
import { equalBytes } from '@covey/core'
import { isAtLeast, roleOf, type Role } from '../roles.js'
import { ENTRY_RULES } from './apply/entries.js'
import type { RoomRules } from '../rules.js'
import { MESSAGE_RULES } from './apply/messages.js'
import { RECEIPT_RULES } from './apply/receipts.js'
import { REPORT_RULES } from './apply/reports.js'
import { isAuthority, parseAction, type Action } from './authority/action.js'
import { opensTo, refusalOf } from './authority/acts.js'
import { perform } from './authority/rules.js'
import { createResolver, seenLengths, takesAuthority, type Entry, type Resolver } from './authority/resolve.js'
import { settleIndexers } from './authority/indexers.js'
import { appliedOf, createViewState, writeState, type ViewRun } from './authority/view-state.js'
import { hasVoice } from './authority/voices.js'
import { declineKnocks, forgetKnocks, keepKnock } from './knocks.js'
import { mapKey } from './map-key.js'
import { decodeOp, opId, OpType, type Op } from './op.js'
import type { Flight } from './op-log.js'
import { profileVersion, profileVersionOf } from './people/tell-profile.js'
import { rotationOf } from './rotation.js'
import { rulesOf } from './room-rules.js'
import { readGrants } from './slots.js'
import { decodeStruct, type Structs } from './structs.js'
import type { AuthorityRow, DeviceRow, EpochRow, MemberRow, MetaRow, RoomView, WriterRow } from './view.js'

/** What `apply` touched since it was last asked: for the caches, never for the view. */
export interface Touched {
  /** The lowest order at which a message was written, or `Infinity`. */
  order: number
  /** Whether members, devices, epochs or grants were. */
  people: boolean
  /** The orders of messages that were edited or deleted. */
  readonly changed?: Set<number>
  /** This device's own ops that are being written. */
  readonly flight: Flight
}

/** What the ops of one call have in common. */
interface Run extends ViewRun {
  readonly touched: Touched
  /** Who is behind a writer; forgotten when authority changes. */
  readonly authors: Map<string, Author | undefined>
}

interface Context extends Run {
  readonly node: AutobaseNode
  readonly op: Op
  readonly id: Uint8Array
}

/** A member, by one of its devices. */
interface Author {
  readonly device: DeviceRow
  readonly member: MemberRow
  readonly role: Role
  /** Of the room, where the op stands. */
  readonly rules: RoomRules
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
  const run = { view, host, touched, meta: await view.meta(), writers: new Map(), authors: new Map() }
  for (const node of nodes) {
    if (!node.optimistic) await applyOp(node, run)
    // Of somebody who is not in, and alone. Nothing is written when it is refused: Autobase undoes the rest.
    else if (!(await applyEnter(node, run))) return
  }
  for (const row of run.writers.values()) await view.put('writers', row)
  await view.put('meta', run.meta)
  await view.db.flush()
}

async function applyOp(node: AutobaseNode, run: Run): Promise<void> {
  const writer = node.from.key
  const applied = await appliedOf(run, writer)
  if (applied !== null && node.length <= applied.length) return

  const op = decodeOp(node.value)
  const id = opId(run.host.discoveryKey, writer, node.value)
  run.writers.set(mapKey(writer), { ...applied, writer, length: node.length, head: id })
  // A writer's ops form a chain. A link that is missing or doubled is the writer's doing.
  const isLinked = op !== undefined && isNext(op, node.length, applied)
  const isAccepted = isLinked && (await applySound({ ...run, node, op, id }))
  if (!isAccepted) run.meta.skipped++
  const { flight } = run.touched
  if (flight.has(mapKey(id))) flight.set(mapKey(id), isAccepted)
}

/** An op of this size holds a claim and a receipt twice over; nobody who is not in writes anything else. */
const MAX_ENTER_BYTES = 2_048

async function applyEnter(node: AutobaseNode, run: Run): Promise<boolean> {
  const { view } = run
  const writer = node.from.key
  const op = node.value.length > MAX_ENTER_BYTES ? undefined : decodeOp(node.value)
  if (op === undefined || !(await mayEnter(op, writer, run))) return false
  const id = opId(run.host.discoveryKey, writer, node.value)
  const isAccepted = await applyAuthority({ ...run, node, op, id })
  // The chain of who comes in begins here, whatever is before it in the core.
  run.writers.set(mapKey(writer), { ...(await appliedOf(run, writer)), writer, length: node.length, head: id })
  // Where there is no place for it in the log, this one op is taken all the same.
  if (isAccepted && (await view.device(writer))?.silent) await run.host.ackWriter(writer)
  const { flight } = run.touched
  if (flight.has(mapKey(id))) flight.set(mapKey(id), isAccepted)
  return isAccepted
}

/** Looks at what costs little first: anybody who has the key of the room may have written this. */
async function mayEnter(op: Op, writer: Uint8Array, { view, host }: Run): Promise<boolean> {
  const action = parseAction(op, { room: host.discoveryKey, writer, verify: false })
  if (action?.type !== 'enter') return false
  const invite = await view.invite(action.invite.id)
  if (invite === null || !opensTo(invite, action.invite)) return false
  return (await refusalOf(view, invite, action.claimant.identity, op.header.sentAt)) === undefined
}

function applySound(context: Context): Promise<boolean> {
  return isAuthority(context.op) ? applyAuthority(context) : applyContent(context)
}

async function applyAuthority(context: Context): Promise<boolean> {
  const { view, host, meta, touched, node, op } = context
  const writer = node.from.key
  const action = parseAction(op, { room: host.discoveryKey, writer, verify: true })
  if (action === undefined) return false
  const place = { position: meta.authority, writer, length: node.length, op: node.value }
  const entry = toEntry(host, place, op, action)
  const unseen = takesAuthority(action) && (await hasUnseen(context, action))
  const isDone = await perform(createViewState(context), entry.author, action)
  // What is refused stays on record too, but for those at the door, who are many.
  if (isDone || action.type !== 'enter') {
    meta.authority++
    await view.put('authority', { ...place, refused: !isDone })
    context.writers.set(mapKey(writer), { length: 0, ...(await appliedOf(context, writer)), writer, acted: node.length })
  }
  if (!isDone) return false
  if (isEntry(action)) await forgetKnocks(view, action.writer)
  if (unseen) await resolveAnew(context)
  await settleIndexers(createViewState(context), host)
  context.authors.clear()
  touched.people = true
  return true
}

/** Makes the view what all ops about authority come to, where one of them makes others void. */
async function resolveAnew(run: Run): Promise<void> {
  const { view, host } = run
  const rows = await view.all('authority')
  const resolved = await resolverOf(view).resolve(toEntries(rows, host))
  await writeState(run, resolved)
  for (const [i, row] of rows.entries()) {
    const refused = !resolved.isDone[i]
    if (refused !== (row.refused === true)) await view.put('authority', { ...row, refused })
  }
}

/** Whether an action lets a device in. */
function isEntry(action: Action): action is Extract<Action, { type: 'admit' | 'enter' | 'addDevice' }> {
  return action.type === 'admit' || action.type === 'enter' || action.type === 'addDevice'
}

/** What is remembered of a view's history changes nothing of the answer: only how soon it is there. */
const resolvers = new WeakMap<RoomView, Resolver>()

function resolverOf(view: RoomView): Resolver {
  const resolver = resolvers.get(view) ?? createResolver()
  resolvers.set(view, resolver)
  return resolver
}

/** Whether the view knows of more that somebody did by authority than who takes it from them had seen: nothing else can become void. */
async function hasUnseen(run: Run, action: Extract<Action, { identity: Uint8Array }>): Promise<boolean> {
  const seen = seenLengths('seen' in action ? action.seen : [])
  for (const { writer } of await run.view.devicesOf(action.identity)) {
    const acted = (await appliedOf(run, writer))?.acted ?? 0
    if (acted > (seen.get(mapKey(writer)) ?? 0)) return true
  }
  return false
}

function toEntries(rows: readonly AuthorityRow[], host: ApplyHost): Entry[] {
  return rows.map((row) => {
    const op = decodeOp(row.op)!
    // Only what has been parsed once is in there.
    return toEntry(host, row, op, parseAction(op, { room: host.discoveryKey, writer: row.writer, verify: false })!)
  })
}

function toEntry(host: ApplyHost, { position, writer, length, op: bytes }: AuthorityRow, op: Op, action: Action): Entry {
  const { sentAt } = op.header
  const isFounder = equalBytes(writer, host.key)
  return { author: { writer, position, isFounder, sentAt, bytes }, length, action }
}

/** An op of a member, about anything but authority. */
export interface ContentContext extends Context, Author {}

export interface ContentRule {
  readonly least: Role
  readonly apply: (context: ContentContext) => Promise<boolean>
}

/** Who may write what else, and what becomes of it. */
const CONTENT_RULES: ReadonlyMap<number, ContentRule> = new Map<number, ContentRule>([
  [OpType.rotate, { least: 'reader', apply: rotate }],
  [OpType.keepEpoch, { least: 'reader', apply: keepEpoch }],
  [OpType.grant, { least: 'reader', apply: grant }],
  [OpType.keyRequest, { least: 'reader', apply: keyRequest }],
  [OpType.profile, { least: 'reader', apply: profile }],
  [OpType.knock, { least: 'member', apply: knock }],
  ...MESSAGE_RULES,
  ...REPORT_RULES,
  ...RECEIPT_RULES,
  ...ENTRY_RULES
])

async function applyContent(context: Context): Promise<boolean> {
  const author = await authorOf(context, context.node.from.key)
  const rule = CONTENT_RULES.get(context.op.header.type)
  if (author === undefined || rule === undefined || !isAtLeast(author.role, rule.least)) return false
  return rule.apply({ ...context, ...author })
}

async function authorOf({ view, authors }: Run, writer: Uint8Array): Promise<Author | undefined> {
  const name = mapKey(writer)
  if (!authors.has(name)) authors.set(name, await findAuthor(view, writer))
  return authors.get(name)
}

async function findAuthor(view: RoomView, writer: Uint8Array): Promise<Author | undefined> {
  const device = await view.device(writer)
  const member = device === null || !hasVoice(device) ? null : await view.member(device.identity)
  const role = member === null ? undefined : roleOf(member.role)
  return device === null || member === null || role === undefined ? undefined : { device, member, role, rules: rulesOf(await view.room()) }
}

async function rotate({ view, node, id, meta, touched }: ContentContext): Promise<boolean> {
  const rotation = rotationOf(node.value)
  const lamport = rotation?.lamport ?? 0
  if (lamport < 1 || lamport > (await nextLamport(view))) return false
  const kept = await view.epoch(id)
  if (kept !== null) await view.delete('epochs', kept)
  await putEpoch(view, { lamport, id, writer: node.from.key, position: meta.authority, op: node.value, removals: knownRemovals(rotation!, meta) }, rotation!)
  touched.people = true
  return true
}

/** With since when there is its key: slots are the same bytes wherever they are, and a later epoch may hold those of an earlier one. */
async function putEpoch(view: RoomView, row: EpochRow, { commitment }: Structs['rotate']): Promise<void> {
  await view.put('epochs', row)
  const first = await view.commitment(commitment)
  if (first === null || first.position > row.position) await view.put('commitments', { commitment, position: row.position })
}

/** How many of the removals before it the author of a rotation knew: no more than there were. */
function knownRemovals({ removals }: Structs['rotate'], meta: MetaRow): number {
  return Math.min(removals ?? 0, meta.removals ?? 0)
}

/** Of concurrent ones each follows the same newest; a number from the future would win for ever. */
async function nextLamport(view: RoomView): Promise<number> {
  const [newest] = await view.epochs(1)
  return (newest?.lamport ?? 0) + 1
}

/**
 * A rotation whose author was removed by somebody who did not know of it, where the order puts the
 * removal first: brought by somebody who has written under it, so that others can read that. It is the
 * epoch of who brings it; what they say of its author makes its id, and nothing else.
 */
async function keepEpoch({ view, node, op, host, meta, touched }: ContentContext): Promise<boolean> {
  const payload = decodeStruct('keep-epoch', op.header.payload ?? EMPTY)
  const rotation = payload && rotationOf(payload.op)
  if (rotation === undefined || rotation.lamport < 1) return false
  const { writer, op: bytes } = payload!
  const id = opId(host.discoveryKey, writer, bytes)
  if ((await view.epoch(id)) !== null) return false
  // Those it followed may be missing too.
  const lamport = Math.min(rotation.lamport, await nextLamport(view))
  // Who came after it may not have its key: who brings it knows when that was, and it was not later.
  const position = Math.min(payload!.position, meta.authority)
  await putEpoch(view, { lamport, id, writer: node.from.key, position, op: bytes, removals: knownRemovals(rotation, meta) }, rotation)
  touched.people = true
  return true
}

async function grant({ view, op, id, touched }: ContentContext): Promise<boolean> {
  const payload = decodeStruct('grant', op.header.payload ?? EMPTY)
  const slots = payload && readGrants(payload.slots)
  const epoch = op.header.target
  if (slots === undefined || !epoch || (await view.epoch(epoch)) === null) return false
  for (const { writer, sealed } of slots) {
    // Whoever it is: that somebody was given a key who is no member must be known to the members.
    await view.put('grants', { epoch, writer, id, ephemeral: payload!.ephemeral, sealed })
    await view.delete('key-requests', { epoch, writer })
    touched.people = true
  }
  return true
}

/** For how many epochs a device asks at a time: what nobody can answer is looked at by all, again and again. */
const MAX_KEY_REQUESTS = 64

/** A device that cannot open what it was given says so. That it was given something stays on record. */
async function keyRequest({ view, node, op, touched }: ContentContext): Promise<boolean> {
  const epoch = op.header.target
  if (!epoch || (await view.epoch(epoch)) === null) return false
  const writer = node.from.key
  // Asked already, and not answered yet: nothing new for anybody.
  if ((await view.keyRequest(epoch, writer)) !== null) return false
  if ((await view.keyRequestsOf(writer)).length >= MAX_KEY_REQUESTS) return false
  await view.put('key-requests', { epoch, writer })
  touched.people = true
  return true
}

/** The newest counts, wherever the order puts it; but for what a device has said that is out. */
async function profile({ view, node, op, device, touched }: ContentContext): Promise<boolean> {
  const version = profileVersionOf(op.header.payload)
  if (version === undefined) return false
  const known = await view.profile(device.identity)
  const by = known && (await view.device(known.writer))
  if (by && !by.removed && version <= profileVersion(known!.op)) return false
  await view.put('profiles', { identity: device.identity, writer: node.from.key, op: node.value })
  touched.people = true
  return true
}

async function knock({ view, node, op, role, touched }: ContentContext): Promise<boolean> {
  const payload = decodeStruct('knock', op.header.payload ?? EMPTY)
  if (payload === undefined) return false
  const { writer, invite } = payload
  const isKept = payload.declined
    ? isAtLeast(role, 'moderator') && (await declineKnocks(view, writer, invite))
    : await keepKnock(view, { writer, invite, author: node.from.key, op: node.value })
  if (isKept) touched.people = true
  return isKept
}

/** Whether an op follows the last one of its writer; what comes after those that were not read begins anew. */
function isNext({ header: { previous } }: Op, length: number, applied: WriterRow | null): boolean {
  if (applied === null && length === 1) return !previous
  return !applied?.head || (!!previous && equalBytes(previous, applied.head))
}

const EMPTY = new Uint8Array()

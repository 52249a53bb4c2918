import { equalBytes } from '@covey/core'
import { isAtLeast } from '../../roles.js'
import type { ContentContext, ContentRule } from '../apply.js'
import { forbiddenTo, isAllowed } from '../message-kinds.js'
import { decodeOp, encodeOp, OpType } from '../op.js'
import { decodeStruct } from '../structs.js'
import { countInARow, isPaced, keepsPace } from './pace.js'
import type { MessageRow, MessageStateRow, RoomView } from '../view.js'

/** How many versions of a message are kept: the first ones, and the newest. */
export const MAX_KEPT_EDITS = 64
/** How many reactions one person may have to a message. */
export const MAX_REACTIONS_BY_ONE = 16
/** How many a message may have: those of 256 people who react in every way. */
export const MAX_REACTIONS = 4_096
/** How many people vote about a message. */
const MAX_VOTES = 16_384
/** The most bytes of an op that reacts or votes: one with an emoji of 64 bytes has 250. */
export const MAX_REACT_OP_BYTES = 512
export const MAX_PINS = 100

/**
 * What becomes of messages. Of what is said about one that is deleted, or that is not there at this place
 * of the order, nothing becomes: who has seen a message comes after it. So the order settles whatever was
 * done at once, and a deletion lasts, because no op takes it back.
 */
export const MESSAGE_RULES: readonly (readonly [number, ContentRule])[] = [
  [OpType.message, { least: 'member', apply: voiced(message) }],
  [OpType.edit, { least: 'member', apply: voiced(about(edit)) }],
  [OpType.delete, { least: 'reader', apply: about(remove) }],
  [OpType.react, { least: 'member', apply: voiced(about(react)) }],
  [OpType.unreact, { least: 'reader', apply: about(unreact) }],
  [OpType.vote, { least: 'member', apply: voiced(about(vote)) }],
  [OpType.closeVote, { least: 'reader', apply: about(closeVote) }],
  [OpType.pin, { least: 'moderator', apply: voiced(about(pin)) }],
  [OpType.unpin, { least: 'moderator', apply: voiced(about(unpin)) }]
]

/** An op about a message that is there. */
interface AboutContext extends ContentContext {
  readonly row: MessageRow
  readonly state: MessageStateRow
}

/** Not for who is muted. */
export function voiced(apply: ContentRule['apply']): ContentRule['apply'] {
  return async (context) => !context.member.muted && apply(context)
}

function about(apply: (context: AboutContext) => Promise<boolean>): ContentRule['apply'] {
  return async (context) => {
    const { view, op } = context
    const row = op.header.target ? await view.message(op.header.target) : null
    if (row === null) return false
    const state = await stateOf(view, row.order)
    return !state.deletedBy && apply({ ...context, row, state })
  }
}

async function stateOf(view: RoomView, order: number): Promise<MessageStateRow> {
  return (await view.messageState(order)) ?? { order, edits: 0, reactions: 0, reacted: 0, replies: 0 }
}

async function message(context: ContentContext): Promise<boolean> {
  const { view, node, op, id, meta, device, touched } = context
  if (!isAllowed(op, forbiddenTo(context.role, context.rules)) || !(await takePace(context))) return false
  const order = meta.messages++
  // A thread of what is not there is none: the message is for the room, and is not lost.
  const root = op.header.target ? await rootOf(view, op.header.target) : null
  const thread = root && { thread: root.id }
  const author = { identity: device.identity, device: device.device }
  await view.put('messages', { order, id, writer: node.from.key, op: node.value, length: node.length, ...thread, ...author })
  touched.order = Math.min(touched.order, order)
  if (root === null) return true
  const state = await stateOf(view, root.order)
  await view.put('thread-messages', { root: root.order, order })
  await view.put('message-states', { ...state, replies: state.replies + 1 })
  return true
}

/** Whether slow mode lets the author write, who has done so then. */
async function takePace({ view, op, device, role, rules, meta }: ContentContext): Promise<boolean> {
  const { identity } = device
  const inARow = countInARow(meta, identity)
  const { sentAt } = op.header
  if (isPaced(rules, role)) {
    if (!keepsPace({ rules, role, inARow, pace: await view.pace(identity) }, sentAt)) return false
    await view.put('paces', { identity, sentAt })
  }
  Object.assign(meta, { speaker: identity, inARow: inARow + 1 })
  return true
}

/** Puts on record what somebody did to what another has said. */
async function record({ view, node, op, meta, row }: AboutContext): Promise<void> {
  const { type, sentAt } = op.header
  meta.acts = (meta.acts ?? 0) + 1
  await view.put('acts', { position: meta.authority, number: meta.acts, writer: node.from.key, type, target: row.id, sentAt })
}

/** The message that a thread begins with: one deep, so that what is in a thread begins none. */
async function rootOf(view: RoomView, id: Uint8Array): Promise<MessageRow | null> {
  const row = await view.message(id)
  return row?.thread ? view.message(row.thread) : row
}

async function edit(context: AboutContext): Promise<boolean> {
  const { view, node, op, row, state, role, rules, touched } = context
  if (!(await isOwn(context)) || !isAllowed(op, forbiddenTo(role, rules))) return false
  touched.changed?.add(row.order)
  const number = Math.min(state.edits, MAX_KEPT_EDITS - 1)
  await view.put('edits', { order: row.order, number, writer: node.from.key, op: node.value })
  await view.put('message-states', { ...state, edits: state.edits + 1 })
  return true
}

/** Leaves of a message that there was one, by whom and when, and nothing of what it said. */
async function remove(context: AboutContext): Promise<boolean> {
  const { view, node, row, state, touched } = context
  const isTheirs = await isOwn(context)
  if (!(await moderates(context)) && !isTheirs) return false
  if (!isTheirs) await record(context)
  const { order, writer } = row
  touched.changed?.add(order)
  const { sentAt } = decodeOp(row.op)!.header
  await view.put('messages', { ...row, op: encodeOp({ type: OpType.message, sentAt }) })
  for (const version of await view.edits(order)) await view.delete('edits', version)
  for (const reaction of await view.reactions(order)) await view.delete('reactions', reaction)
  for (const vote of await view.votes(order)) await view.delete('votes', vote)
  if (state.pinned) await view.delete('pins', { order, writer })
  const { reacted, replies } = state
  await view.put('message-states', { order, edits: 0, reactions: 0, reacted, replies, deletedBy: node.from.key })
  return true
}

/** Of two people in a direct room neither moderates the other. */
async function moderates({ view, role }: AboutContext): Promise<boolean> {
  return isAtLeast(role, 'moderator') && !(await view.room())?.peer
}

async function isOwn({ view, device, row }: AboutContext): Promise<boolean> {
  const author = await view.device(row.writer)
  return author !== null && equalBytes(author.identity, device.identity)
}

async function react({ view, node, id, device, row, state }: AboutContext): Promise<boolean> {
  if (node.value.length > MAX_REACT_OP_BYTES || state.reactions >= MAX_REACTIONS) return false
  const { order } = row
  const { identity } = device
  if ((await view.reactionsBy(order, identity)).length >= MAX_REACTIONS_BY_ONE) return false
  const position = state.reacted
  await view.put('reactions', { order, identity, id, position, writer: node.from.key, op: node.value })
  await view.put('message-states', { ...state, reactions: state.reactions + 1, reacted: position + 1 })
  return true
}

/** One's own alone: who reacted is in the key of the row. */
async function unreact({ view, op, device, row, state }: AboutContext): Promise<boolean> {
  const payload = decodeStruct('unreact', op.header.payload ?? new Uint8Array())
  const reaction = payload && (await view.reaction(row.order, device.identity, payload.reaction))
  if (!reaction) return false
  await view.delete('reactions', reaction)
  await view.put('message-states', { ...state, reactions: state.reactions - 1 })
  return true
}

/** A later vote takes the place of one's own before. What asks, and what may be chosen, is sealed: the reader judges that. */
async function vote({ view, node, device, row, state }: AboutContext): Promise<boolean> {
  if (state.closed || node.value.length > MAX_REACT_OP_BYTES) return false
  const { order } = row
  const { identity } = device
  const votes = state.votes ?? 0
  if ((await view.vote(order, identity)) === null) {
    if (votes >= MAX_VOTES) return false
    await view.put('message-states', { ...state, votes: votes + 1 })
  }
  await view.put('votes', { order, identity, writer: node.from.key, op: node.value })
  return true
}

/** What comes later in the order does not count any more; there is no other clock. */
async function closeVote(context: AboutContext): Promise<boolean> {
  const { view, state } = context
  const isTheirs = await isOwn(context)
  if (state.closed || (!isTheirs && !(await moderates(context)))) return false
  if (!isTheirs) await record(context)
  await view.put('message-states', { ...state, closed: true })
  return true
}

async function pin(context: AboutContext): Promise<boolean> {
  const { view, node, state } = context
  const { order } = context.row
  if (state.pinned || (await view.all('pins')).length >= MAX_PINS) return false
  await record(context)
  await view.put('pins', { order, writer: node.from.key })
  await view.put('message-states', { ...state, pinned: true })
  return true
}

async function unpin(context: AboutContext): Promise<boolean> {
  const { view, node, state } = context
  const { order } = context.row
  if (!state.pinned) return false
  await record(context)
  await view.delete('pins', { order, writer: node.from.key })
  await view.put('message-states', { ...state, pinned: false })
  return true
}

import type Autobase from 'autobase'
import { concatBytes, isCoveyError } from '@covey/core'
import { RoomError } from '../errors.js'
import { seal } from './crypto.js'
import { createRateLimit } from './guards/rate-limit.js'
import { MAX_BATCH_BLOCKS, MAX_BATCH_BYTES } from './guards/judge-block.js'
import { HEARD_RATE, MAX_SAID_OP_BYTES } from './lane/said.js'
import { mapKey } from './map-key.js'
import { encodeOp, isPlain, isTalk, opId, OpType, type OpTypeName } from './op.js'
import type { Made, Outbox, Unsent } from './outbox.js'
import { createPace } from './pace.js'
import { messageKey, stateKey, type EpochKey } from './slots.js'
import type { EpochRow, RoomView } from './view.js'

/** An op that is not written yet. */
export interface Draft {
  readonly type: OpTypeName
  readonly target?: Uint8Array
  /** The clear part that belongs to the type. */
  readonly payload?: Uint8Array
  /** The part for members only. */
  readonly body?: Uint8Array
  /** What to seal the body under. Default: the epoch of the append. */
  readonly epoch?: EpochKey
}

/** What is known only when ops are made. */
export interface Making {
  /** The ids of those before it in the same append. */
  readonly ids: readonly Uint8Array[]
  /** The room's present epoch, for an append that is under it. */
  readonly epoch: EpochKey | undefined
}

/** A draft, or a function that makes it. */
export type DraftSource = Draft | ((making: Making) => Draft)

/** What has to be written first, so that an epoch is one that only present members have. */
export interface EpochPlan {
  readonly drafts: readonly DraftSource[]
  /** @param ids of the drafts. */
  epoch(ids: readonly Uint8Array[]): EpochKey
  /** The epoch as the view has it, or is to have it when the drafts are written. */
  row(planned: readonly Made[]): EpochRow
}

/** An op that is durable and has been applied here. */
export interface Written {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
  /** Whether the room took it, as it knows itself at this moment. */
  readonly isAccepted: boolean
}

/** The ops that are being written, and whether `apply` took them. */
export type Flight = Map<string, boolean>

export interface AppendOptions {
  readonly underEpoch?: boolean
  readonly isStranger?: boolean
  readonly onmade?: (ops: readonly Made[]) => void
  readonly ondurable?: (ops: readonly Made[]) => void
}

/** This device's own ops in a room. */
export interface OpLog {
  /**
   * Writes ops, all or none, and resolves when they are durable and applied here. Messages that are
   * appended while something is being written are written together.
   *
   * @param underEpoch whether they are for the room's present epoch, which is looked up when nothing
   *   can come between: a message that follows a removal is never sealed for the removed.
   * @param isStranger whether this device is not in the room, and writes the one op that lets it in.
   * @param onmade called with the ops as they are about to be made durable; again, with others, where what was before them
   *   came to nothing.
   * @param ondurable called when the ops are durable before they are in this device's core, as messages
   *   mostly are.
   * @throws {RoomError} ROOM_CLOSED, ROOM_NOT_WRITABLE, ROOM_STORAGE_FAILED
   * @throws {TypeError} for more than others would read: an op of more than 96 KiB, or in one append more
   *   than 4,096 ops or 32 MiB. Nothing is written.
   */
  append(drafts: readonly DraftSource[], options?: AppendOptions): Promise<Written[]>
  /** Resolves when all that was durable by now has been applied, or will not be before the room is opened again. */
  settled(): Promise<void>
  /** Whether something is being made, or written. */
  isBusy(): boolean
}

/** The most blocks in one commit: a reader takes a batch as a whole, and so has to hold it. */
const MAX_COMMIT_OPS = 256

/** The most ops that wait to be written: those after them are made when there is room. */
const MAX_MADE_OPS = 1_024

/** How often the log is written while messages come that are durable, and with others, already: each time costs much the same. */
const COMMIT_INTERVAL_MS = 100
/** And how often while some come that others do not hear by the lane, because they are many, or large. */
const UNHEARD_INTERVAL_MS = 20

interface Pending {
  readonly drafts: readonly DraftSource[]
  readonly underEpoch: boolean
  readonly isStranger: boolean
  readonly onmade: ((ops: readonly Made[]) => void) | undefined
  readonly ondurable: ((ops: readonly Made[]) => void) | undefined
  readonly resolve: (written: Written[]) => void
  readonly reject: (error: unknown) => void
}

/** Ops that are made, and wait to be written. */
interface Commit {
  readonly ops: readonly Made[]
  /** Whether it may be written together with those before and after it. */
  readonly isPlain: boolean
  readonly isStranger: boolean
  readonly landed: () => void
  readonly failed: (reason: Error) => void
}

export interface OpLogInit {
  readonly base: Autobase<RoomView>
  readonly room: Uint8Array
  readonly flight: Flight
  readonly outbox: Outbox
  readonly planEpoch: () => Promise<EpochPlan>
  /** Called with each epoch that something was written under. */
  readonly onepoch: (epoch: EpochRow) => void
  /** Called with what is written after the append that it was for has failed. */
  readonly onrecovered: (written: readonly Written[]) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Ops are made one after another, each with the id of the one before, and are written as they are made:
 * messages while those before them are still being written, all else when nothing is.
 */
export function createOpLog({ base, room, flight, outbox, planEpoch, onepoch, onrecovered, now }: OpLogInit): OpLog {
  const writer = base.local.key
  const pending: Pending[] = []
  const made: Commit[] = []
  const pace = createPace(COMMIT_INTERVAL_MS, now)
  const heard = createRateLimit(HEARD_RATE)
  let making = false
  let writing: Promise<void> | undefined
  let recovering: Promise<unknown> | undefined
  /** When what was in the core at the start is in the view; what failed of it is told by the room. */
  let applied: Promise<unknown> | undefined
  /** The last op that was made; what is made after a failure follows what the core has. */
  let head: { id: Uint8Array | undefined } | undefined

  async function make(): Promise<void> {
    if (making) return
    making = true
    while (pending.length > 0) {
      const commit = takeCommit(pending)
      try {
        await makeCommit(commit)
      } catch (error) {
        const reason = appendError(base, error)
        for (const { reject } of commit) reject(reason)
      }
    }
    making = false
  }

  async function makeCommit(commit: readonly Pending[]): Promise<void> {
    if (head === undefined) {
      const recovered = idle().then(recover)
      recovering = recovered
      try {
        head = { id: await recovered }
      } finally {
        recovering = undefined
      }
    }
    const planNow = async (): Promise<EpochPlan | undefined> => (commit.some(({ underEpoch }) => underEpoch) ? planEpoch() : undefined)
    let plan = await planNow()
    const isPlain = commit.every(isMessages) && !plan?.drafts.length
    if (!isPlain) {
      await idle()
      plan = await planNow()
    }
    // Whether something failed meanwhile.
    if (head === undefined) return makeCommit(commit)
    const before = head
    const { planned, ops, last } = encodeCommit(commit, plan, before.id)
    const all = [...planned, ...ops.flat()]
    assertBatch(all)
    const during = (head = { id: last })
    commit.forEach(({ onmade }, i) => onmade?.(ops[i]!))
    const isDurable = isPlain && (await makeDurable(all, before.id))
    // What they name will not be in the core, or not now.
    if (head !== during) return outbox.remove(all), makeCommit(commit)
    if (isDurable) commit.forEach(({ ondurable }, i) => ondurable?.(ops[i]!))
    made.push({
      ops: all,
      isPlain,
      isStranger: commit[0]!.isStranger,
      landed() {
        if (plan !== undefined) onepoch(plan.row(planned))
        planned.forEach(land)
        commit.forEach(({ resolve }, i) => resolve(ops[i]!.map(land)))
      },
      failed: (reason) => commit.forEach(({ reject }) => reject(reason))
    })
    writing ??= write()
    // Who is told of nothing before it is written waits for it.
    if (commit.some(({ ondurable }) => ondurable === undefined)) void pace.hurry(writing)
    else if (!all.every(({ bytes }) => bytes.length <= MAX_SAID_OP_BYTES && heard.take())) pace.within(UNHEARD_INTERVAL_MS)
    const waiting = made.reduce((sum, { ops: { length } }) => sum + length, 0)
    // What is durable follows on what is: so one that found no room is waited for.
    if (!isDurable || waiting > MAX_MADE_OPS) await idle()
  }

  async function makeDurable(ops: readonly Made[], before: Uint8Array | undefined): Promise<boolean> {
    if (ops.length === 0 || !outbox.hasRoom(ops.reduce((sum, { bytes }) => sum + bytes.length, 0))) return false
    let previous = before
    const unsent = ops.map((op): Unsent => {
      const each = { ...op, previous }
      previous = op.id
      return each
    })
    try {
      await outbox.put(unsent)
      return true
    } catch (error) {
      head = undefined
      outbox.remove(ops)
      throw error
    }
  }

  async function idle(): Promise<void> {
    while (writing !== undefined) await pace.hurry(writing)
  }

  /** Writes what was told as sent and did not come to be written, and gives the id of the core's last op. */
  async function recover(): Promise<Uint8Array | undefined> {
    const last = await lastOwnId(base, room)
    const left = outbox.after(last)
    if (left.length === 0) return last
    try {
      await commitOps(left, false)
    } catch (error) {
      if (isCoveyError(appendError(base, error), 'ROOM_NOT_WRITABLE')) outbox.remove(left)
      throw error
    }
    outbox.remove(left)
    onrecovered(left.map(land))
    return left.at(-1)!.id
  }

  async function write(): Promise<void> {
    while (made.length > 0) {
      await pace.due()
      const group = takeGroup(made)
      const ops = group.flatMap((commit) => commit.ops)
      try {
        await commitOps(ops, group[0]!.isStranger)
        outbox.remove(ops)
        for (const { landed } of group) landed()
      } catch (error) {
        // What was written of it, if anything, the core knows best; and what was made after it names it.
        head = undefined
        const failed = [...group, ...made.splice(0)]
        const reason = appendError(base, error)
        if (isCoveyError(reason, 'ROOM_NOT_WRITABLE')) failed.forEach((commit) => outbox.remove(commit.ops))
        for (const commit of failed) commit.failed(reason)
      }
    }
    writing = undefined
  }

  async function commitOps(ops: readonly Made[], optimistic: boolean): Promise<void> {
    if (ops.length === 0) return
    for (const { id } of ops) flight.set(mapKey(id), false)
    try {
      await base.append(ops.map(({ bytes }) => bytes), { optimistic })
    } catch (error) {
      for (const { id } of ops) flight.delete(mapKey(id))
      throw error
    }
  }

  function encodeCommit(commit: readonly Pending[], plan: EpochPlan | undefined, previous: Uint8Array | undefined) {
    let last = previous
    const make = (drafts: readonly DraftSource[], epoch: EpochKey | undefined): Made[] => {
      const made: Made[] = []
      for (const source of drafts) {
        const draft = typeof source === 'function' ? source({ ids: made.map(({ id }) => id), epoch }) : source
        const bytes = encodeDraft(draft, draft.epoch ?? epoch, last)
        last = opId(room, writer, bytes)
        made.push({ id: last, bytes })
      }
      return made
    }
    const planned = plan === undefined ? [] : make(plan.drafts, undefined)
    const epoch = plan?.epoch(planned.map(({ id }) => id))
    const ops = commit.map(({ drafts, underEpoch }) => make(drafts, underEpoch ? epoch : undefined))
    return { planned, ops, last }
  }

  function land({ id, bytes }: Made): Written {
    const name = mapKey(id)
    const isAccepted = flight.get(name) === true
    flight.delete(name)
    return { id, bytes, isAccepted }
  }

  function encodeDraft({ type, target, payload, body }: Draft, epoch: EpochKey | undefined, previous: Uint8Array | undefined): Uint8Array {
    const header = {
      type: OpType[type],
      sentAt: now(),
      previous: previous ?? null,
      target: target ?? null,
      epoch: (body && epoch?.id) ?? null,
      payload: payload ?? null
    }
    if (body === undefined) return encodeOp(header)
    if (epoch === undefined) throw new TypeError('a body needs an epoch')
    const key = isTalk(OpType[type]) ? messageKey(room, epoch.key) : stateKey(room, epoch.key)
    return encodeOp(header, (clear) => seal(body, bodyContext(room, writer, clear), key))
  }

  return {
    append(drafts, { underEpoch = false, isStranger = false, onmade, ondurable } = {}) {
      return new Promise((resolve, reject) => {
        pending.push({ drafts, underEpoch, isStranger, onmade, ondurable, resolve, reject })
        void make()
      })
    },
    async settled() {
      // What it fails with is told to whose op comes after it.
      await recovering?.catch(() => undefined)
      // A process that was killed may have left in the core what the view has not got.
      await (applied ??= base.update().catch(() => undefined))
      await idle()
    },
    isBusy: () => making || writing !== undefined
  }
}

/** What the seal of a body is bound to: the room, the writer, and the whole clear part of the op. */
export function bodyContext(room: Uint8Array, writer: Uint8Array, clear: Uint8Array): Uint8Array {
  return concatBytes(room, writer, clear)
}

/** The others would read no more of this device, for ever. */
function assertBatch(ops: readonly Made[]): void {
  const bytes = ops.reduce((sum, op) => sum + op.bytes.length, 0)
  if (ops.length > MAX_BATCH_BLOCKS) throw new TypeError(`one append has at most ${MAX_BATCH_BLOCKS} ops`)
  if (bytes > MAX_BATCH_BYTES) throw new TypeError(`one append has at most ${MAX_BATCH_BYTES} bytes`)
}

/** Messages that are made, together; anything else alone. */
function takeGroup(made: Commit[]): Commit[] {
  let ops = 0
  const end = made.findIndex((each) => !each.isPlain || (ops += each.ops.length) > MAX_COMMIT_OPS)
  return made.splice(0, end === -1 ? made.length : Math.max(1, end))
}

/** Messages that wait, together; anything else alone, because it may change who the messages are for. */
function takeCommit(pending: Pending[]): Pending[] {
  let ops = 0
  const end = pending.findIndex((each) => !isMessages(each) || (ops += each.drafts.length) > MAX_COMMIT_OPS)
  return pending.splice(0, end === -1 ? pending.length : Math.max(1, end))
}

function isMessages({ drafts }: Pending): boolean {
  return drafts.every((draft) => typeof draft !== 'function' && isPlain(OpType[draft.type]))
}

/** The id of the last op in this device's core: what the next one has to name. */
async function lastOwnId(base: Autobase<RoomView>, room: Uint8Array): Promise<Uint8Array | undefined> {
  for (let index = base.local.length - 1; index >= 0; index--) {
    const block = (await base.local.get(index)) as { node: { value: Uint8Array | null } }
    // Blocks without a value are acknowledgements.
    if (block.node.value !== null) return opId(room, base.local.key, block.node.value)
  }
  return undefined
}

function appendError(base: Autobase<RoomView>, cause: unknown): Error {
  if (cause instanceof RoomError || cause instanceof TypeError) return cause
  if (base.closing !== null && base.closing !== undefined) {
    return new RoomError('ROOM_CLOSED', 'The room was closed before this was written.', { cause })
  }
  if (!base.writable) {
    return new RoomError('ROOM_NOT_WRITABLE', 'This device cannot write to the room.', {
      cause,
      hint: 'It was removed, or its admission has not arrived yet.'
    })
  }
  return new RoomError('ROOM_STORAGE_FAILED', 'The room could not write to its folder.', {
    cause,
    retryable: true,
    hint: 'Check that the disk has room; what was sent before is safe.'
  })
}

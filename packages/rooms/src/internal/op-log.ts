import type Autobase from 'autobase'
import { concatBytes } from '@covey/core'
import { RoomError } from '../errors.js'
import { seal } from './crypto.js'
import { MAX_BATCH_BLOCKS, MAX_BATCH_BYTES } from './guards/judge-block.js'
import { mapKey } from './map-key.js'
import { encodeOp, isTalk, opId, OpType, type OpTypeName } from './op.js'
import { messageKey, stateKey, type EpochKey } from './slots.js'
import type { RoomView } from './view.js'

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
   * @throws {RoomError} ROOM_CLOSED, ROOM_NOT_WRITABLE, ROOM_STORAGE_FAILED
   * @throws {TypeError} for more than others would read: an op of more than 96 KiB, or in one append more
   *   than 4,096 ops or 32 MiB. Nothing is written.
   */
  append(drafts: readonly DraftSource[], options?: AppendOptions): Promise<Written[]>
}

/** The most blocks in one commit: a reader takes a batch as a whole, and so has to hold it. */
const MAX_COMMIT_OPS = 256

interface Made {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
}

interface Pending {
  readonly drafts: readonly DraftSource[]
  readonly underEpoch: boolean
  readonly isStranger: boolean
  readonly resolve: (written: Written[]) => void
  readonly reject: (error: unknown) => void
}

export interface OpLogInit {
  readonly base: Autobase<RoomView>
  readonly room: Uint8Array
  readonly flight: Flight
  readonly planEpoch: () => Promise<EpochPlan>
  /** Called with each epoch that something was written under. */
  readonly onepoch: (epoch: Uint8Array) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export function createOpLog({ base, room, flight, planEpoch, onepoch, now }: OpLogInit): OpLog {
  const writer = base.local.key
  const pending: Pending[] = []
  let writing = false
  let head: { id: Uint8Array | undefined } | undefined

  async function write(): Promise<void> {
    if (writing) return
    writing = true
    while (pending.length > 0) {
      const commit = takeCommit(pending)
      try {
        head ??= { id: await lastOwnId(base, room) }
        const plan = commit.some(({ underEpoch }) => underEpoch) ? await planEpoch() : undefined
        const made = encodeCommit(commit, plan, head.id)
        await commitOps([...made.planned, ...made.ops.flat()], commit[0]!.isStranger)
        head = { id: made.last }
        if (made.epoch !== undefined) onepoch(made.epoch.id)
        made.planned.forEach(land)
        commit.forEach(({ resolve }, i) => resolve(made.ops[i]!.map(land)))
      } catch (error) {
        // What was written of it, if anything, the core knows best.
        head = undefined
        const reason = appendError(base, error)
        for (const { reject } of commit) reject(reason)
      }
    }
    writing = false
  }

  async function commitOps(ops: readonly Made[], optimistic: boolean): Promise<void> {
    if (ops.length === 0) return
    // The others would read no more of this device, for ever.
    const bytes = ops.reduce((sum, op) => sum + op.bytes.length, 0)
    if (ops.length > MAX_BATCH_BLOCKS) throw new TypeError(`one append has at most ${MAX_BATCH_BLOCKS} ops`)
    if (bytes > MAX_BATCH_BYTES) throw new TypeError(`one append has at most ${MAX_BATCH_BYTES} bytes`)
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
    return { planned, ops, last, epoch }
  }

  function land({ id, bytes }: Made): Written {
    const name = mapKey(id)
    const isAccepted = flight.get(name) === true
    flight.delete(name)
    return { id, bytes, isAccepted }
  }

  function encodeDraft(
    { type, target, payload, body }: Draft,
    epoch: EpochKey | undefined,
    previous: Uint8Array | undefined
  ): Uint8Array {
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
    append(drafts, { underEpoch = false, isStranger = false } = {}) {
      return new Promise((resolve, reject) => {
        pending.push({ drafts, underEpoch, isStranger, resolve, reject })
        void write()
      })
    }
  }
}

/** What the seal of a body is bound to: the room, the writer, and the whole clear part of the op. */
export function bodyContext(room: Uint8Array, writer: Uint8Array, clear: Uint8Array): Uint8Array {
  return concatBytes(room, writer, clear)
}

/** Messages that wait, together; anything else alone, because it may change who the messages are for. */
function takeCommit(pending: Pending[]): Pending[] {
  let ops = 0
  const end = pending.findIndex((each) => !isMessages(each) || (ops += each.drafts.length) > MAX_COMMIT_OPS)
  return pending.splice(0, end === -1 ? pending.length : Math.max(1, end))
}

function isMessages({ drafts }: Pending): boolean {
  return drafts.every((draft) => typeof draft !== 'function' && isTalk(OpType[draft.type]))
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

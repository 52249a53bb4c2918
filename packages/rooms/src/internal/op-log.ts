import type Autobase from 'autobase'
import { concatBytes } from '@covey/core'
import { RoomError } from '../errors.js'
import { seal } from './crypto.js'
import { mapKey } from './map-key.js'
import { encodeOp, opId, OpType, type OpTypeName } from './op.js'
import { messageKey, stateKey, type EpochKey } from './slots.js'
import type { RoomView } from './view.js'

/** An op that is not written yet. */
export interface Draft {
  readonly type: OpTypeName
  readonly target?: Uint8Array
  /** The clear part that belongs to the type. */
  readonly payload?: Uint8Array
  /** The part for members only, and the epoch to seal it under. */
  readonly body?: { readonly plain: Uint8Array; readonly epoch: EpochKey }
}

/** A draft, or a function that makes it from the ids of those before it in the same append. */
export type DraftSource = Draft | ((ids: readonly Uint8Array[]) => Draft)

/** An op that is durable and has been applied here. */
export interface Written {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
  /** Whether the room took it, as it knows itself at this moment. */
  readonly isAccepted: boolean
}

/** The ops that are being written, and whether `apply` took them. */
export type Flight = Map<string, boolean>

/** This device's own ops in a room. */
export interface OpLog {
  /**
   * Writes ops, all or none, and resolves when they are durable and applied here. Calls that are made
   * while one is being written are written together.
   *
   * @throws {RoomError} ROOM_CLOSED, ROOM_NOT_WRITABLE, ROOM_STORAGE_FAILED
   */
  append(drafts: readonly DraftSource[]): Promise<Written[]>
}

/** The most blocks in one commit: a reader takes a batch as a whole, and so has to hold it. */
const MAX_COMMIT_OPS = 256

interface Pending {
  readonly drafts: readonly DraftSource[]
  readonly resolve: (written: Written[]) => void
  readonly reject: (error: unknown) => void
}

export interface OpLogInit {
  readonly base: Autobase<RoomView>
  readonly room: Uint8Array
  readonly flight: Flight
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export function createOpLog({ base, room, flight, now }: OpLogInit): OpLog {
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
        const { ops, last } = encodeCommit(commit, head.id)
        const all = ops.flat()
        for (const { id } of all) flight.set(mapKey(id), false)
        await base.append(all.map(({ bytes }) => bytes)).catch((error: unknown) => {
          for (const { id } of all) flight.delete(mapKey(id))
          throw error
        })
        head = { id: last }
        commit.forEach(({ resolve }, i) => resolve(ops[i]!.map(land)))
      } catch (error) {
        // What was written of it, if anything, the core knows best.
        head = undefined
        const reason = appendError(base, error)
        for (const { reject } of commit) reject(reason)
      }
    }
    writing = false
  }

  function encodeCommit(commit: readonly Pending[], previous: Uint8Array | undefined) {
    let last = previous
    const ops = commit.map(({ drafts }) => {
      const own: { id: Uint8Array; bytes: Uint8Array }[] = []
      for (const source of drafts) {
        const draft = typeof source === 'function' ? source(own.map(({ id }) => id)) : source
        const bytes = encodeDraft(draft, last)
        last = opId(room, writer, bytes)
        own.push({ id: last, bytes })
      }
      return own
    })
    return { ops, last }
  }

  function land({ id, bytes }: { id: Uint8Array; bytes: Uint8Array }): Written {
    const name = mapKey(id)
    const isAccepted = flight.get(name) === true
    flight.delete(name)
    return { id, bytes, isAccepted }
  }

  function encodeDraft({ type, target, payload, body }: Draft, previous: Uint8Array | undefined): Uint8Array {
    const header = {
      type: OpType[type],
      sentAt: now(),
      previous: previous ?? null,
      target: target ?? null,
      epoch: body?.epoch.id ?? null,
      payload: payload ?? null
    }
    if (body === undefined) return encodeOp(header)
    const bodyKey = (key: Uint8Array) => (type === 'message' ? messageKey(room, key) : stateKey(room, key))
    return encodeOp(header, (clear) => seal(body.plain, bodyContext(room, writer, clear), bodyKey(body.epoch.key)))
  }

  return {
    append(drafts) {
      return new Promise((resolve, reject) => {
        pending.push({ drafts, resolve, reject })
        void write()
      })
    }
  }
}

/** What the seal of a body is bound to: the room, the writer, and the whole clear part of the op. */
export function bodyContext(room: Uint8Array, writer: Uint8Array, clear: Uint8Array): Uint8Array {
  return concatBytes(room, writer, clear)
}

function takeCommit(pending: Pending[]): Pending[] {
  let ops = 0
  const fits = pending.findIndex(({ drafts }) => (ops += drafts.length) > MAX_COMMIT_OPS)
  // An append of more than the limit is still one: the first always goes.
  return pending.splice(0, fits === -1 ? pending.length : Math.max(1, fits))
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

function appendError(base: Autobase<RoomView>, cause: unknown): RoomError {
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

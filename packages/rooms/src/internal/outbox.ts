import type Hypercore from 'hypercore'
import { equalBytes, readBytes, writeBytes } from '@covey/core'
import { hash, open, seal } from './crypto.js'
import { mapKey } from './map-key.js'

/** An op as it will be in this device's core. */
export interface Made {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
}

/** An op that was told as sent, and is not known to be in the core. */
export interface Unsent extends Made {
  /** The id of the op before it. Absent in the first of a core. */
  readonly previous: Uint8Array | undefined
}

/**
 * Ops of this device that are durable, and not in its core yet: what a process had told as sent when it
 * was killed. Those that are in the core already are told apart by the chain, so that each is written once.
 */
export interface Outbox {
  isEmpty(): boolean
  /** Whether ops of so many bytes find room: each write is of all that are there. */
  hasRoom(bytes: number): boolean
  /** Makes ops durable. What is put meanwhile is written together. */
  put(ops: readonly Unsent[]): Promise<void>
  /** They are in the core, or never will be. They leave the disk with the next write. */
  remove(ops: readonly Made[]): void
  /** Those that follow the core's last op, oldest first; forgets the others. */
  after(last: Uint8Array | undefined): Unsent[]
}

/** What waits in a room is a moment's talk; more is told as sent when it is in the core. */
const MAX_BYTES = 262_144

const NAME = 'covey/outbox'
const DOMAIN = 'covey/room/outbox/1'
const VERSION = 1

/**
 * @param core this device's own, with whose storage the ops are kept.
 * @param encryptionKey of the room: what lies on the disk is as hidden as what is in the core.
 */
export async function openOutbox(
  core: Hypercore<unknown>,
  encryptionKey: Uint8Array,
  idOf: (op: Uint8Array) => Uint8Array
): Promise<Outbox> {
  const key = hash(DOMAIN, encryptionKey)
  const stored = await core.getUserData(NAME)
  const ops = new Map((stored ? decode(open(stored, NO_CONTEXT, key), idOf) : []).map((op) => [mapKey(op.id), op]))
  let bytes = sum([...ops.values()])
  let writing: Promise<void> | undefined
  let next: Promise<void> | undefined

  function write(): Promise<void> {
    // One waits while one is under way, and takes all that has come by then.
    next ??= (writing ?? Promise.resolve()).then(() => {
      next = undefined
      const written = core.setUserData(NAME, seal(encode([...ops.values()]), NO_CONTEXT, key))
      // Who put it is told what became of it.
      writing = written.then(undefined, () => undefined)
      return written
    })
    return next
  }

  function forget(id: Uint8Array): void {
    const name = mapKey(id)
    bytes -= ops.get(name)?.bytes.length ?? 0
    ops.delete(name)
  }

  return {
    isEmpty: () => ops.size === 0,
    hasRoom: (more) => bytes + more <= MAX_BYTES,
    put(made) {
      for (const op of made) ops.set(mapKey(op.id), op)
      bytes += sum(made)
      return write()
    },
    remove(made) {
      for (const { id } of made) forget(id)
    },
    after(last) {
      const waiting = [...ops.values()]
      const start = waiting.findIndex(({ previous }) => isSame(previous, last))
      const left = start === -1 ? [] : waiting.slice(start)
      for (const op of waiting) if (!left.includes(op)) forget(op.id)
      return left
    }
  }
}

const NO_CONTEXT = new Uint8Array(0)

function sum(ops: readonly Made[]): number {
  return ops.reduce((total, { bytes }) => total + bytes.length, 0)
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}

/** `version | length of previous | previous of the first | (length | op)…`: each op is the one that the next names. */
function encode(ops: readonly Unsent[]): Uint8Array {
  return writeBytes((writer) => {
    writer.uint8(VERSION).prefixedBytes(ops[0]?.previous ?? NO_CONTEXT, HASH_LIMIT)
    for (const { bytes } of ops) writer.prefixedBytes(bytes, MAX_BYTES)
  })
}

const HASH_LIMIT = 32

/** Nothing for what cannot be read: a later version's, or a disk's damage. What is in the core is not touched by it. */
function decode(plain: Uint8Array | undefined, idOf: (op: Uint8Array) => Uint8Array): Unsent[] {
  const read = readBytes(
    plain ?? NO_CONTEXT,
    (reader) => {
      if (reader.uint8() !== VERSION) reader.fail('The version is not known.')
      const first = reader.prefixedBytes(HASH_LIMIT)
      const ops: Uint8Array[] = []
      while (reader.remaining > 0) ops.push(reader.prefixedBytes(MAX_BYTES))
      return { first, ops }
    },
    { maxBytes: 2 * MAX_BYTES }
  )
  if (!read.ok) return []
  let previous = read.value.first.length === 0 ? undefined : read.value.first
  return read.value.ops.map((bytes) => {
    const op = { id: idOf(bytes), bytes, previous }
    previous = op.id
    return op
  })
}

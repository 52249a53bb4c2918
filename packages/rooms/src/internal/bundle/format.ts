import { readBytes, writeBytes, type ByteReader, type ByteWriter } from '@covey/core'
import { HASH_BYTES, KEY_BYTES } from '../crypto.js'
import { MAX_BYTES, MAX_LENGTH, rootCount, spans } from '../equivocation.js'

/** How much of a device's core somebody has: all that they need of its first `length` blocks. */
export interface Had {
  readonly writer: Uint8Array
  readonly length: number
}

/** A node of a core's tree; where it stands is told by what it is part of. */
export interface CarriedNode {
  readonly hash: Uint8Array
  readonly size: number
}

/** That blocks of a core follow, and the tree that its device has signed. */
export interface CarriedCore {
  /** The key that signs; the core's own is the hash of a manifest with this one in it. */
  readonly signer: Uint8Array
  /** The blocks that follow: `start` to before `end`. */
  readonly start: number
  readonly end: number
  /** Of the signed tree. */
  readonly length: number
  readonly signature: Uint8Array
  /** What the signed tree is made of. */
  readonly roots: readonly CarriedNode[]
  /** What is in it after `end`. */
  readonly tail: readonly CarriedNode[]
}

/** A block as it is stored, sealed, with the nodes beside the way up from it. */
export interface CarriedBlock {
  readonly value: Uint8Array
  readonly nodes: readonly CarriedNode[]
}

export type Frame =
  | { readonly type: 'had'; readonly had: readonly Had[] }
  | ({ readonly type: 'core' } & CarriedCore)
  | { readonly type: 'blocks'; readonly first: number; readonly blocks: readonly CarriedBlock[] }
  | { readonly type: 'end' }

/** As Hypercore itself: index.js, MAX_SUGGESTED_BLOCK_SIZE. */
export const MAX_VALUE_BYTES = 15 * 1_048_576

/** The most devices that a bundle tells of, and has blocks of. */
export const MAX_DEVICES = 65_536

const SIGNATURE_BYTES = 64
/** More levels than a tree of {@link MAX_LENGTH} has. */
const MAX_NODES = 64
const MAX_NODE_BYTES = HASH_BYTES + 9

/** A frame has at least one block, and more only up to this. */
export const FRAME_BYTES = 65_536
export const MAX_FRAME_BYTES = MAX_VALUE_BYTES + FRAME_BYTES

const HAD = 0
const CORE = 1
const BLOCKS = 2
const END = 3

export function encodeFrame(frame: Frame): Uint8Array {
  return writeBytes((writer) => {
    switch (frame.type) {
      case 'had':
        return writeHad(writer.uint8(HAD), frame.had)
      case 'core':
        return writeCore(writer.uint8(CORE), frame)
      case 'blocks':
        writer.uint8(BLOCKS).varint(frame.first)
        for (const { value, nodes } of frame.blocks) writeNodes(writer.prefixedBytes(value, MAX_VALUE_BYTES), nodes)
        return
      case 'end':
        return writer.uint8(END)
    }
  })
}

/** What was opened, and may still be anything that a member's software has made; `undefined` for no frame. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  const frame = readBytes(bytes, readFrame, { maxBytes: MAX_FRAME_BYTES })
  return frame.ok ? frame.value : undefined
}

/** How many bytes a block takes in a frame, at most. */
export function sizeOf({ value, nodes }: CarriedBlock): number {
  return value.length + 10 + nodes.length * MAX_NODE_BYTES
}

export function encodeHad(had: readonly Had[]): Uint8Array {
  return writeBytes((writer) => writeHad(writer, had))
}

export function decodeHad(bytes: Uint8Array): Had[] | undefined {
  const had = readBytes(bytes, readHad)
  return had.ok ? had.value : undefined
}

function readFrame(reader: ByteReader): Frame {
  switch (reader.uint8()) {
    case HAD:
      return { type: 'had', had: readHad(reader) }
    case CORE:
      return { type: 'core', ...readCore(reader) }
    case BLOCKS:
      return { type: 'blocks', ...readBlocks(reader) }
    case END:
      return { type: 'end' }
    default:
      return reader.fail('There is no such frame.')
  }
}

function writeHad(writer: ByteWriter, had: readonly Had[]): void {
  writer.varint(had.length)
  for (const { writer: key, length } of had) writer.bytes(key).varint(length)
}

function readHad(reader: ByteReader): Had[] {
  const count = reader.varint(MAX_DEVICES)
  if (count * (KEY_BYTES + 1) > reader.remaining) reader.fail('There are fewer devices than it says.')
  return Array.from({ length: count }, () => ({ writer: reader.bytes(KEY_BYTES), length: reader.varint(MAX_LENGTH) }))
}

function writeCore(writer: ByteWriter, { signer, start, end, length, signature, roots, tail }: CarriedCore): void {
  writer.bytes(signer).varint(start).varint(end).varint(length).bytes(signature)
  writeNodes(writer, roots)
  writeNodes(writer, tail)
}

function readCore(reader: ByteReader): CarriedCore {
  const signer = reader.bytes(KEY_BYTES)
  const [start, end, length] = [reader.varint(MAX_LENGTH), reader.varint(MAX_LENGTH), reader.varint(MAX_LENGTH)]
  if (start >= end || end > length) reader.fail('A core has no such blocks.')
  const signature = reader.bytes(SIGNATURE_BYTES)
  const [roots, tail] = [readNodes(reader), readNodes(reader)]
  if (roots.length !== rootCount(length) || tail.length !== tailOf(end, length).length) reader.fail('A tree has no such shape.')
  return { signer, start, end, length, signature, roots, tail }
}

function readBlocks(reader: ByteReader): { first: number; blocks: CarriedBlock[] } {
  const first = reader.varint(MAX_LENGTH)
  const blocks: CarriedBlock[] = []
  do {
    blocks.push({ value: reader.prefixedBytes(MAX_VALUE_BYTES), nodes: readNodes(reader) })
  } while (reader.remaining > 0)
  return { first, blocks }
}

function writeNodes(writer: ByteWriter, nodes: readonly CarriedNode[]): void {
  writer.uint8(nodes.length)
  for (const { hash, size } of nodes) writer.bytes(hash).varint(size)
}

function readNodes(reader: ByteReader): CarriedNode[] {
  const count = reader.uint8()
  if (count > MAX_NODES) reader.fail('A tree has not so many levels.')
  return Array.from({ length: count }, () => ({ hash: reader.bytes(HASH_BYTES), size: reader.varint(MAX_BYTES) }))
}

/** What a tree of `length` blocks has after the first `end`, from left to right. */
export function tailOf(end: number, length: number): { readonly index: number }[] {
  return spans(end, length).slice(rootCount(end))
}

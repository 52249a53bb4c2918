import { readBytes, writeBytes, type ByteReader, type ByteWriter } from '@covey/core'
import { defineChannel, type Channel } from '@covey/transport'
import { HASH_BYTES, type Challenge } from './challenge.js'

const KEY_BYTES = 32
/** How many cores one message is about. */
export const MAX_NAMED = 64

/** Why a mirror does not hold a core, or no more of it: who asked may not, has asked for too much, or there is no room. */
export type RefusalCode = (typeof REFUSALS)[number]
const REFUSALS = ['NOT_ALLOWED', 'QUOTA_EXCEEDED', 'MIRROR_FULL'] as const

/** What devices and mirrors say to each other of the cores that mirrors hold. */
export type HoldingMessage =
  /** To a mirror: fetch these, and what will be added to them. */
  | { readonly type: 'hold'; readonly keys: readonly Uint8Array[] }
  /** Of a mirror: it has the first `length` blocks of each on its disk. */
  | { readonly type: 'held'; readonly held: readonly { readonly key: Uint8Array; readonly length: number }[] }
  /** Of a mirror: it fetches no more of these. */
  | { readonly type: 'refused'; readonly code: RefusalCode; readonly keys: readonly Uint8Array[] }
  /** Prove that you have a block. Only who knows the core's key can ask. */
  | ({ readonly type: 'challenge'; readonly id: number } & Challenge)
  /** Without a hash: it does not have it. */
  | { readonly type: 'answer'; readonly id: number; readonly hash?: Uint8Array | undefined }
  /** To a mirror: fetch these no more, as far as this device is concerned. */
  | { readonly type: 'release'; readonly keys: readonly Uint8Array[] }

const TYPES = ['hold', 'held', 'refused', 'challenge', 'answer', 'release'] as const

export const holdingChannel = defineChannel<HoldingMessage>({
  name: 'covey/holding',
  version: 1,
  maxMessageBytes: 4_096,
  codec: {
    encode: (message) => writeBytes((writer) => write(writer.uint8(TYPES.indexOf(message.type)), message)),
    decode(bytes) {
      const message = readBytes(bytes, (reader) => {
        const type = TYPES[reader.uint8()] ?? reader.fail('There is no such message.')
        const read = READ[type](reader)
        // Fields of a later version.
        reader.rest()
        return read
      })
      if (!message.ok) throw message.error
      return message.value
    }
  }
})

function write(writer: ByteWriter, message: HoldingMessage): void {
  switch (message.type) {
    case 'hold':
    case 'release':
      return writeKeys(writer, message.keys)
    case 'held':
      writer.varint(message.held.length)
      for (const { key, length } of message.held) writer.bytes(key).varint(length)
      return
    case 'refused':
      return writeKeys(writer.uint8(REFUSALS.indexOf(message.code)), message.keys)
    case 'challenge':
      writer.varint(message.id).bytes(message.discoveryKey).varint(message.index).bytes(message.nonce).bytes(message.proof)
      return
    case 'answer':
      writer.varint(message.id).bytes(message.hash ?? new Uint8Array(0))
  }
}

const READ: { readonly [Type in HoldingMessage['type']]: (reader: ByteReader) => HoldingMessage } = {
  hold: (reader) => ({ type: 'hold', keys: readKeys(reader) }),
  release: (reader) => ({ type: 'release', keys: readKeys(reader) }),
  held: (reader) => ({
    type: 'held',
    held: Array.from({ length: reader.varint(MAX_NAMED) }, () => ({ key: reader.bytes(KEY_BYTES), length: reader.varint() }))
  }),
  refused: (reader) => ({
    type: 'refused',
    code: REFUSALS[reader.uint8()] ?? reader.fail('There is no such reason.'),
    keys: readKeys(reader)
  }),
  challenge: (reader) => ({
    type: 'challenge',
    id: reader.varint(),
    discoveryKey: reader.bytes(KEY_BYTES),
    index: reader.varint(),
    nonce: reader.bytes(KEY_BYTES),
    proof: reader.bytes(HASH_BYTES)
  }),
  answer: (reader) => {
    const id = reader.varint()
    return { type: 'answer', id, hash: reader.remaining === 0 ? undefined : reader.bytes(HASH_BYTES) }
  }
}

function writeKeys(writer: ByteWriter, keys: readonly Uint8Array[]): void {
  writer.varint(keys.length)
  for (const key of keys) writer.bytes(key)
}

function readKeys(reader: ByteReader): Uint8Array[] {
  return Array.from({ length: reader.varint(MAX_NAMED) }, () => reader.bytes(KEY_BYTES))
}

/** Takes what is said, one after the other: nothing of it waits for a peer, so none holds the others up for long. */
export function listen(
  channel: Channel<HoldingMessage>,
  onerror: (error: unknown) => void,
  take: (peer: string, message: HoldingMessage) => Promise<void> | void
): void {
  const takeAll = async (): Promise<void> => {
    for await (const { peer, message } of channel.messages()) {
      try {
        await take(peer, message)
      } catch (error) {
        onerror(error)
      }
    }
  }
  takeAll().catch(onerror)
}

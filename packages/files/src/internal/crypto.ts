import Hypercore, { type ManifestInput } from 'hypercore'
import sodium from 'sodium-universal'
import { concatBytes, encodeUtf8, equalBytes, readBytes, writeBytes } from '@covey/core'
import { MAX_FILE_BYTES } from '../constants.js'

export const KEY_BYTES = 32
const NONCE_BYTES = 24

export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  sodium.randombytes_buf(bytes)
  return bytes
}

/**
 * A block as others hold it, or back again: XSalsa20 with the file's key, and the block's index as nonce. Each index of
 * a key is used once, because a key is made for one file, whose core only grows. What proves that a block is the right
 * one is the core's signed tree, over what this makes.
 *
 * @param into where it is written, as long as the block, and the block itself where nobody else has it: memory that is
 * asked for costs more, by the garbage collections that it brings on, than the conversion.
 */
export function convertBlock(key: Uint8Array, index: number, block: Uint8Array, into: Uint8Array = new Uint8Array(block.length)): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  const view = new DataView(nonce.buffer)
  view.setUint32(0, index % 2 ** 32, true)
  view.setUint32(4, Math.floor(index / 2 ** 32), true)
  sodium.crypto_stream_xor(into, block, nonce, key)
  return into
}

const CORE_DOMAIN = encodeUtf8('covey/file/core/1')

/** Of what {@link coreManifest} makes the manifest. */
export interface CoreTerms {
  readonly signer: Uint8Array
  readonly key: Uint8Array
  readonly size?: number
}

/**
 * What a file's core is, of which its key is the hash. The file's key and size are in it: an offer with others names another
 * core, which nobody has, and cannot spoil what is here of this one.
 */
export function coreManifest({ signer, key, size }: CoreTerms): ManifestInput {
  const terms = writeBytes((writer) => {
    writer.bytes(CORE_DOMAIN).bytes(key).uint8(size === undefined ? 0 : 1)
    if (size !== undefined) writer.varint(size)
  })
  const namespace = new Uint8Array(KEY_BYTES)
  sodium.crypto_generichash(namespace, terms)
  return { version: 1, quorum: 1, signers: [{ publicKey: signer, namespace }] }
}

export function coreKey(terms: CoreTerms): Uint8Array {
  return Hypercore.key(coreManifest(terms))
}

/** What the block after a file's last one says. */
export interface End {
  readonly size: number
  /** Whether the source was read to its end, as it was when it was shared. */
  readonly isWhole: boolean
}

const END_DOMAIN = encodeUtf8('covey/file/end/1')
/** So that one is told from others by its length alone, nearly always. */
export const END_BYTES = 48

/** Not sealed yet. Whoever gave the bytes of the file does not know its key, and so cannot make one. */
export function encodeEnd(key: Uint8Array, { size, isWhole }: End): Uint8Array {
  const fields = writeBytes((writer) => writer.uint8(isWhole ? 1 : 0).varint(size))
  return concatBytes(endTag(key), fields, new Uint8Array(END_BYTES - KEY_BYTES - fields.length))
}

/** What a block says that is the end of its file, and `undefined` for any other. */
export function decodeEnd(key: Uint8Array, index: number, sealed: Uint8Array): End | undefined {
  if (sealed.length !== END_BYTES) return undefined
  const block = convertBlock(key, index, sealed)
  if (!equalBytes(block.subarray(0, KEY_BYTES), endTag(key))) return undefined
  const end = readBytes(block.subarray(KEY_BYTES), (reader) => {
    const isWhole = reader.uint8() === 1
    const size = reader.varint(MAX_FILE_BYTES)
    reader.rest()
    return { size, isWhole }
  })
  return end.ok ? end.value : undefined
}

function endTag(key: Uint8Array): Uint8Array {
  const tag = new Uint8Array(KEY_BYTES)
  sodium.crypto_generichash(tag, END_DOMAIN, key)
  return tag
}

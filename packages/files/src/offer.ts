import { assertBytes, assertInteger, assertString, defineContent, readBytes, writeBytes, type ByteReader, type ByteWriter } from '@covey/core'
import { MAX_FILE_BYTES, MAX_FILE_NAME_BYTES, MAX_PREVIEW_BYTES, MAX_TYPE_CHARACTERS } from './constants.js'
import { KEY_BYTES } from './internal/crypto.js'

/** A small picture of a file, which travels inside the message. */
export interface Preview {
  /** The media type of {@link data}. */
  readonly type: string
  /** At most {@link MAX_PREVIEW_BYTES}. Made by the sharer: show it as you would any picture from a stranger. */
  readonly data: Uint8Array
}

/** What a file says of itself. The sharer chose all of it. */
export interface FileInfo {
  /** At most {@link MAX_FILE_NAME_BYTES}; not a path, and not safe as one: `saveTo` makes it so. */
  readonly name: string
  /** The media type, such as `image/png`, or `''`. */
  readonly type: string
  /** In pixels, of a picture or a video. */
  readonly width?: number
  readonly height?: number
  readonly preview?: Preview
}

/** What whoever is to have a file is given. */
export interface Offer extends FileInfo {
  /** Signs the core whose blocks are the file's, sealed. */
  readonly signer: Uint8Array
  /** Unseals them. */
  readonly key: Uint8Array
  /** In bytes; absent where the source was a stream that had not ended. */
  readonly size?: number
}

const SIZE = 1
const DIMENSIONS = 2
const PREVIEW = 4
/** The pixels of a side: no picture is larger that anything shows. */
const MAX_PIXELS = 1_000_000
const TYPE = /^[\w.+-]+\/[\w.+-]+(?:;[\w.+=" -]+)*$/

/** The content of a message that offers a file. */
export const fileContent = defineContent<Offer>({
  name: 'covey/file',
  version: 1,
  codec: {
    encode: (offer) => writeBytes((writer) => writeOffer(writer, offer)),
    decode(data) {
      const offer = readBytes(data, (reader) => {
        const read = readOffer(reader)
        // What a later version adds.
        reader.rest()
        return read
      })
      if (!offer.ok) throw offer.error
      return offer.value
    }
  }
})

/** @throws {TypeError} that names the field. */
export function assertInfo({ name, type, width, height, preview }: FileInfo): void {
  assertString(name, 'options.name', { minLength: 1, maxBytes: MAX_FILE_NAME_BYTES })
  assertType(type, 'options.type')
  if ((width === undefined) !== (height === undefined)) throw new TypeError('options.width and options.height go together')
  if (width !== undefined) assertInteger(width, 'options.width', { min: 1, max: MAX_PIXELS })
  if (height !== undefined) assertInteger(height, 'options.height', { min: 1, max: MAX_PIXELS })
  if (preview === undefined) return
  assertType(preview.type, 'options.preview.type')
  assertBytes(preview.data, 'options.preview.data')
  if (preview.data.length <= MAX_PREVIEW_BYTES) return
  throw new TypeError(`options.preview.data must be at most ${MAX_PREVIEW_BYTES} bytes, it is ${preview.data.length}`)
}

function assertType(type: string, field: string): void {
  assertString(type, field, { maxLength: MAX_TYPE_CHARACTERS })
  if (type !== '' && !TYPE.test(type)) throw new TypeError(`${field} must be a media type, such as image/png`)
}

export function writeOffer(writer: ByteWriter, offer: Offer): void {
  const { size, width, height, preview } = offer
  const flags = (size === undefined ? 0 : SIZE) + (width === undefined ? 0 : DIMENSIONS) + (preview === undefined ? 0 : PREVIEW)
  writer.bytes(offer.signer).bytes(offer.key)
  writer.text(offer.name, MAX_FILE_NAME_BYTES).text(offer.type, MAX_TYPE_CHARACTERS).uint8(flags)
  if (size !== undefined) writer.varint(size)
  if (width !== undefined && height !== undefined) writer.varint(width).varint(height)
  if (preview !== undefined) writer.text(preview.type, MAX_TYPE_CHARACTERS).prefixedBytes(preview.data, MAX_PREVIEW_BYTES)
}

export function readOffer(reader: ByteReader): Offer {
  const signer = reader.bytes(KEY_BYTES)
  const key = reader.bytes(KEY_BYTES)
  const name = reader.text(MAX_FILE_NAME_BYTES)
  const type = readType(reader)
  const flags = reader.uint8()
  const size = flags & SIZE ? { size: reader.varint(MAX_FILE_BYTES) } : {}
  const dimensions = flags & DIMENSIONS ? { width: reader.varint(MAX_PIXELS), height: reader.varint(MAX_PIXELS) } : {}
  const preview = flags & PREVIEW ? { preview: { type: readType(reader), data: reader.prefixedBytes(MAX_PREVIEW_BYTES) } } : {}
  return { signer, key, name, type, ...size, ...dimensions, ...preview }
}

function readType(reader: ByteReader): string {
  const type = reader.text(MAX_TYPE_CHARACTERS)
  return type === '' || TYPE.test(type) ? type : reader.fail('The type is no media type.')
}

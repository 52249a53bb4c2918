import { decodeKey, defineContent, encodeUtf8, encodeZ32, readBytes, writeBytes, type ByteReader } from '@covey/core'
import { MAX_CHANGES, MAX_FOLDER_NAME_BYTES, MAX_FOLDER_PATH_BYTES } from './constants.js'
import { KEY_BYTES } from './internal/crypto.js'
import { isFolderPath } from './internal/folder/path.js'
import { readOffer, writeOffer, type Offer } from './offer.js'

/** A version of the same path, by the message that carries it and its place in that. */
export interface VersionId {
  /** z-base-32. */
  readonly message: string
  readonly index: number
}

/** One change of a folder. */
export interface FolderChange {
  readonly path: string
  /** What its author has seen at the path, and what does not stand any more. */
  readonly replaces: readonly VersionId[]
  /** What is at the path now; absent where it is removed. */
  readonly offer?: Offer
}

/** What a message changes in a folder. */
export interface FolderChanges {
  /** Of the folder. */
  readonly name: string
  /** `undefined` in the place of one that this version cannot read. */
  readonly changes: readonly (FolderChange | undefined)[]
}

/** Of one path; more are replaced by the next change. */
export const MAX_REPLACES = 32
/** More than a change of the longest path that replaces the most can have. */
const MAX_CHANGE_BYTES = 4_096
const REMOVED = 0
const PUT = 1

/** The content of a message that changes a folder. */
export const folderContent = defineContent<FolderChanges>({
  name: 'covey/folder',
  version: 1,
  codec: {
    encode: ({ name, changes }) =>
      writeBytes((writer) => {
        writer.text(name, MAX_FOLDER_NAME_BYTES).varint(changes.length)
        for (const change of changes) writer.prefixedBytes(encodeChange(change!), MAX_CHANGE_BYTES)
      }),
    decode(data) {
      const read = readBytes(data, (reader) => {
        const name = readName(reader)
        const changes = Array.from({ length: reader.varint(MAX_CHANGES) }, () => decodeChange(reader.prefixedBytes(MAX_CHANGE_BYTES)))
        // What a later version adds.
        reader.rest()
        return { name, changes }
      })
      if (!read.ok) throw read.error
      return read.value
    }
  }
})

/** As part of a content. */
export function encodeChange({ path, replaces, offer }: FolderChange): Uint8Array {
  return writeBytes((writer) => {
    writer.text(path, MAX_FOLDER_PATH_BYTES).varint(replaces.length)
    for (const { message, index } of replaces) writer.bytes(decodeKey(message)).varint(index)
    writer.uint8(offer === undefined ? REMOVED : PUT)
    if (offer === undefined) return
    const { preview: _preview, ...plain } = offer
    writeOffer(writer, plain)
  })
}

function decodeChange(bytes: Uint8Array): FolderChange | undefined {
  const read = readBytes(bytes, (reader) => {
    const path = reader.text(MAX_FOLDER_PATH_BYTES)
    if (!isFolderPath(path)) reader.fail('The path is not safe.')
    const replaces = Array.from({ length: reader.varint(MAX_REPLACES) }, () => ({
      message: encodeZ32(reader.bytes(KEY_BYTES)),
      index: reader.varint(MAX_CHANGES - 1)
    }))
    const kind = reader.uint8()
    if (kind !== REMOVED && kind !== PUT) reader.fail('The change is of a kind that this version does not know.')
    const offer = kind === PUT ? { offer: readOffer(reader) } : {}
    reader.rest()
    return { path, replaces, ...offer }
  })
  return read.ok ? read.value : undefined
}

function readName(reader: ByteReader): string {
  const name = reader.text(MAX_FOLDER_NAME_BYTES)
  return isFolderName(name) ? name : reader.fail('The folder has no name.')
}

export function isFolderName(name: string): boolean {
  return name !== '' && encodeUtf8(name).length <= MAX_FOLDER_NAME_BYTES && name === name.normalize('NFC')
}

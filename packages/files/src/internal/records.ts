// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { mkdir, open, readdir, readFile, rename, rm } from '#fs'
import { readBytes, writeBytes, type ByteReader } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { MAX_FILE_BYTES, MAX_GROUP_BYTES } from '../constants.js'
import { readOffer, writeOffer, type Offer } from '../offer.js'
import type { End } from './crypto.js'
import type { Stamp } from './place.js'

/** A file of the user's that holds the blocks. */
export interface PathRecord {
  readonly path: string
  /** Whether it was there before: it is the user's, and never written. */
  readonly isSource: boolean
  /** As it was when it was whole. */
  readonly stamp?: Stamp
}

/** What this device knows of a file: on its disk, sealed, and nowhere else. */
export interface FileRecord {
  readonly offer: Offer
  /** Whether this device shares it: its core is written here. */
  readonly isOwn: boolean
  /** Whether whoever has the link may find it here. */
  readonly isLinked: boolean
  /** Where it is in a file of the user's, beside or in place of the own folder. */
  readonly path?: PathRecord
  /** Of which folder it is, or was, a version in a directory: the room's id, `/`, and the folder's name. */
  readonly folder?: string
  /** What its last block says, when that has been seen. */
  readonly end?: End
  /** In what it was offered, as far as that has a name: a room. */
  readonly groups?: readonly string[]
  /** When it was last used here, where that matters: by the clock of this device. */
  readonly usedAtMs?: number
  /** Where this device has offered it, so that others may hold it. */
  readonly offered?: Offered
}

/** In what a file of this device's is offered, by which message. */
export interface Offered {
  readonly group: string
  /** The id; absent where it is not known. */
  readonly message?: string
  /** Whether it is to be held by others whatever its size. */
  readonly isAsked: boolean
  /** By the clock of this device, and later than of those that were offered before. */
  readonly atMs: number
}

/** The files of this device. */
export interface Records {
  /** @param onerror takes what was found of those that do not open. */
  all(onerror: (error: unknown) => void): Promise<FileRecord[]>
  put(id: string, record: FileRecord): Promise<void>
  remove(id: string): Promise<void>
}

const LABEL = 'covey/file/record/1'
const MAX_PATH_BYTES = 32_768
/** Of a file that is offered in more, those are remembered in which it was opened last. */
export const MAX_GROUPS = 64
const OWN = 1
const LINKED = 2
const PATH = 4
const SOURCE = 8
const STAMP = 16
const END = 32
const WHOLE = 64
const HELD = 128
const FOLDER = 256
const OFFERED = 512
const ASKED = 1_024
/** 52 of an id. */
const MAX_MESSAGE_BYTES = 64
/** 52 of a room's id, and 255 of a name. */
const MAX_FOLDER_BYTES = 308

/** One sealed file a record, each replaced as a whole. */
export async function openRecords(folder: string, identity: LocalIdentity): Promise<Records> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return {
    async all(onerror) {
      const records: FileRecord[] = []
      for (const name of await readdir(folder)) {
        if (!name.endsWith('.record')) continue
        try {
          records.push(decodeRecord(identity.unseal(LABEL, Uint8Array.from(await readFile(`${folder}/${name}`)))))
        } catch (error) {
          onerror(error)
        }
      }
      return records
    },
    async put(id, record) {
      await replaceFile(`${folder}/${id}.record`, identity.seal(LABEL, encodeRecord(record)))
    },
    remove: (id) => rm(`${folder}/${id}.record`, { force: true })
  }
}

/** Writes a small file, which is as it was or as given, whatever happens meanwhile. */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    let offset = 0
    while (offset < bytes.length) offset += (await file.write(bytes, offset)).bytesWritten
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

function encodeRecord({ offer, isOwn, isLinked, path, folder, end, groups = [], usedAtMs = 0, offered }: FileRecord): Uint8Array {
  const flags =
    (isOwn ? OWN : 0) + (isLinked ? LINKED : 0) + (path === undefined ? 0 : PATH) + (path?.isSource ? SOURCE : 0) +
    (path?.stamp === undefined ? 0 : STAMP) + (end === undefined ? 0 : END) + (end?.isWhole ? WHOLE : 0) +
    (groups.length > 0 || usedAtMs > 0 ? HELD : 0) + (folder === undefined ? 0 : FOLDER) +
    (offered === undefined ? 0 : OFFERED) + (offered?.isAsked ? ASKED : 0)
  return writeBytes((writer) => {
    writeOffer(writer, offer)
    writer.varint(flags)
    if (path !== undefined) writer.text(path.path, MAX_PATH_BYTES)
    if (path?.stamp !== undefined) writer.varint(path.stamp.size).text(String(path.stamp.modifiedAt), 32)
    if (end !== undefined) writer.varint(end.size)
    if (flags & HELD) writer.varint(usedAtMs).uint8(groups.length)
    for (const group of groups) writer.text(group, MAX_GROUP_BYTES)
    if (folder !== undefined) writer.text(folder, MAX_FOLDER_BYTES)
    if (offered !== undefined) writer.text(offered.group, MAX_GROUP_BYTES).text(offered.message ?? '', MAX_MESSAGE_BYTES).varint(offered.atMs)
  })
}

function decodeRecord(bytes: Uint8Array): FileRecord {
  const record = readBytes(bytes, (reader) => {
    const offer = readOffer(reader)
    const flags = reader.varint()
    const text = flags & PATH ? reader.text(MAX_PATH_BYTES) : undefined
    const stamp = flags & STAMP ? { stamp: { size: reader.varint(), modifiedAt: Number(reader.text(32)) } } : {}
    const end = flags & END ? { end: { size: reader.varint(MAX_FILE_BYTES), isWhole: (flags & WHOLE) !== 0 } } : {}
    const usedAtMs = flags & HELD ? reader.varint() : 0
    const groups = Array.from({ length: flags & HELD ? reader.uint8() : 0 }, () => reader.text(MAX_GROUP_BYTES))
    const folder = flags & FOLDER ? { folder: reader.text(MAX_FOLDER_BYTES) } : {}
    const offered = flags & OFFERED ? { offered: readOffered(reader, (flags & ASKED) !== 0) } : {}
    reader.rest()
    const path = text === undefined ? {} : { path: { path: text, isSource: (flags & SOURCE) !== 0, ...stamp } }
    return { offer, isOwn: (flags & OWN) !== 0, isLinked: (flags & LINKED) !== 0, groups, ...path, ...end, ...(usedAtMs > 0 && { usedAtMs }), ...folder, ...offered }
  })
  if (!record.ok) throw record.error
  return record.value
}

function readOffered(reader: ByteReader, isAsked: boolean): Offered {
  const group = reader.text(MAX_GROUP_BYTES)
  const message = reader.text(MAX_MESSAGE_BYTES)
  return { group, ...(message !== '' && { message }), isAsked, atMs: reader.varint() }
}

// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { mkdir, open, readFile, rm, truncate } from '#fs'
import { concatBytes, decodeKey, encodeZ32, MAX_CONTENT_BYTES, readBytes, writeBytes, type Content } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { KEY_BYTES } from '../crypto.js'
import type { ChangeSource } from './state.js'

/** What is known of a room's folders, up to where its order is for ever. */
export type JournalEntry =
  /** A message that changes a folder. */
  | { readonly kind: 'change'; readonly source: ChangeSource; readonly content: Content }
  /** A message that may be one, and cannot be read yet. */
  | { readonly kind: 'unreadable' | 'withdrawn'; readonly message: string }
  /** All up to this message, and with it, was read. */
  | { readonly kind: 'cursor'; readonly message: string }

/** A file to which sealed entries are added; what a crash has left of the last one is cut off. */
export interface Journal {
  readonly entries: readonly JournalEntry[]
  append(entries: readonly JournalEntry[]): Promise<void>
  /** Begins anew. */
  clear(): Promise<void>
}

const LABEL = 'covey/file/folders/1'
const KINDS = ['change', 'unreadable', 'withdrawn', 'cursor'] as const
const LENGTH_BYTES = 4
const MAX_NAME_BYTES = 1_024
const MAX_TYPE_BYTES = 64

/** @param onerror told of what does not open: it is read from the room again. */
export async function openJournal(folder: string, room: string, identity: LocalIdentity, onerror: (error: unknown) => void): Promise<Journal> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = `${folder}/${room}.folders`
  const bytes = await readFile(path).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return new Uint8Array(0)
    throw error
  })
  const entries: JournalEntry[] = []
  let end = 0
  try {
    for (const record of recordsIn(bytes)) {
      entries.push(decodeEntry(identity.unseal(LABEL, record)))
      end += LENGTH_BYTES + record.length
    }
  } catch (error) {
    onerror(error)
  }
  if (end < bytes.length) await truncate(path, end)
  return {
    entries,
    async append(added) {
      if (added.length === 0) return
      const file = await open(path, 'a', 0o600)
      try {
        await file.write(concatBytes(...added.map((entry) => encodeRecord(identity.seal(LABEL, encodeEntry(entry))))))
        await file.sync()
      } finally {
        await file.close()
      }
    },
    clear: () => rm(path, { force: true })
  }
}

function* recordsIn(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let position = 0; position + LENGTH_BYTES <= bytes.length; ) {
    const length = view.getUint32(position, true)
    position += LENGTH_BYTES
    if (position + length > bytes.length) return
    yield new Uint8Array(bytes.subarray(position, position + length))
    position += length
  }
}

function encodeRecord(sealed: Uint8Array): Uint8Array {
  const length = new Uint8Array(LENGTH_BYTES)
  new DataView(length.buffer).setUint32(0, sealed.length, true)
  return concatBytes(length, sealed)
}

function encodeEntry(entry: JournalEntry): Uint8Array {
  return writeBytes((writer) => {
    writer.uint8(KINDS.indexOf(entry.kind))
    if (entry.kind !== 'change') return writer.bytes(decodeKey(entry.message))
    const { source, content } = entry
    writer.bytes(decodeKey(source.id)).bytes(decodeKey(source.author)).text(source.authorName, MAX_NAME_BYTES).varint(Math.max(0, source.sentAt))
    return writer.text(content.type, MAX_TYPE_BYTES).varint(content.version).prefixedBytes(content.data, MAX_CONTENT_BYTES)
  })
}

function decodeEntry(bytes: Uint8Array): JournalEntry {
  const entry = readBytes(bytes, (reader): JournalEntry => {
    const kind = KINDS[reader.uint8()] ?? reader.fail('The entry is of no kind.')
    const message = encodeZ32(reader.bytes(KEY_BYTES))
    if (kind !== 'change') return { kind, message }
    const source = { id: message, author: encodeZ32(reader.bytes(KEY_BYTES)), authorName: reader.text(MAX_NAME_BYTES), sentAt: reader.varint() }
    return { kind, source, content: { type: reader.text(MAX_TYPE_BYTES), version: reader.varint(), data: reader.prefixedBytes(MAX_CONTENT_BYTES) } }
  })
  if (!entry.ok) throw entry.error
  return entry.value
}

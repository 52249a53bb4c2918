import { concatBytes, equalBytes } from '@covey/core'
import { HASH_BYTES } from '../crypto.js'
import { mapKey } from '../map-key.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'

/** How many messages a segment has: what is written anew when one of them changes, and read at once. */
export const SEGMENT_LINES = 512

/** What is known of one message. */
export interface Line {
  readonly id: Uint8Array
  /** Which of its versions: see {@link versionOf}. */
  readonly version: number
  readonly writer: Uint8Array
  /** What it says, as `normalizeText` gives it; `''` for nothing. */
  readonly text: string
}

export interface Segment {
  /** The texts of its messages in their order, one a line. */
  readonly text: string
  lines(): Line[]
}

/** Of one that could not be read, and may be later. */
export const UNREAD = 0
const DELETED = 2 ** 32 - 1

/** What tells whether a text is still that of its message. */
export function versionOf(state: Pick<Structs['message-state'], 'edits' | 'deletedBy'> | undefined): number {
  return state?.deletedBy ? DELETED : 1 + Math.min(state?.edits ?? 0, DELETED - 2)
}

export function encodeSegment(lines: readonly Line[]): Uint8Array {
  const writers = new Map(lines.map(({ writer }) => [mapKey(writer), writer]))
  const numbers = new Map([...writers.keys()].map((name, i) => [name, i]))
  return encodeStruct('search-segment', {
    ids: concatBytes(...lines.map(({ id }) => id)),
    versions: integers(lines.map(({ version }) => version)),
    writers: concatBytes(...writers.values()),
    by: integers(lines.map(({ writer }) => numbers.get(mapKey(writer))!)),
    text: lines.map(({ text }) => text).join('\n')
  })
}

/** `undefined` for bytes that are none: of another version, or damaged. */
export function decodeSegment(bytes: Uint8Array): Segment | undefined {
  const found = decodeStruct('search-segment', bytes)
  if (found === undefined) return undefined
  const { ids, versions, writers, by, text } = found
  return {
    text,
    lines() {
      // Of no text there is one line, too.
      if (ids.length === 0) return []
      const [version, writer] = [reader(versions), reader(by)]
      return text.split('\n').map((line, i) => ({
        id: ids.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
        version: version(i),
        writer: writers.subarray(writer(i) * HASH_BYTES, (writer(i) + 1) * HASH_BYTES),
        text: line
      }))
    }
  }
}

export function isSameLine(one: Line, other: Line | undefined): boolean {
  return other !== undefined && one.version === other.version && equalBytes(one.id, other.id)
}

function integers(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  values.forEach((value, i) => view.setUint32(i * 4, value, true))
  return bytes
}

function reader(bytes: Uint8Array): (at: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (at) => view.getUint32(at * 4, true)
}

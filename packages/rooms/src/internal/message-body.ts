import { encodeUtf8, isContent, MAX_CONTENT_BYTES, type Content } from '@covey/core'
import { MAX_TEXT_BYTES } from '../constants.js'
import { RoomError } from '../errors.js'
import { decodeStruct, encodeStruct } from './structs.js'

/** What a body says. */
export type Said =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'content'; readonly text: ''; readonly content: Content }
  | { readonly kind: 'unknown'; readonly text: '' }

const UNKNOWN: Said = { kind: 'unknown', text: '' }

/** Reads a body, which may be anything. */
export function readBody(bytes: Uint8Array): Said {
  const body = decodeStruct('message-body', bytes)
  if (body?.content) {
    // A copy: plain bytes, which keep no more of the block in memory.
    const content = { type: body.content, version: body.version, data: new Uint8Array(body.data ?? []) }
    return isContent(content) ? { kind: 'content', text: '', content } : UNKNOWN
  }
  return typeof body?.text === 'string' ? { kind: 'text', text: body.text } : UNKNOWN
}

/** @throws what {@link assertSayable} does. */
export function encodeBody(content: string | Content): Uint8Array {
  assertSayable(content)
  if (typeof content === 'string') return encodeStruct('message-body', { text: content })
  const { type, version, data } = content
  return encodeStruct('message-body', { content: type, version, data })
}

/**
 * @throws {RoomError} MESSAGE_EMPTY, MESSAGE_TOO_LARGE, MESSAGE_MALFORMED
 * @throws {TypeError} for what is neither a text nor a {@link Content}
 */
function assertSayable(content: string | Content): void {
  if (typeof content === 'string') return assertText(content)
  if (isContent(content)) return
  const data = (content as Partial<Content> | null | undefined)?.data
  if (data instanceof Uint8Array && data.length > MAX_CONTENT_BYTES) {
    throw new RoomError('MESSAGE_TOO_LARGE', `The data of the content takes more than ${MAX_CONTENT_BYTES} bytes.`, { hint: SHARE })
  }
  throw new TypeError(`content must be a string or a Content, as a type of defineContent() creates it, got ${typeof content}`)
}

function assertText(text: string): void {
  if (text === '') {
    throw new RoomError('MESSAGE_EMPTY', 'There is no text to send.', { hint: 'Give it at least one character.' })
  }
  // By characters first, each of which takes a byte at least: counting bytes of a huge text is slow.
  if (text.length <= MAX_TEXT_BYTES) {
    if (!text.isWellFormed()) {
      throw new RoomError('MESSAGE_MALFORMED', 'The text has half of a surrogate pair in it.', {
        hint: 'It was cut in the middle of a character; text.toWellFormed() mends it.'
      })
    }
    if (encodeUtf8(text).length <= MAX_TEXT_BYTES) return
  }
  throw new RoomError('MESSAGE_TOO_LARGE', `The text takes more than ${MAX_TEXT_BYTES} bytes as UTF-8.`, { hint: SHARE })
}

const SHARE = 'Send it as a file, or in parts.'

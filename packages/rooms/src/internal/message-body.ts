import { assertInteger, assertOptions, decodeKey, encodeUtf8, encodeZ32, isContent, MAX_CONTENT_BYTES, type Content } from '@covey/core'
import { MAX_EMOJI_BYTES, MAX_MENTIONS, MAX_TEXT_BYTES } from '../constants.js'
import { RoomError } from '../errors.js'
import type { Mention, Message } from '../message.js'
import { decodeStruct, encodeStruct, type Structs } from './structs.js'

type Body = Structs['message-body']

/** What a body says. */
export type ReadBody = Pick<Message, 'kind' | 'text' | 'content' | 'mentions' | 'replyTo' | 'isForwarded'>

const NOTHING = { text: '', mentions: [], isForwarded: false } as const

/** Reads a body, which may be anything, or gives why there is none. */
export function readBody(bytes: Uint8Array | 'unknown' | 'unreadable'): ReadBody {
  if (typeof bytes === 'string') return { kind: bytes, ...NOTHING }
  const body = decodeStruct('message-body', bytes)
  const said = body && readWords(body)
  if (said === undefined) return { kind: 'unknown', ...NOTHING }
  const replyTo = body?.replyTo && { replyTo: encodeZ32(body.replyTo) }
  return { ...said, ...replyTo, isForwarded: body?.forwarded === true }
}

function readWords(body: Body): Pick<ReadBody, 'kind' | 'text' | 'content' | 'mentions'> | undefined {
  if (!body.content) {
    const { text } = body
    return typeof text === 'string' ? { kind: 'text', text, mentions: readMentions(text, body.mentions ?? []) } : undefined
  }
  // A copy: plain bytes, which keep no more of the block in memory.
  const content = { type: body.content, version: body.version, data: new Uint8Array(body.data ?? []) }
  return isContent(content) ? { kind: 'content', text: '', content, mentions: [] } : undefined
}

/** All of them, or none where they are not what they have to be. */
function readMentions(text: string, mentions: readonly Structs['mention'][]): Mention[] {
  if (mentions.length > MAX_MENTIONS || !areWithin(text, mentions)) return []
  return mentions.map(({ identity, start, length }) => ({ member: encodeZ32(identity), start, length }))
}

/** Whether they follow each other within a text, none over another. */
function areWithin(text: string, mentions: readonly Omit<Mention, 'member'>[]): boolean {
  if (mentions.length === 0) return true
  let end = 0
  for (const { start, length } of mentions) {
    if (start < end || length < 1) return false
    end = start + length
  }
  return end <= countCodePoints(text)
}

function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** What goes with what is said. */
export interface Beside {
  readonly replyTo?: Uint8Array | undefined
  readonly isForwarded?: boolean
  readonly mentions?: readonly Mention[] | undefined
}

/**
 * @throws {RoomError} MESSAGE_EMPTY, MESSAGE_TOO_LARGE, MESSAGE_MALFORMED
 * @throws {TypeError} for what is neither a text nor a {@link Content}, and for mentions that are not within it
 */
export function encodeBody(content: string | Content, { replyTo, isForwarded, mentions = [] }: Beside = {}): Uint8Array {
  assertSayable(content)
  const mentioned = writeMentions(typeof content === 'string' ? content : '', mentions)
  const beside = {
    ...(replyTo && { replyTo }),
    ...(isForwarded && { forwarded: true }),
    ...(mentioned.length > 0 && { mentions: mentioned })
  }
  if (typeof content === 'string') return encodeStruct('message-body', { text: content, ...beside })
  const { type, version, data } = content
  return encodeStruct('message-body', { content: type, version, data, ...beside })
}

function writeMentions(text: string, mentions: readonly Mention[]): Structs['mention'][] {
  if (!Array.isArray(mentions)) throw new TypeError('options.mentions must be an array')
  if (mentions.length > MAX_MENTIONS) throw new TypeError(`options.mentions has at most ${MAX_MENTIONS} mentions`)
  const written = mentions.map((mention, i) => {
    const field = `options.mentions[${i}]`
    assertOptions(mention, field, ['member', 'start', 'length'])
    const { member, start, length } = mention
    assertInteger(start, `${field}.start`, { min: 0, max: MAX_TEXT_BYTES })
    assertInteger(length, `${field}.length`, { min: 1, max: MAX_TEXT_BYTES })
    return { identity: decodeKey(member, `${field}.member`), start, length }
  })
  if (areWithin(text, written)) return written
  throw new TypeError('options.mentions must follow each other within the text, none over another')
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

/** A picture, a flag or a keycap is in it, and nothing but what such are made of. */
const EMOJI = /^(?=.*[\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3])[\p{Emoji}\p{Emoji_Component}]+$/u

function isEmoji(text: string): boolean {
  return text.length <= MAX_EMOJI_BYTES && encodeUtf8(text).length <= MAX_EMOJI_BYTES && EMOJI.test(text)
}

/** @throws {TypeError} for what is no emoji */
export function encodeEmoji(emoji: string): Uint8Array {
  if (typeof emoji !== 'string' || !isEmoji(emoji)) {
    throw new TypeError(`emoji must be an emoji of at most ${MAX_EMOJI_BYTES} bytes as UTF-8`)
  }
  return encodeStruct('reaction-body', { emoji })
}

/** The emoji of a body, which may be anything. */
export function readEmoji(bytes: Uint8Array): string | undefined {
  const emoji = decodeStruct('reaction-body', bytes)?.emoji
  return typeof emoji === 'string' && isEmoji(emoji) ? emoji : undefined
}

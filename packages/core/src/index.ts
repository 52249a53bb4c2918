/**
 * What every Covey package shares: errors, checks of arguments, bytes and text, typed events, abort
 * helpers, an async queue, and `covey:` links. No input or output, for Node and Bare.
 *
 * @example
 * ```ts
 * import { decodeLink, encodeLink, isCoveyError } from '@covey/core'
 *
 * const link = encodeLink('invite', new Uint8Array(32).fill(7))
 * try {
 *   console.log(decodeLink(link.slice(0, -3), { kind: 'invite' }))
 * } catch (error) {
 *   if (!isCoveyError(error)) throw error
 *   console.log(error.message, error.hint)
 * }
 * ```
 *
 * @packageDocumentation
 */
export { onAbort, raceSignal, throwIfAborted, withTimeout, type TimeoutOptions } from './abort.js'
export {
  assertBytes,
  assertFunction,
  assertInteger,
  assertOptions,
  assertSignal,
  assertString,
  type IntegerLimits,
  type StringLimits
} from './assert.js'
export { concatBytes, equalBytes } from './bytes.js'
export { createClosers, type Closer, type Closers } from './closers.js'
export {
  defineContent,
  isContent,
  jsonCodec,
  MAX_CONTENT_BYTES,
  type Content,
  type ContentCodec,
  type ContentDefinition,
  type ContentType
} from './content.js'
export { decodeKey, KEY_BYTES } from './decode-key.js'
export { CoreError, CoveyError, isCoveyError, type CoreErrorCode, type CoveyErrorInit } from './errors.js'
export { createEvents, type EventEmitter, type EventHandler, type EventSource } from './events.js'
export {
  decodeLink,
  encodeLink,
  LINK_MAX_BODY_BYTES,
  LINK_MAX_CHARACTERS,
  type DecodeLinkOptions,
  type Link,
  type LinkKind
} from './links.js'
export {
  createAsyncQueue,
  DEFAULT_QUEUE_MAX_LENGTH,
  type AsyncQueue,
  type AsyncQueueIterator,
  type AsyncQueueOptions
} from './queue.js'
export { readBytes, type ByteReader, type ReadBytesOptions } from './read-bytes.js'
export { type Result } from './result.js'
export { createTurns, type Turns } from './turns.js'
export { decodeUtf8, encodeUtf8 } from './utf8.js'
export { writeBytes, type ByteWriter } from './write-bytes.js'
export { decodeZ32, encodeZ32 } from './z32.js'

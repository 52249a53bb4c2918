import { assertFunction, assertInteger, assertOptions, assertString } from './assert.js'
import { decodeUtf8, encodeUtf8 } from './utf8.js'

/** The most bytes that the data of a content may have. What is larger belongs in a file. */
export const MAX_CONTENT_BYTES = 80 * 1_024

/** What a message carries in place of text: of a type that some app or package has defined. Plain data. */
export interface Content {
  /** Which {@link ContentType} made it. */
  readonly type: string
  /** The version of that type. */
  readonly version: number
  /** At most {@link MAX_CONTENT_BYTES}; anything at all, where a peer made it. */
  readonly data: Uint8Array
}

/** How the values of a content type become bytes. */
export interface ContentCodec<Value> {
  /** @throws for a value that is none of the type. */
  encode(value: Value): Uint8Array
  /**
   * @param data comes from anybody: check all of it.
   * @param version the version that encoded it, no later than that of the type.
   * @throws for data that is malformed; {@link ContentType.read} gives `undefined` then.
   */
  decode(data: Uint8Array, version: number): Value
}

export interface ContentDefinition<Value> {
  /**
   * Unlike all others: words of `a`–`z` and `0`–`9`, joined by `.`, `-` and `/`, at most 64 characters. Begin it
   * with a name of your own, as `example.org/recipe`; `covey/` is for Covey's packages.
   */
  readonly name: string
  /** From 1 on; to be raised with each change that older software would misread. At most 65,535. */
  readonly version: number
  readonly codec: ContentCodec<Value>
}

/** A type of content: makes it and reads it. */
export interface ContentType<Value> {
  readonly name: string
  readonly version: number
  /** @throws {TypeError} for more than {@link MAX_CONTENT_BYTES}; what the codec throws. */
  create(value: Value): Content
  /** The value, or `undefined` for content of another type or of a later version, and for malformed data. */
  read(content: Content | undefined): Value | undefined
}

const MAX_NAME_LENGTH = 64
const MAX_VERSION = 65_535
const NAME = /^[a-z0-9]+(?:[./-][a-z0-9]+)*$/

/**
 * Whether `value` is well-formed {@link Content}, of whatever type: what its data says is for that type to read.
 *
 * @example
 * ```ts
 * import { isContent } from '@covey/core'
 *
 * console.log(isContent({ type: 'example.org/recipe', version: 1, data: new Uint8Array() }))
 * ```
 */
export function isContent(value: unknown): value is Content {
  if (typeof value !== 'object' || value === null) return false
  const { type, version, data } = value as Partial<Record<keyof Content, unknown>>
  if (typeof type !== 'string' || type.length > MAX_NAME_LENGTH || !NAME.test(type)) return false
  if (!Number.isInteger(version) || (version as number) < 1 || (version as number) > MAX_VERSION) return false
  return data instanceof Uint8Array && data.length <= MAX_CONTENT_BYTES
}

/**
 * Defines a type of content, for messages that are more than text.
 *
 * @throws {TypeError} that names the field.
 * @example
 * ```ts
 * import { defineContent, jsonCodec } from '@covey/core'
 *
 * const recipe = defineContent({
 *   name: 'example.org/recipe',
 *   version: 1,
 *   codec: jsonCodec((value) => {
 *     const { title } = value as { title?: unknown }
 *     if (typeof title !== 'string') throw new TypeError('a recipe has a title')
 *     return { title }
 *   })
 * })
 * const content = recipe.create({ title: 'Tea' })
 * console.log(recipe.read(content)?.title)
 * ```
 */
export function defineContent<Value>(definition: ContentDefinition<Value>): ContentType<Value> {
  assertOptions(definition, 'definition', ['name', 'version', 'codec'])
  const { name, version, codec } = definition
  assertString(name, 'definition.name', { minLength: 1, maxLength: MAX_NAME_LENGTH })
  if (!NAME.test(name)) throw new TypeError('definition.name must be words of a–z and 0–9, joined by ".", "-" and "/"')
  assertInteger(version, 'definition.version', { min: 1, max: MAX_VERSION })
  assertFunction(codec?.encode, 'definition.codec.encode')
  assertFunction(codec.decode, 'definition.codec.decode')

  return {
    name,
    version,
    create(value) {
      const data = codec.encode(value)
      if (!(data instanceof Uint8Array)) throw new TypeError('definition.codec.encode must return a Uint8Array')
      if (data.length > MAX_CONTENT_BYTES) {
        throw new TypeError(`content has at most ${MAX_CONTENT_BYTES} bytes, this has ${data.length}`)
      }
      return { type: name, version, data }
    },
    read(content) {
      if (content?.type !== name || content.version > version) return undefined
      try {
        return codec.decode(content.data, content.version)
      } catch {
        // By the contract of a codec, and not swallowed: malformed data is unknown content.
        return undefined
      }
    }
  }
}

/**
 * A codec that writes JSON: simple, and readable by whatever reads it later.
 *
 * @param parse checks what was parsed, which may be anything, and returns it as the type; throws if it is none.
 * @example
 * ```ts
 * import { jsonCodec } from '@covey/core'
 *
 * const codec = jsonCodec((value) => {
 *   if (typeof value !== 'number') throw new TypeError('a temperature is a number')
 *   return value
 * })
 * console.log(codec.decode(codec.encode(21), 1))
 * ```
 */
export function jsonCodec<Value>(parse: (value: unknown) => Value): ContentCodec<Value> {
  assertFunction(parse, 'parse')
  return {
    encode: (value) => encodeUtf8(JSON.stringify(parse(value))),
    decode(data) {
      const text = decodeUtf8(data)
      if (!text.ok) throw text.error
      return parse(JSON.parse(text.value))
    }
  }
}

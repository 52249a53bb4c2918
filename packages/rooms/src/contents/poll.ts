import { defineContent, jsonCodec, type ContentType } from '@covey/core'
import { fieldsOf, textIn } from './check.js'

/** A question that members answer: see {@link Room.vote}. */
export interface Poll {
  /** 1 byte to 1,024 as UTF-8. */
  readonly question: string
  /** 2 to 32, each of 1 byte to 256 as UTF-8, no two alike. */
  readonly options: readonly string[]
  /** Whether one may choose more than one of them. */
  readonly isMultiple: boolean
}

const MAX_QUESTION_BYTES = 1_024
const MAX_OPTION_BYTES = 256
const MAX_OPTIONS = 32

function parse(value: unknown): Poll {
  const { question, options, isMultiple } = fieldsOf(value)
  if (!Array.isArray(options) || options.length < 2 || options.length > MAX_OPTIONS) {
    throw new TypeError(`options must be an array of 2 to ${MAX_OPTIONS} texts`)
  }
  const texts = options.map((option, i) => textIn(option, `options[${i}]`, MAX_OPTION_BYTES))
  if (new Set(texts).size < texts.length) throw new TypeError('options must be unlike each other')
  if (typeof isMultiple !== 'boolean') throw new TypeError('isMultiple must be true or false')
  return { question: textIn(question, 'question', MAX_QUESTION_BYTES), options: texts, isMultiple }
}

/** Polls, to be sent as content. */
export const pollContent: ContentType<Poll> = defineContent({ name: 'covey/poll', version: 1, codec: jsonCodec(parse) })

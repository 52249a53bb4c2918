import { assertFunction, assertInteger, assertOptions, assertString } from '@covey/core'
import type { Member, Room } from 'covey'

/** One argument of a command: what it takes, and what a handler gets. Made by {@link arg}. */
export interface Arg<Value> {
  /** What it takes, in words: “a whole number from 1 to 6”. It is shown to who gave something else. */
  readonly expects: string
  /** Whether it may be left out; a handler gets `undefined` then. */
  readonly isOptional: boolean
  /** Whether it takes all that is left of the line, and not one word of it. */
  readonly takesRest: boolean
  /**
   * The value of what was written, or `undefined` if it is none.
   *
   * @param text comes from anybody; one character to {@link MAX_COMMAND_LENGTH}.
   */
  read(text: string, scope: ArgScope): Value | undefined | Promise<Value | undefined>
}

/** Where an argument was given. */
export interface ArgScope {
  /** The room that the command was sent to. */
  readonly room: Room
}

/** The arguments of a command, in their order. */
export type ArgSpec = Readonly<Record<string, Arg<unknown>>>

/** What a handler gets for a spec. */
export type ArgsOf<Spec extends ArgSpec> = {
  readonly [Name in keyof Spec]: Spec[Name] extends Arg<infer Value> ? Value : never
}

/** How long a word or a rest may be, in UTF-16 code units. */
export interface TextArgOptions {
  /** Default 256 for a word, and 4,096 for a rest. */
  readonly maxLength?: number
}

/** Which numbers an argument takes, both ends included. */
export interface NumberArgOptions {
  readonly min?: number
  readonly max?: number
}

/** How {@link arg}`.custom` makes an argument. */
export interface CustomArg<Value> {
  readonly expects: string
  readonly read: Arg<Value>['read']
}

/** What a number looks like; `Number` takes `0x10`, `1e9` and an empty text too. */
const NUMBER = /^[+-]?[0-9]{1,15}(?:\.[0-9]{1,15})?$/

/**
 * The kinds of arguments. Words are parted by spaces; what is in double quotes is one word.
 *
 * @example
 * ```ts
 * import { arg, createBot } from '@covey/bot'
 *
 * const bot = await createBot({ name: 'dice' })
 * const args = { sides: arg.optional(arg.integer({ min: 2, max: 100 })), why: arg.optional(arg.rest()) }
 * bot.command('roll', 'rolls a die', { args }, ({ args: { sides = 6, why = '' }, reply }) =>
 *   reply(`${why} ${1 + Math.floor(Math.random() * sides)}`)
 * )
 * ```
 */
export const arg = {
  /** One word, or several in double quotes. */
  word({ maxLength = 256 }: TextArgOptions = {}): Arg<string> {
    assertInteger(maxLength, 'options.maxLength', { min: 1 })
    return one(`a word of at most ${maxLength} characters`, (text) => (text.length <= maxLength ? text : undefined))
  },
  /** All that is left of the line. Only as the last one. */
  rest({ maxLength = 4_096 }: TextArgOptions = {}): Arg<string> {
    assertInteger(maxLength, 'options.maxLength', { min: 1 })
    const text = one(`a text of at most ${maxLength} characters`, (all) => (all.length <= maxLength ? all : undefined))
    return { ...text, takesRest: true }
  },
  /** A whole number. */
  integer({ min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: NumberArgOptions = {}): Arg<number> {
    assertInteger(min, 'options.min')
    assertInteger(max, 'options.max', { min })
    return one(`a whole number${inRange(min, max)}`, (text) => {
      const value = NUMBER.test(text) ? Number(text) : Number.NaN
      return Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined
    })
  },
  /** A number, with a point before its decimals. */
  number({ min = -Number.MAX_VALUE, max = Number.MAX_VALUE }: NumberArgOptions = {}): Arg<number> {
    if (!(min <= max)) throw new TypeError('options.min must be a number that is at most options.max')
    return one(`a number${inRange(min, max)}`, (text) => {
      const value = NUMBER.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    })
  },
  /** One of these words, written large or small. */
  choice<const Choice extends string>(...choices: readonly [Choice, ...Choice[]]): Arg<Choice> {
    for (const choice of choices) assertString(choice, 'choice', { minLength: 1, maxLength: 64 })
    return one(`one of ${choices.join(', ')}`, (text) => choices.find((each) => each.toLowerCase() === text.toLowerCase()))
  },
  /** Yes or no. */
  flag(): Arg<boolean> {
    const words: Readonly<Record<string, boolean>> = { yes: true, on: true, true: true, no: false, off: false, false: false }
    return one('yes or no', (text) => (Object.hasOwn(words, text.toLowerCase()) ? words[text.toLowerCase()] : undefined))
  },
  /** A member of the room: by id, or by a name that one member alone has. An `@` before it is left out. */
  member(): Arg<Member> {
    return one('a member: the name, if no other member has it, or the id', async (text, { room }) => {
      const wanted = text.replace(/^@/, '').toLowerCase()
      const members = await room.members()
      const named = members.filter(({ name }) => name.toLowerCase() === wanted)
      return members.find(({ id }) => id === wanted) ?? (named.length === 1 ? named[0] : undefined)
    })
  },
  /** An argument that may be left out: one that is followed by others that may be, or by none. */
  optional<Value>(inner: Arg<Value>): Arg<Value | undefined> {
    return { ...inner, isOptional: true }
  },
  /** An argument of a kind of your own. Check all of what it is given, without a regular expression that can run long. */
  custom<Value>(custom: CustomArg<Value>): Arg<Value> {
    assertOptions(custom, 'custom', ['expects', 'read'])
    assertString(custom.expects, 'custom.expects', { minLength: 1, maxLength: 200 })
    assertFunction(custom.read, 'custom.read')
    return one(custom.expects, custom.read)
  }
}

function one<Value>(expects: string, read: Arg<Value>['read']): Arg<Value> {
  return { expects, isOptional: false, takesRest: false, read }
}

function inRange(min: number, max: number): string {
  const from = min > Number.MIN_SAFE_INTEGER ? ` from ${min}` : ''
  return max < Number.MAX_SAFE_INTEGER ? `${from} ${from === '' ? 'up ' : ''}to ${max}` : from
}

import type { Room } from 'covey'
import type { ArgSpec } from '../args.js'
import { MAX_COMMAND_LENGTH } from '../constants.js'

/** What a text that looks like a command says. */
export interface CommandLine {
  /** In small letters. */
  readonly name: string
  /** Which bot it is for, in small letters; `undefined` for any. */
  readonly to: string | undefined
  readonly rest: string
}

/** Linear, whatever the text is. */
const COMMAND = /^\/([a-z0-9][a-z0-9_-]{0,31})(?:@([^\s@]{1,256}))?(?=\s|$)/iu

/** `undefined` for a text that is no command. */
export function readCommandLine(text: string): CommandLine | undefined {
  const [all, name, to] = COMMAND.exec(text.slice(0, MAX_COMMAND_LENGTH)) ?? []
  if (all === undefined || name === undefined) return undefined
  return { name: name.toLowerCase(), to: to?.toLowerCase(), rest: text.slice(all.length).trim() }
}

/** How a bot of this name is addressed. */
export function addressOf(name: string): string {
  return name.trim().replace(/\s+/gu, '-').replaceAll('@', '').toLowerCase()
}

export type ReadArgs = { readonly ok: true; readonly args: Record<string, unknown> } | { readonly ok: false; readonly problem: string }

/** The arguments in a text, checked against what a command asks for. */
export async function readArgs(text: string, spec: ArgSpec, room: Room): Promise<ReadArgs> {
  if (text.length > MAX_COMMAND_LENGTH) return misuse(`That is longer than ${MAX_COMMAND_LENGTH} characters.`)
  const args: Record<string, unknown> = {}
  let left = text
  for (const [name, arg] of Object.entries(spec)) {
    const word = arg.takesRest ? { value: left, left: '' } : takeWord(left)
    if (word === undefined) return misuse('A quote is not closed.')
    if (word.value === '' && word.left === left) {
      if (!arg.isOptional) return misuse(`${name} is missing: ${arg.expects}.`)
      args[name] = undefined
      continue
    }
    const value = word.value === '' ? undefined : await arg.read(word.value, { room })
    if (value === undefined) return misuse(`${name} must be ${arg.expects}.`)
    args[name] = value
    left = word.left
  }
  return left === '' ? { ok: true, args } : misuse('That is more than it takes.')
}

/** What to write, as `/roll [sides] [why…]`. */
export function usageOf(name: string, spec: ArgSpec): string {
  const args = Object.entries(spec).map(([arg, { isOptional, takesRest }]) => {
    const inner = takesRest ? `${arg}…` : arg
    return isOptional ? `[${inner}]` : `<${inner}>`
  })
  return [`/${name}`, ...args].join(' ')
}

const CLOSING: Readonly<Record<string, string>> = { '"': '"', '“': '”', '„': '“' }

/** The first word, or what is in quotes; `undefined` for a quote without its end. */
function takeWord(text: string): { value: string; left: string } | undefined {
  const closing = CLOSING[text[0] ?? '']
  if (closing === undefined) {
    const end = text.search(/\s/u)
    return end === -1 ? { value: text, left: '' } : { value: text.slice(0, end), left: text.slice(end).trimStart() }
  }
  const end = text.indexOf(closing, 1)
  return end === -1 ? undefined : { value: text.slice(1, end), left: text.slice(end + 1).trimStart() }
}

function misuse(problem: string): ReadArgs {
  return { ok: false, problem }
}

import { parseArgs } from 'node:util'
import { localNetwork } from 'covey'
import { ChatError } from './chat-error.js'

/** What the program was asked to do. */
export interface Command {
  readonly verb: 'create' | 'join' | 'reopen' | 'help'
  /** The invite to join by. */
  readonly invite: string
  readonly storage: string
  readonly name: string | undefined
  /** A network of one's own: `host:port`, or `embedded` to start it here. Else the public one. */
  readonly local: string | undefined
}

export const USAGE = `A chat in two terminals.

  npm start -- create          makes a room and prints an invite to it
  npm start -- join <invite>   joins the room of an invite
  npm start                    opens the last room again

  --storage <folder>      where everything is kept (default ./chat); one folder a person
  --name <name>           what the others see
  --local [<host:port>]   talks on a local network; without an address it starts one
  --help                  shows this`

const KNOWN = 'Commands: create, join <invite>, or none to open the last room. Options: --storage, --name, --local, --help.'

/** @throws {ChatError} for what it does not know, with what it does */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  const { storage = './chat', name, local } = values
  if (storage === '') throw new ChatError('--storage needs a folder.', 'Such as --storage ./alice.')
  const [verb = 'reopen', invite, ...rest] = positionals
  const command = { invite: invite ?? '', storage, name, local: local === undefined ? undefined : parseLocal(local) }
  if (values.help) return { ...command, verb: 'help' }
  switch (verb) {
    case 'reopen':
      return { ...command, verb }
    case 'create':
      if (invite !== undefined) throw new ChatError(`create does not take '${invite}'.`, KNOWN)
      return { ...command, verb }
    case 'join':
      if (invite === undefined) throw new ChatError('join needs an invite.', 'It is what create prints: join covey:invite/…')
      if (rest.length > 0) throw new ChatError(`join takes one invite, not also '${rest[0]}'.`, KNOWN)
      if (local === '') throw new ChatError('join needs the address of the local network.', 'The other terminal shows it: --local <host:port>.')
      return { ...command, verb }
    default:
      throw new ChatError(`There is no command '${verb}'.`, KNOWN)
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: args.map((arg, i) => (arg === '--local' && !isValue(args[i + 1]) ? '--local=' : arg)),
      allowPositionals: true,
      options: {
        storage: { type: 'string' },
        name: { type: 'string' },
        local: { type: 'string' },
        help: { type: 'boolean', short: 'h' }
      }
    })
  } catch (error) {
    // Its first sentence says what is wrong; the others are about parseArgs.
    throw new ChatError(`${(error as Error).message.split(/\.\s/)[0]}.`, KNOWN)
  }
}

/** Whether `arg` follows `--local` as its address: it may be left out. */
function isValue(arg: string | undefined): boolean {
  return arg !== undefined && !arg.startsWith('-') && arg !== 'create' && arg !== 'join'
}

function parseLocal(text: string): string {
  if (text === '') return 'embedded'
  try {
    localNetwork([text])
    return text
  } catch {
    throw new ChatError(`--local takes host:port, not '${text}'.`, 'Such as --local 127.0.0.1:49737.')
  }
}

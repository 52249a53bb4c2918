import { parseArgs } from 'node:util'
import { localNetwork, publicNetwork, type Network } from 'covey'
import { SendError } from './send-error.js'

export interface SendCommand {
  readonly verb: 'send'
  readonly path: string
  readonly network: Network
}

export interface GetCommand {
  readonly verb: 'get'
  readonly link: string
  /** Where the file is saved. */
  readonly folder: string
  /** Where what has arrived is remembered, so that the same command goes on from there. Else it is thrown away. */
  readonly storage: string | undefined
  readonly network: Network
}

export const USAGE = `Sends a file by a link.

  npm start -- send <path>             prints a link, and gives the file to whoever has it, until Ctrl-C
  npm start -- get <link> [<folder>]   saves the file of a link, here or in a folder

  --storage <folder>    for get: remembers what has arrived, so that it can be interrupted
  --local <host:port>   talks on a network of one's own
  --help                shows this`

const KNOWN = 'Commands: send <path>, get <link> [<folder>]. Options: --storage, --local, --help.'

/** @throws {SendError} for what it does not know, with what it does */
export function parseCommand(args: readonly string[]): SendCommand | GetCommand | { readonly verb: 'help' } {
  const { values, positionals } = parse(args)
  if (values.help) return { verb: 'help' }
  const [verb, what, folder, ...rest] = positionals
  const { storage } = values
  const network = parseLocal(values.local)
  if (rest.length > 0) throw new SendError(`There is no use for '${rest[0]}'.`, KNOWN)
  switch (verb) {
    case 'send':
      if (!what) throw new SendError('send needs the path of a file.', 'Such as send ./film.mp4.')
      if (folder !== undefined) throw new SendError(`send takes one file, not also '${folder}'.`, 'A second one is sent from another terminal.')
      if (storage !== undefined) throw new SendError('send remembers nothing, and takes no --storage.', KNOWN)
      return { verb, path: what, network }
    case 'get':
      if (!what) throw new SendError('get needs a link.', 'It is what send prints: get covey:file/…')
      if (storage === '') throw new SendError('--storage needs a folder.', 'Such as --storage ./downloads.')
      return { verb, link: what, folder: folder || '.', storage, network }
    case undefined:
      throw new SendError('There is nothing to do.', KNOWN)
    default:
      throw new SendError(`There is no command '${verb}'.`, KNOWN)
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { storage: { type: 'string' }, local: { type: 'string' }, help: { type: 'boolean', short: 'h' } }
    })
  } catch (error) {
    // Its first sentence says what is wrong; the others are about parseArgs.
    throw new SendError(`${(error as Error).message.split(/\.\s/)[0]}.`, KNOWN)
  }
}

function parseLocal(address: string | undefined): Network {
  if (address === undefined) return publicNetwork()
  try {
    return localNetwork([address])
  } catch {
    throw new SendError(`--local takes host:port, not '${address}'.`, 'Such as --local 127.0.0.1:49737.')
  }
}

import { parseArgs } from 'node:util'
import { localNetwork, publicNetwork, type Network } from 'covey'

export interface Options {
  readonly storage: string
  readonly network: Network
  /** An invite to a room that the bot shall come to. */
  readonly join: string | undefined
}

/** `--storage <folder>`, `--join <invite>`, and `--local <host:port>` for a network of one's own. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { storage: { type: 'string', default: './bot' }, join: { type: 'string' }, local: { type: 'string' } }
  })
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(values.local ?? '') ?? []
  if (values.local !== undefined && host === undefined) throw new TypeError('--local takes host:port')
  const network = host === undefined ? publicNetwork() : localNetwork([{ host, port: Number(port) }])
  return { storage: values.storage, network, join: values.join }
}

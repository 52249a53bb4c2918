import { parseArgs } from 'node:util'
import { localNetwork, publicNetwork, type Network } from 'covey'

export interface Options {
  readonly storage: string
  /** What the others in the vault see. */
  readonly name: string
  readonly network: Network
  /** An invite to a vault that is there. */
  readonly join: string | undefined
}

/** `--storage <folder>`, `--name <name>`, `--join <invite>`, and `--local <host:port>` for a network of one's own. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      storage: { type: 'string', default: './vault' },
      name: { type: 'string', default: 'me' },
      join: { type: 'string' },
      local: { type: 'string' }
    }
  })
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(values.local ?? '') ?? []
  if (values.local !== undefined && host === undefined) throw new TypeError('--local takes host:port')
  const network = host === undefined ? publicNetwork() : localNetwork([{ host, port: Number(port) }])
  return { storage: values.storage, name: values.name, network, join: values.join }
}

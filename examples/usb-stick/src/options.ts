import { parseArgs } from 'node:util'
import { localNetwork, publicNetwork, type Network } from 'covey'

export interface Options {
  readonly storage: string
  readonly name: string
  readonly network: Network
  /** The folder that is carried. */
  readonly stick: string | undefined
  readonly join: string | undefined
  readonly isInviting: boolean
  /** What to say. */
  readonly text: string
}

/** `--storage <folder> --name <name>`, and `--invite`, `--join <link>`, or `--stick <folder> [text]`. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      storage: { type: 'string', default: './peer' },
      name: { type: 'string', default: 'me' },
      stick: { type: 'string' },
      join: { type: 'string' },
      invite: { type: 'boolean', default: false },
      local: { type: 'string' }
    }
  })
  const { storage, name, stick, join, invite: isInviting } = values
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(values.local ?? '') ?? []
  if (values.local !== undefined && host === undefined) throw new TypeError('--local takes host:port')
  const network = host === undefined ? publicNetwork() : localNetwork([{ host, port: Number(port) }])
  return { storage, name, network, stick, join, isInviting, text: positionals.join(' ') }
}

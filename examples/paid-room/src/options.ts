import { parseArgs } from 'node:util'
import { createNwcProvider } from '@covey/payments/nwc'
import type { Money, PaymentProvider } from '@covey/payments'
import { localNetwork, publicNetwork, type Network } from 'covey'
import WebSocket from 'ws'

export interface Options {
  readonly storage: string
  readonly network: Network
  /** The wallet that is paid. */
  readonly wallet: PaymentProvider
  /** In millisatoshis. */
  readonly price: Money
}

/** `--price <millisatoshis>`, `--storage <folder>`, and `--local <host:port>` for a network of one's own. The wallet is in the environment: it is a secret. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { price: { type: 'string', default: '21000' }, storage: { type: 'string', default: './bot' }, local: { type: 'string' } }
  })
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(values.local ?? '') ?? []
  if (values.local !== undefined && host === undefined) throw new TypeError('--local takes host:port')
  if (!/^[1-9][0-9]{0,15}$/.test(values.price)) throw new TypeError('--price takes millisatoshis')
  const { NWC_URL: url, NWC_NETWORK: name = 'bc' } = env
  if (url === undefined) throw new TypeError('NWC_URL takes the connection string of a wallet, nostr+walletconnect://…')
  const wallet = createNwcProvider({ url, network: name as 'bc', WebSocket })
  const network = host === undefined ? publicNetwork() : localNetwork([{ host, port: Number(port) }])
  return { storage: values.storage, network, wallet, price: { asset: `lightning:${name}/slip44:0`, amount: BigInt(values.price) } }
}

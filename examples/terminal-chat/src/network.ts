import { localNetwork, publicNetwork, type Network, type NetworkAddress } from 'covey'
import { createLocalNetwork } from '@covey/testing'
import type { Command } from './command.js'

export interface ChatNetwork {
  readonly network: Network
  /** Where others find it, `host:port`; none for the public one. */
  readonly address: string | undefined
  [Symbol.asyncDispose](): Promise<void>
}

/** The network of a command. An embedded one lives as long as this program. */
export async function openNetwork(local: Command['local']): Promise<ChatNetwork> {
  const nothing = async (): Promise<void> => undefined
  if (local === undefined) return { network: publicNetwork(), address: undefined, [Symbol.asyncDispose]: nothing }
  if (local !== 'embedded') return { network: localNetwork([local]), address: local, [Symbol.asyncDispose]: nothing }
  const dht = await createLocalNetwork()
  const [{ host, port }] = dht.bootstrap as [NetworkAddress]
  return { network: localNetwork(dht.bootstrap), address: `${host}:${port}`, [Symbol.asyncDispose]: () => dht.close() }
}

import type { LightningNode } from '@covey/payments/ldk'
import { fundingTx, type FakeChain } from './fake-chain.js'

/** Where money goes when a channel is closed. */
export const PAYOUT = Uint8Array.from([0, 20, ...Array.from({ length: 20 }, () => 7)])

/** Between nodes that are connected: 1,000,000 satoshis, all of them the first one's. */
export async function openChannel(chain: FakeChain, from: LightningNode, to: LightningNode): Promise<string> {
  const ready = Promise.all([from.once('channelReady'), to.once('channelReady')])
  const broadcast = chain.nextBroadcast()
  const id = await from.openChannel({ peer: to.id, amountSat: 1_000_000n, fund: async ({ script, amountSat }) => fundingTx(script, amountSat) })
  await broadcast
  chain.mine(6)
  await Promise.all([from.sync(), to.sync()])
  await ready
  return id
}

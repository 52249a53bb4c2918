import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createEsploraChain, createLdkProvider, linkOfStream, openLightningNode } from '@covey/payments/ldk'
import { PAYOUT } from '../../packages/payments/test/ldk/channel.js'
import type { Rail } from './rail.js'
import type { RailWallet } from './wallet.js'

const POLL_MS = 5
const MSAT = { id: 'lightning:bcrt/slip44:0', symbol: 'rBTC', decimals: 11 }

/** A node that runs for as long as the process. */
export async function openLdkWallet({ url, seed, payee, port }: Extract<Rail['access'], { kind: 'ldk' }>, folder: string): Promise<RailWallet> {
  const node = await openLightningNode({
    storage: join(folder, 'node'),
    seed: bytesOf(seed),
    network: 'regtest',
    chain: createEsploraChain(url),
    payoutScript: PAYOUT,
    pollIntervalMs: 0
  })
  await node.connect(bytesOf(payee), linkOfStream(connect(port, '127.0.0.1')))
  // The two nodes agree on where they are first. A node tells nobody when they have.
  while (!node.channels().some(({ isUsable }) => isUsable)) await delay(POLL_MS)
  return { provider: createLdkProvider(node), asset: MSAT, maxFee: { asset: MSAT.id, amount: 0n }, pollMs: 50 }
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

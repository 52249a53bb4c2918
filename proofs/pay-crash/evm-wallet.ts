import { createEvmProvider } from '@covey/payments/evm'
import { CHAIN_ID, viemWallet } from '../../packages/payments/test/support/evm.js'
import type { Rail } from './rail.js'
import type { RailWallet } from './wallet.js'

export async function openEvmWallet({ url, token, key }: Extract<Rail['access'], { kind: 'evm' }>): Promise<RailWallet> {
  const asset = { id: token, symbol: 'USDt', decimals: 6 }
  const provider = createEvmProvider({
    chainId: CHAIN_ID,
    rpcUrls: [url],
    tokens: [asset],
    confirmations: 2,
    waitMs: 5_000,
    pollMs: 10,
    wallet: viemWallet(key)
  })
  return { provider, asset, maxFee: { asset: `eip155:${CHAIN_ID}/slip44:60`, amount: 10n ** 18n }, pollMs: 100 }
}

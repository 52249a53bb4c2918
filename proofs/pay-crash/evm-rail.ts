import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { deployToken, startAnvil, viemWallet } from '../../packages/payments/test/support/evm.js'
import type { Rail } from './rail.js'

const BLOCK_MS = 25
/** A payment takes two blocks, and some ten questions to the chain before them. */
const MAX_LIFE_MS = 500
const OPEN_MS = 20
const COINS = 10n ** 21n

/** A chain of its own, with a token that returns nothing, and blocks that come by themselves. */
export async function createEvmRail(): Promise<Rail> {
  const anvil = await startAnvil(false)
  let isClosed = false
  const mining = (async () => {
    while (!isClosed) {
      await anvil.mine(1)
      await delay(BLOCK_MS)
    }
  })()
  const token = await deployToken(anvil)
  const key = `0x${randomBytes(32).toString('hex')}` as const
  const payer = (await viemWallet(key).getAddress()) as `0x${string}`
  await anvil.client.setBalance({ address: payer, value: COINS })
  await token.transfer(payer, COINS)
  return {
    asset: token.asset.id,
    amount: 1_000_000n,
    maxLifeMs: MAX_LIFE_MS,
    openMs: OPEN_MS,
    access: { kind: 'evm', url: anvil.url, token: token.asset.id, key },
    createMethod: () => ({ type: 'evm', data: Uint8Array.from(randomBytes(20)) }),
    answer: () => Promise.reject(new Error('A wallet asks the chain by itself.')),
    paid: ({ data }) => token.balanceOf(`0x${Buffer.from(data).toString('hex')}`),
    async close() {
      isClosed = true
      await mining
      await anvil.close()
    }
  }
}

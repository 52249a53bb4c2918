import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { decodeBolt11 } from '@covey/payments/bolt11'
import { createLdkProvider, linkOfStream, openLightningNode, type LightningNodeInit } from '@covey/payments/ldk'
import { Ledger } from '../../packages/payments/src/internal/ldk/ledger.js'
import { openChannel, PAYOUT } from '../../packages/payments/test/ldk/channel.js'
import { serveEsplora } from '../../packages/payments/test/ldk/esplora-server.js'
import { FakeChain } from '../../packages/payments/test/ldk/fake-chain.js'
import type { Rail } from './rail.js'

const AMOUNT_MSAT = 5_000n
/** What a node takes to find its channel usable again, and to pay three times. */
const MAX_LIFE_MS = 300
/** What it takes to start. */
const OPEN_MS = 400
/** A channel of a million satoshis, less the hundredth that LDK keeps as a reserve. */
const SPENDABLE_MSAT = 990_000_000n
const NODE_BYTES = 33

/** Of all payees in this process, for as long as it runs: two rails run side by side, and one ends before the other. */
Ledger.prototype.hasReceived = () => false

/**
 * The embedded node in the wallet's process, and the payee's here, with a channel between them. The payee is one that
 * claims whatever arrives, as often as it arrives, so that a second payment is one.
 */
export async function createLdkRail(folder: string): Promise<Rail> {
  const wasm = await readFile(createRequire(new URL('../../packages/payments/package.json', import.meta.url)).resolve('lightningdevkit/liblightningjs.wasm'))
  const chain = new FakeChain()
  const esplora = await serveEsplora(chain)
  const common = { network: 'regtest', chain, payoutScript: PAYOUT, pollIntervalMs: 0, wasm } satisfies Partial<LightningNodeInit>
  const payers = { ...common, storage: join(folder, 'node'), seed: Uint8Array.from(randomBytes(32)) }
  const payee = await openLightningNode({ ...common, storage: join(folder, 'payee'), seed: Uint8Array.from(randomBytes(32)), acceptChannel: () => true })
  const server = createServer((socket) => void payee.accept(linkOfStream(socket))).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const payer = await openLightningNode(payers)
  await payer.connect(payee.id, linkOfStream(connect(port, '127.0.0.1')))
  await openChannel(chain, payer, payee)
  await payer.close()

  const received = new Map<string, bigint>()
  payee.on('received', ({ paymentHash, amountMsat }) => {
    const key = keyOf(paymentHash)
    received.set(key, (received.get(key) ?? 0n) + amountMsat)
  })
  return {
    asset: 'lightning:bcrt/slip44:0',
    amount: AMOUNT_MSAT,
    maxLifeMs: MAX_LIFE_MS,
    openMs: OPEN_MS,
    access: { kind: 'ldk', url: esplora.url, seed: keyOf(payers.seed), payee: keyOf(payee.id), port },
    createMethod: (core) => createLdkProvider(payee).createMethod(core),
    answer: () => Promise.reject(new Error('A wallet asks its node.')),
    async paid({ data }) {
      const invoice = decodeBolt11(Buffer.from(data.subarray(NODE_BYTES)).toString())
      if (!invoice.ok) throw invoice.error
      return received.get(keyOf(invoice.value.paymentHash)) ?? 0n
    },
    async check(count) {
      const again = await openLightningNode(payers)
      const held = again.channels()[0]?.outboundMsat
      await again.close()
      const expected = SPENDABLE_MSAT - BigInt(count) * AMOUNT_MSAT
      if (held !== expected) throw new Error(`After ${count} payments the channel holds ${held} millisatoshis, and not ${expected}.`)
    },
    async close() {
      server.close()
      await payee.close()
      await esplora.close()
    }
  }
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

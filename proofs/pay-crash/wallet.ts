// A process of its own, because what is tried is that it may be killed at any moment.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createFileSecretStore, openIdentity } from '@covey/identity'
import {
  createAssetRegistry,
  createPayments,
  openFileJournal,
  readRequest,
  type PaymentOutcome,
  type PaymentProvider,
  type PaymentRequest
} from '@covey/payments'
import { createEvmProvider } from '@covey/payments/evm'
import { CHAIN_ID, viemWallet } from '../../packages/payments/test/support/evm.js'
import type { Order, RailCall, Told } from './protocol.js'
import type { Rail } from './rail.js'

const PIPE_ASSET = { id: 'test:pipe/slip44:1', symbol: 'PIPE', decimals: 0 }
const NEVER_MIND = ['UNKNOWN_OUTCOME', 'PAYMENT_FAILED']
const POLL_MS = 5

const folder = process.argv[2]!
const access = JSON.parse(process.argv[3]!) as Rail['access']
const waiting = new Map<number, (outcome: PaymentOutcome) => void>()
let asked = 0

function tell(told: Told): void {
  process.send!(told)
}

function askRail(call: RailCall): Promise<PaymentOutcome> {
  return new Promise((resolve) => {
    waiting.set(asked, resolve)
    tell({ type: 'rail', ask: asked++, ...call })
  })
}

const pipe: PaymentProvider = {
  name: 'pipe',
  methods: ['pipe'],
  capabilities: { receive: false, pay: true, verify: true },
  supports: (asset) => asset === PIPE_ASSET.id,
  createMethod: () => Promise.reject(new Error('not here')),
  quote: async ({ method }) => ({ fee: { asset: PIPE_ASSET.id, amount: 0n }, destination: method.data.slice(0, 32) }),
  async pay({ method }, { save }) {
    const invoice = method.data.slice(0, 32)
    await save(invoice)
    return askRail({ call: 'pay', invoice })
  },
  lookup: (_, invoice) => askRail({ call: 'lookup', invoice }),
  async verify({ method, proof }) {
    const isProven = createHash('sha256').update(proof).digest().equals(method.data.subarray(0, 32))
    return { status: isProven ? 'valid' : 'invalid', level: 'preimage', confirmations: null, spends: null, reason: '' }
  }
}

function evm({ url, token, key }: Extract<Rail['access'], { kind: 'evm' }>): PaymentProvider {
  return createEvmProvider({
    chainId: CHAIN_ID,
    rpcUrls: [url],
    tokens: [{ id: token, symbol: 'USDt', decimals: 6 }],
    confirmations: 2,
    waitMs: 5_000,
    pollMs: 10,
    wallet: viemWallet(key)
  })
}

const asset = access.kind === 'pipe' ? PIPE_ASSET : { id: access.token, symbol: 'USDt', decimals: 6 }
const maxFee = access.kind === 'pipe' ? { asset: asset.id, amount: 0n } : { asset: `eip155:${CHAIN_ID}/slip44:60`, amount: 10n ** 18n }
const payments = createPayments({
  signer: await openIdentity({ storage: createFileSecretStore(join(folder, 'identity')) }),
  journal: await openFileJournal(join(folder, 'journal')),
  providers: [access.kind === 'pipe' ? pipe : evm(access)],
  assets: createAssetRegistry([asset])
})

async function payOne(request: PaymentRequest): Promise<void> {
  for (;;) {
    try {
      const { requestHash } = await payments.pay(request, { maxFee })
      return tell({ type: 'paid', requestHash })
    } catch (error) {
      if (!NEVER_MIND.includes((error as { code?: string }).code ?? '')) throw error
    }
    // What is on its way is asked about again; the rail tells nobody by itself.
    await delay(access.kind === 'pipe' ? POLL_MS : 20 * POLL_MS)
  }
}

function open(bytes: Uint8Array, room: Uint8Array): PaymentRequest {
  const request = readRequest(bytes, { room, atMs: Date.now() })
  if (!request.ok) throw request.error
  return request.value
}

process.on('message', (order: Order) => {
  if (order.type === 'answer') return waiting.get(order.ask)?.(order.outcome)
  const onfailure = (error: Error): void => tell({ type: 'failed', message: error.stack ?? error.message })
  // Recovering and paying the same at once is what an app may well do.
  payments.recover().catch(onfailure)
  for (const bytes of order.requests) payOne(open(bytes, order.room)).catch(onfailure)
})
process.on('disconnect', () => process.exit(0))
tell({ type: 'ready' })

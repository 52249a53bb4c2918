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
import type { Order, RailCall, Told } from './protocol.js'

const ASSET = 'test:pipe/slip44:1'
const NEVER_MIND = ['UNKNOWN_OUTCOME', 'PAYMENT_FAILED']
const POLL_MS = 5

const folder = process.argv[2]!
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

const provider: PaymentProvider = {
  name: 'pipe',
  methods: ['pipe'],
  capabilities: { receive: false, pay: true, verify: true },
  supports: (asset) => asset === ASSET,
  createMethod: () => Promise.reject(new Error('not here')),
  quote: async ({ method }) => ({ fee: { asset: ASSET, amount: 0n }, destination: method.data.slice(0, 32) }),
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

const payments = createPayments({
  signer: await openIdentity({ storage: createFileSecretStore(join(folder, 'identity')) }),
  journal: await openFileJournal(join(folder, 'journal')),
  providers: [provider],
  assets: createAssetRegistry([{ id: ASSET, symbol: 'PIPE', decimals: 0 }])
})

async function payOne(request: PaymentRequest): Promise<void> {
  for (;;) {
    try {
      const { requestHash } = await payments.pay(request, { maxFee: { asset: ASSET, amount: 0n } })
      return tell({ type: 'paid', requestHash })
    } catch (error) {
      if (!NEVER_MIND.includes((error as { code?: string }).code ?? '')) throw error
    }
    // What is on its way is asked about again; the rail tells nobody by itself.
    await delay(POLL_MS)
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

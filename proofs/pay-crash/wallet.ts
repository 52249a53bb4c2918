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
  type Asset,
  type Fee,
  type PaymentOutcome,
  type PaymentProvider,
  type PaymentRequest
} from '@covey/payments'
import type { Order, RailCall, Told } from './protocol.js'
import type { Rail } from './rail.js'

/** What a wallet pays by. */
export interface RailWallet {
  readonly provider: PaymentProvider
  readonly asset: Asset
  readonly maxFee: Fee
  /** How soon it is asked again what is on its way; no rail tells by itself. */
  readonly pollMs: number
}

const PIPE_ASSET = { id: 'test:pipe/slip44:1', symbol: 'PIPE', decimals: 0 }
/** A node that has just started meets its peer again first (`NO_ROUTE`), and has room for 50 payments (`PROVIDER_UNAVAILABLE`). */
const NEVER_MIND = ['UNKNOWN_OUTCOME', 'PAYMENT_FAILED', 'NO_ROUTE', 'PROVIDER_UNAVAILABLE']

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

/** Loads what the rail takes before anything is timed, and gives what opens it. */
async function loadRail(): Promise<() => Promise<RailWallet>> {
  switch (access.kind) {
    case 'pipe':
      return async () => ({ provider: pipe, asset: PIPE_ASSET, maxFee: { asset: PIPE_ASSET.id, amount: 0n }, pollMs: 5 })
    case 'evm': {
      const { openEvmWallet } = await import('./evm-wallet.js')
      return () => openEvmWallet(access)
    }
    case 'ldk': {
      const { openLdkWallet } = await import('./ldk-wallet.js')
      return () => openLdkWallet(access, folder)
    }
  }
}

async function payAll({ room, requests }: Extract<Order, { type: 'pay' }>): Promise<void> {
  const { provider, asset, maxFee, pollMs } = await openRail()
  const payments = createPayments({
    signer: await openIdentity({ storage: createFileSecretStore(join(folder, 'identity')) }),
    journal: await openFileJournal(join(folder, 'journal')),
    providers: [provider],
    assets: createAssetRegistry([asset])
  })
  tell({ type: 'open' })
  // Recovering and paying the same at once is what an app may well do.
  await Promise.all([payments.recover(), ...requests.map((bytes) => payOne(read(bytes, room)))])

  async function payOne(request: PaymentRequest): Promise<void> {
    for (;;) {
      try {
        const { requestHash } = await payments.pay(request, { maxFee })
        return tell({ type: 'paid', requestHash })
      } catch (error) {
        if (!NEVER_MIND.includes((error as { code?: string }).code ?? '')) throw error
      }
      await delay(pollMs)
    }
  }
}

function read(bytes: Uint8Array, room: Uint8Array): PaymentRequest {
  const request = readRequest(bytes, { room, atMs: Date.now() })
  if (!request.ok) throw request.error
  return request.value
}

const openRail = await loadRail()
process.on('message', (order: Order) => {
  if (order.type === 'answer') return waiting.get(order.ask)?.(order.outcome)
  payAll(order).catch((error: Error) => tell({ type: 'failed', message: error.stack ?? error.message }))
})
process.on('disconnect', () => process.exit(0))
tell({ type: 'ready' })

/** The gate of a payee's process, which the test kills: it asks, opens what was paid, and tells what it does. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openIdentity, createMemorySecretStore } from '@covey/identity'
import { encodeZ32 } from '@covey/core'
import { createGate, createMemoryJournal, createPayments, openGateJournal, type PaymentProvider } from '@covey/payments'
import { TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import { ROOM } from './people.js'

const PHRASE = `${'abandon '.repeat(23)}art`
const ROUNDS = 20
const folder = process.argv[2]!
const isLast = process.argv[3] === 'last'

function tell(message: object): Promise<void> {
  return new Promise((resolve, reject) => process.send!(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error))))
}


/** A wallet elsewhere, which outlives the process: the test pays by making a file. */
const provider: PaymentProvider = {
  name: 'test',
  methods: ['test'],
  capabilities: { receive: true, pay: false, verify: false },
  supports: (asset) => asset === TEST_ASSET,
  createMethod: async ({ coreHash }) => ({ type: 'test', data: coreHash }),
  received: async ({ request }) => existsSync(join(folder, `paid-${encodeZ32(request.coreHash)}`)),
  quote: () => Promise.reject(new Error('It does not pay.')),
  pay: () => Promise.reject(new Error('It does not pay.')),
  lookup: () => Promise.reject(new Error('It does not pay.')),
  verify: () => Promise.reject(new Error('It does not verify.'))
}
const signer = await openIdentity({ phrase: PHRASE, storage: createMemorySecretStore() })
const gate = createGate({
  payments: createPayments({ signer, journal: createMemoryJournal(), providers: [provider], assets: TEST_ASSETS }),
  journal: await openGateJournal(join(folder, 'journal')),
  room: ROOM,
  name: 'tea',
  purpose: 'A cup of tea',
  price: { asset: TEST_ASSET, amount: 100n },
  grant: async () => Uint8Array.from(randomBytes(16))
})
for (let round = 0; round < (isLast ? 1 : ROUNDS); round++) {
  for (const { requestHash, grant } of await gate.recover()) await tell({ opened: encodeZ32(requestHash), grant: encodeZ32(grant) })
  // What was granted before is told again: nobody may have heard of it.
  for (const { state, requestHash } of gate.list()) {
    if (state === 'asked') continue
    const { grant } = await gate.open(requestHash)
    await tell({ opened: encodeZ32(requestHash), grant: encodeZ32(grant) })
  }
  if (!isLast) await tell({ asked: (await gate.ask(Uint8Array.from(randomBytes(32)))).bytes })
}
await tell({ done: true })

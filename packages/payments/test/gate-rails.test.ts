import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseEther, type Hex } from 'viem'
import { createAssetRegistry, createGate, createMemoryGateJournal, createMemoryJournal, createPayments, signReceipt, type Gate } from '@covey/payments'
import { createEvmProvider } from '@covey/payments/evm'
import { CHAIN_ID, deployToken, startAnvil, viemWallet, type Anvil } from './support/evm.js'
import { codeOf, person, ROOM } from './support/people.js'

const [alice, bob, mallory] = await Promise.all([person(), person(), person()])
const AMOUNT = 2_500_000n
const maxFee = { asset: `eip155:${CHAIN_ID}/slip44:60`, amount: parseEther('0.1') }

let anvil: Anvil
beforeAll(async () => {
  anvil = await startAnvil()
})
afterAll(() => anvil.close())

/** A gate on a chain where a payment counts when it is three blocks deep; bob, whose wallet says `pending` before that, and mallory. */
async function world() {
  const token = await deployToken(anvil)
  const common = { chainId: CHAIN_ID, rpcUrls: [anvil.url], tokens: [token.asset], confirmations: 3, pollMs: 10, waitMs: 1 }
  const assets = createAssetRegistry([token.asset])
  const wallet = async (signer: typeof bob) => {
    const account = viemWallet(`0x${randomBytes(32).toString('hex')}`)
    const address = (await account.getAddress()) as Hex
    await anvil.client.setBalance({ address, value: parseEther('1') })
    await token.transfer(address, AMOUNT * 4n)
    return createPayments({ signer, journal: createMemoryJournal(), providers: [createEvmProvider({ ...common, wallet: account })], assets })
  }
  const [bobs, mallorys] = [await wallet(bob), await wallet(mallory)]
  const receive = async (): Promise<string> => `0x${randomBytes(20).toString('hex')}`
  const payments = createPayments({ signer: alice, journal: createMemoryJournal(), providers: [createEvmProvider({ ...common, receive })], assets })
  const granted: Uint8Array[] = []
  const gate = createGate({
    payments,
    journal: createMemoryGateJournal(),
    room: ROOM,
    name: 'tea',
    purpose: 'A cup of tea',
    price: { asset: token.asset.id, amount: AMOUNT },
    grant: async ({ payer }) => {
      granted.push(payer)
      return new Uint8Array()
    }
  })
  return { token, gate, granted, bobs, mallorys, payments }
}

/** Pays, and mines what it takes to be sure of it. */
async function payFully(wallet: Awaited<ReturnType<typeof world>>['bobs'], request: Awaited<ReturnType<Gate['ask']>>) {
  expect(await codeOf(() => wallet.pay(request, { maxFee }))).toBe('UNKNOWN_OUTCOME')
  await anvil.mine(2)
  return wallet.pay(request, { maxFee })
}

test('opens when the payment is deep enough, and by itself after it was shown', async () => {
  const { gate, bobs, granted } = await world()
  const request = await gate.ask(bob.identity.publicKey)
  const snapshot = await anvil.client.snapshot()
  const receipt = await payFully(bobs, request)
  expect(await codeOf(() => gate.open(request.coreHash))).toBe('NOT_PAID')
  // The chain takes it back, and has it again, less deep.
  await anvil.client.revert({ id: snapshot })
  await anvil.mine(4)
  expect(await codeOf(() => gate.open(request.coreHash, { receipt }))).toBe('PROVIDER_UNAVAILABLE')
  expect(granted).toEqual([])
  const again = await gate.ask(bob.identity.publicKey)
  expect(again.coreHash).toEqual(request.coreHash)
})

test('a receipt that the chain could not be asked about is kept, written down once, and counts after a restart', async () => {
  const { gate, bobs, token } = await world()
  const request = await gate.ask(bob.identity.publicKey)
  const receipt = await payFully(bobs, request)
  let isDown = true
  const provider = createEvmProvider({ chainId: CHAIN_ID, rpcUrls: [anvil.url], tokens: [token.asset], confirmations: 3 })
  const verify: typeof provider.verify = (claim, options) => (isDown ? Promise.reject(new Error('ECONNREFUSED')) : provider.verify(claim, options))
  const careful = createPayments({ signer: alice, journal: createMemoryJournal(), providers: [{ ...provider, verify }], assets: createAssetRegistry([token.asset]) })
  const memory = createMemoryGateJournal()
  let writes = 0
  const journal = { ...memory, put: (...entry: Parameters<typeof memory.put>) => (writes++, memory.put(...entry)) }
  const parts = { payments: { request: async () => request, settlement: careful.settlement }, journal, room: ROOM, name: 'tea', purpose: '', price: request.money }
  const first = createGate({ ...parts, grant: async () => Uint8Array.of(1) })
  await first.ask(bob.identity.publicKey)
  for (let i = 0; i < 3; i++) expect(await codeOf(() => first.open(request.coreHash, { receipt }))).toBe('PROVIDER_UNAVAILABLE')
  expect(writes).toBe(2)
  // Another life, in which nobody shows it again.
  isDown = false
  const second = createGate({ ...parts, grant: async () => Uint8Array.of(2) })
  expect(await second.recover()).toMatchObject([{ grant: Uint8Array.of(2) }])
})

test('waits for its depth, and needs no second showing', async () => {
  const { gate, bobs, payments, granted, token } = await world()
  const request = await gate.ask(bob.identity.publicKey)
  const receipt = await payFully(bobs, request)
  const shallow = createEvmProvider({ chainId: CHAIN_ID, rpcUrls: [anvil.url], tokens: [token.asset], confirmations: 5 })
  const careful = createPayments({ signer: alice, journal: createMemoryJournal(), providers: [shallow], assets: createAssetRegistry([token.asset]) })
  const journal = createMemoryGateJournal()
  const deep = createGate({
    payments: { request: async () => request, settlement: careful.settlement },
    journal,
    room: ROOM,
    name: 'tea',
    purpose: '',
    price: request.money,
    grant: async () => Uint8Array.of(1)
  })
  await deep.ask(bob.identity.publicKey)
  expect(await codeOf(() => deep.open(request.coreHash, { receipt }))).toBe('NOT_PAID')
  await anvil.mine(2)
  expect(await deep.recover()).toMatchObject([{ payer: bob.identity.publicKey, grant: Uint8Array.of(1) }])
  expect(await payments.settlement(request, { receipt })).toMatchObject({ status: 'settled', level: 'chain' })
  expect(granted).toEqual([])
})

test("somebody else's transaction, too little, and another token open nothing", async () => {
  const { gate, bobs, mallorys, granted, payments, token } = await world()
  const request = await gate.ask(bob.identity.publicKey)
  const receipt = await payFully(bobs, request)
  const mallorysRequest = await gate.ask(mallory.identity.publicKey)
  const stolen = signReceipt(mallory, mallorysRequest, { method: 'evm', proof: receipt.proof })
  expect(await codeOf(() => gate.open(mallorysRequest.coreHash, { receipt: stolen }))).toBe('NOT_PAID')
  // She pays less, to the very address.
  const cheap = await payments.request({ room: ROOM, payer: mallory.identity.publicKey, money: { asset: token.asset.id, amount: 1n }, purpose: '' })
  const paid = await payFully(mallorys, cheap)
  expect(await codeOf(() => gate.open(mallorysRequest.coreHash, { receipt: signReceipt(mallory, mallorysRequest, { method: 'evm', proof: paid.proof }) }))).toBe('NOT_PAID')
  const under = { ...mallorysRequest, money: cheap.money }
  expect(await codeOf(() => gate.open(under.coreHash))).toBe('NOT_PAID')
  const elsewhere = await world()
  const other = await payFully(elsewhere.mallorys, await elsewhere.gate.ask(mallory.identity.publicKey))
  expect(await codeOf(() => gate.open(mallorysRequest.coreHash, { receipt: signReceipt(mallory, mallorysRequest, { method: 'evm', proof: other.proof }) }))).toBe('NOT_PAID')
  expect(granted).toEqual([])
  expect((await gate.open(request.coreHash, { receipt })).payer).toEqual(bob.identity.publicKey)
  expect(granted).toEqual([bob.identity.publicKey])
})

test('what was paid after the price had long expired is kept to be given back, and opens nothing', async () => {
  const { gate, bobs, granted } = await world()
  const request = await gate.ask(bob.identity.publicKey)
  // The payer's clock stands still, the chain's does not.
  await anvil.client.increaseTime({ seconds: 3_600 })
  const receipt = await payFully(bobs, request)
  expect(await codeOf(() => gate.open(request.coreHash, { receipt }))).toBe('EXPIRED')
  expect(gate.list()).toMatchObject([{ state: 'late' }])
  expect(await codeOf(() => gate.open(request.coreHash, { receipt }))).toBe('EXPIRED')
  expect(granted).toEqual([])
})

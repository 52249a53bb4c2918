import { randomBytes } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bech32 } from '@scure/base'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseEther, type Hex } from 'viem'
import {
  createMemoryJournal,
  createPayments,
  draftRequest,
  paymentReceiptContent,
  paymentRequestContent,
  readReceipt,
  readRequest,
  signReceipt,
  signRequest,
  type PaymentMethod,
  type PaymentRequest,
  type RequestCore,
  type RequestInit
} from '@covey/payments'
import { createBolt11Method, createBolt11Verifier } from '@covey/payments/bolt11'
import { createEvmProvider } from '@covey/payments/evm'
import { CHAIN_ID, deployToken, startAnvil, viemWallet, type Anvil } from './support/evm.js'
import { makeInvoice, NODE } from './support/invoice.js'
import { MSAT, OTHER_ROOM, person, ROOM } from './support/people.js'

// Whoever cheats, nothing of it is taken for a payment by somebody who only has the bytes: carol, with no wallet.
const [alice, bob, carol, mallory] = await Promise.all([person(), person(), person(), person()])
const preimage = new Uint8Array(32).fill(7)
const atMs = Date.now()

type Verdict = 'valid' | 'invalid' | 'pending' | 'unknown' | 'refused'

function coreOf(init: Partial<RequestInit> = {}): RequestCore {
  return draftRequest({ room: ROOM, payee: alice.identity.publicKey, payer: bob.identity.publicKey, money: { asset: MSAT, amount: 21_000n }, purpose: 'Tea', ...init })
}

function bolt11(core: RequestCore, change: Partial<Parameters<typeof makeInvoice>[0]> = {}, node = NODE): PaymentMethod {
  const invoice = makeInvoice({ preimage, descriptionHash: core.coreHash, ...change })
  return { type: 'bolt11', data: Uint8Array.of(...node, ...Buffer.from(invoice)) }
}

/** What carol makes of the bytes of a request and a receipt, as they come out of a room. */
async function judge(verifier: ReturnType<typeof createBolt11Verifier>, request: Uint8Array, receipt: Uint8Array, room = ROOM): Promise<Verdict> {
  const opened = readRequest(paymentRequestContent.read(paymentRequestContent.create(request))!, { room, atMs: Date.now() })
  if (!opened.ok) return 'refused'
  const claim = readReceipt(paymentReceiptContent.read(paymentReceiptContent.create(receipt))!, { request: opened.value, atMs: Date.now() })
  if (!claim.ok) return 'refused'
  const payments = createPayments({ signer: carol, journal: createMemoryJournal(), providers: [verifier] })
  return (await payments.verify(opened.value, claim.value)).status
}

describe('Lightning', () => {
  const honest = signRequest(alice, coreOf(), [{ type: 'bolt11', data: new Uint8Array(1) }])
  const core = coreOf()
  const request = signRequest(alice, core, [createBolt11Method(core, makeInvoice({ preimage, descriptionHash: core.coreHash }))])
  const receiptOf = (of: PaymentRequest, proof = preimage, signer = bob): Uint8Array => signReceipt(signer, of, { method: 'bolt11', proof }).bytes
  const verifier = createBolt11Verifier()

  test('what is honest is valid', async () => {
    expect(await judge(verifier, request.bytes, receiptOf(request))).toBe('valid')
  })

  const other = coreOf()
  const forge = (text: string, change: (words: number[]) => void, prefix?: string): string => {
    const decoded = bech32.decode(text as `${string}1${string}`, false)
    const words = [...decoded.words]
    change(words)
    return bech32.encode(prefix ?? decoded.prefix, words, false)
  }
  const withMethod = (of: RequestCore, method: PaymentMethod): [Uint8Array, Uint8Array] => {
    const made = signRequest(alice, of, [method])
    return [made.bytes, receiptOf(made)]
  }
  const invoice = makeInvoice({ preimage, descriptionHash: other.coreHash })
  const forged = (change: (words: number[]) => void, prefix?: string): [Uint8Array, Uint8Array] =>
    withMethod(other, { type: 'bolt11', data: Uint8Array.of(...NODE, ...Buffer.from(forge(invoice, change, prefix))) })

  test.each<[string, () => readonly [request: Uint8Array, receipt: Uint8Array]]>([
    ['a foreign preimage', () => [request.bytes, receiptOf(request, new Uint8Array(32).fill(8))]],
    ['the hash in place of the preimage', () => [request.bytes, receiptOf(request, Uint8Array.from(randomBytes(32)))]],
    ['the receipt of another request', () => [request.bytes, receiptOf(signRequest(alice, other, [bolt11(other)]))]],
    ['an invoice that was used for another request', () => withMethod(other, request.methods[0]!)],
    ['an invoice of a node that the payee has not named', () => withMethod(other, bolt11(other, { secretKey: new Uint8Array(32).fill(5) }))],
    ['a named node that has not made the invoice', () => withMethod(other, bolt11(other, {}, secp256k1.getPublicKey(new Uint8Array(32).fill(5))))],
    ['an invoice for less', () => withMethod(other, bolt11(other, { prefix: 'lnbcrt10n' }))],
    ['an invoice on a test network for another', () => withMethod(coreOf({ money: { asset: 'lightning:bc/slip44:0', amount: 21_000n } }), bolt11(other))],
    ['an altered amount with a checksum that fits', () => forged(() => undefined, 'lnbcrt1n')],
    ['an altered payment hash with a checksum that fits', () => forged((words) => (words[12]! ^= 1))],
    ['an altered description hash with a checksum that fits', () => forged((words) => (words[words.length - 110]! ^= 1))],
    ['an altered time with a checksum that fits', () => forged((words) => (words[6]! ^= 1))],
    ['an altered signature with a checksum that fits', () => forged((words) => (words[words.length - 50]! ^= 1))],
    ['the payee who receipts for the payer', () => [request.bytes, signReceipt(mallory, { ...request, payer: null }, { method: 'bolt11', proof: preimage }).bytes]],
    ['a receipt that was altered', () => [request.bytes, receiptOf(request).map((byte, at) => (at === 50 ? byte ^ 1 : byte))]],
    ['a request that was altered', () => [request.bytes.map((byte, at) => (at === 120 ? byte ^ 1 : byte)), receiptOf(request)]],
    ['a request of somebody else in the name of the payee', () => {
      const claimed = { identity: alice.identity, device: mallory.device, signStatement: mallory.signStatement.bind(mallory) }
      return [signRequest(claimed, core, request.methods).bytes, receiptOf(request)]
    }],
    ['a method that is no invoice', () => [honest.bytes, receiptOf(honest)]]
  ])('%s is not taken for a payment', async (_, make) => {
    const [asked, receipt] = make()
    expect(['invalid', 'refused']).toContain(await judge(verifier, asked, receipt))
  })

  test('another room is another room', async () => {
    expect(await judge(verifier, request.bytes, receiptOf(request), OTHER_ROOM)).toBe('refused')
    const moved = signRequest(alice, { ...core, room: OTHER_ROOM }, request.methods)
    expect(await judge(verifier, moved.bytes, receiptOf(moved), OTHER_ROOM)).toBe('invalid')
  })

  test('a replayed proof counts for the first in the order, and for nobody else', async () => {
    const open = coreOf({ payer: undefined })
    const anybody = signRequest(alice, open, [bolt11(open)])
    const payments = createPayments({ signer: carol, journal: createMemoryJournal(), providers: [verifier] })
    const receipts = [bob, mallory, bob].map((signer) => signReceipt(signer, anybody, { method: 'bolt11', proof: preimage }))
    const wrong = signReceipt(mallory, anybody, { method: 'bolt11', proof: new Uint8Array(32) })
    const claims = [wrong, ...receipts].map((receipt) => ({ request: anybody, receipt }))
    expect((await payments.verifyAll(claims)).map(({ status }) => status)).toEqual(['invalid', 'valid', 'invalid', 'invalid'])
    const waiting = createPayments({
      signer: carol,
      journal: createMemoryJournal(),
      providers: [{ ...verifier, verify: async (claim) => ({ ...(await verifier.verify(claim)), status: 'pending' }) }]
    })
    expect((await waiting.verifyAll(claims.slice(1))).map(({ status }) => status)).toEqual(['pending', 'pending', 'pending'])
  })

  test('no method is made of an invoice for something else', () => {
    expect(() => createBolt11Method(core, makeInvoice({ preimage, descriptionHash: other.coreHash }))).toThrow('for something else')
  })
})

describe('tokens', () => {
  let anvil: Anvil
  beforeAll(async () => {
    anvil = await startAnvil()
  })
  afterAll(() => anvil.close())

  test('request, payment, and a third member who verifies; and what is none', async () => {
    const [token, lookalike] = [await deployToken(anvil), await deployToken(anvil, 18)]
    const wallet = viemWallet(`0x${randomBytes(32).toString('hex')}`)
    const address = (await wallet.getAddress()) as Hex
    await anvil.client.setBalance({ address, value: parseEther('1') })
    for (const each of [token, lookalike]) await each.transfer(address, 10n ** 13n)
    const tokens = [token.asset, lookalike.asset]
    const common = { chainId: CHAIN_ID, rpcUrls: [anvil.url], confirmations: 1, pollMs: 10, tokens }
    const registry = { get: (id: string) => tokens.find((asset) => asset.id === id)!, has: () => true, list: () => tokens }
    const receive = async (): Promise<Hex> => `0x${randomBytes(20).toString('hex')}`
    const wallets = (signer: typeof alice, init: object) =>
      createPayments({ signer, journal: createMemoryJournal(), assets: registry, providers: [createEvmProvider({ ...common, ...init })] })
    const [payee, payer, verifier] = [wallets(alice, { receive }), wallets(bob, { wallet }), createEvmProvider(common)]

    const ask = (asset: string, amount: bigint): Promise<PaymentRequest> =>
      payee.request({ room: ROOM, payer: bob.identity.publicKey, money: { asset, amount }, purpose: 'Tea' })
    const maxFee = { asset: `eip155:${CHAIN_ID}/slip44:60`, amount: parseEther('0.1') }
    const [first, second] = [await ask(token.asset.id, 2_500_000n), await ask(token.asset.id, 2_500_000n)]
    const receipt = await payer.pay(first, { maxFee })
    expect(await judge(verifier, first.bytes, receipt.bytes)).toBe('valid')

    const claims: [string, Uint8Array, Uint8Array][] = [
      ['a replayed transaction', second.bytes, signReceipt(bob, second, { method: 'evm', proof: receipt.proof }).bytes]
    ]
    const open = signRequest(alice, { ...first, payer: null }, first.methods)
    claims.push(["somebody else's transaction", open.bytes, signReceipt(mallory, open, { method: 'evm', proof: receipt.proof }).bytes])
    // 2.5 of a token with 18 decimals is not 2.5 of one with 6: as many of the smallest unit, and another token.
    const lookalikeRequest = await ask(lookalike.asset.id, 2_500_000n)
    const paid = await payer.pay(lookalikeRequest, { maxFee })
    const confused = signRequest(alice, { ...coreOf({ money: { asset: token.asset.id, amount: 2_500_000n } }) }, lookalikeRequest.methods)
    claims.push(['another token of the same symbol', confused.bytes, signReceipt(bob, confused, { method: 'evm', proof: paid.proof }).bytes])
    const more = signRequest(alice, coreOf({ money: { asset: token.asset.id, amount: 2_500_001n } }), first.methods)
    claims.push(['an altered amount', more.bytes, signReceipt(bob, more, { method: 'evm', proof: receipt.proof }).bytes])
    const elsewhere = signRequest(alice, coreOf({ room: OTHER_ROOM, money: { asset: token.asset.id, amount: 2_500_000n } }), first.methods)
    claims.push(['another room', elsewhere.bytes, signReceipt(bob, elsewhere, { method: 'evm', proof: receipt.proof }).bytes])
    for (const [name, asked, shown] of claims) {
      expect(['invalid', 'refused', 'unknown'], name).toContain(await judge(verifier, asked, shown))
      expect(await judge(verifier, asked, shown, OTHER_ROOM), name).not.toBe('valid')
    }
  })
})

test('an expired request is not paid', async () => {
  const core = coreOf({ createdMs: atMs - 10_000, expiresInMs: 5_000 })
  const request = signRequest(alice, core, [bolt11(core)])
  const pay = createPayments({ signer: bob, journal: createMemoryJournal(), providers: [{ ...createBolt11Verifier(), capabilities: { receive: false, pay: true, verify: true } }] })
  await expect(pay.pay(request, { maxFee: { asset: MSAT, amount: 1n } })).rejects.toMatchObject({ code: 'EXPIRED' })
})

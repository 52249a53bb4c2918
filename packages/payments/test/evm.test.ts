import { randomBytes } from 'node:crypto'
import { WalletAccountEvm } from '@tetherto/wdk-wallet-evm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { parseEther, type Hex } from 'viem'
import { createEvmProvider, type EvmProviderInit, type EvmWallet } from '@covey/payments/evm'
import { providerContract } from '@covey/payments/testing'
import type { PaymentOrder, PaymentOutcome, PaymentProvider } from '@covey/payments'
import { CHAIN_ID, deployToken, startAnvil, startLiar, viemWallet, type Anvil } from './support/evm.js'
import { ask, codeOf, hex, person } from './support/people.js'

const PHRASE = `${'test '.repeat(11)}junk`
const [alice, bob, carol] = await Promise.all([person(), person(), person()])
const payer = bob.identity.publicKey
const AMOUNT = 2_500_000n
const maxFee = parseEther('0.1')

let anvil: Anvil
beforeAll(async () => {
  anvil = await startAnvil()
})
afterAll(() => anvil.close())

function freshAddress(): Hex {
  return `0x${randomBytes(20).toString('hex')}`
}

async function world(init: Partial<EvmProviderInit> = {}, wallet: EvmWallet = viemWallet(`0x${randomBytes(32).toString('hex')}`)) {
  const token = await deployToken(anvil)
  const received: Hex[] = []
  const payerAddress = (await wallet.getAddress()) as Hex
  await anvil.client.setBalance({ address: payerAddress, value: parseEther('1') })
  await token.transfer(payerAddress, AMOUNT * 10n)
  const common = { chainId: CHAIN_ID, rpcUrls: [anvil.url], tokens: [token.asset], confirmations: 1, pollMs: 10, ...init }
  const receive = async (): Promise<Hex> => {
    received.push(freshAddress())
    return received.at(-1)!
  }
  return {
    token,
    payerAddress,
    payer: createEvmProvider({ ...common, wallet }),
    payee: createEvmProvider({ ...common, receive }),
    verifier: createEvmProvider(common),
    received: async () => (await Promise.all(received.map((address) => token.balanceOf(address)))).reduce((a, b) => a + b, 0n)
  }
}

type World = Awaited<ReturnType<typeof world>>

async function order({ payee, token }: Pick<World, 'payee' | 'token'>, amount = AMOUNT, init = {}): Promise<PaymentOrder> {
  const data = (await payee.createMethod(ask(alice, { money: { asset: token.asset.id, amount } }))).data
  const method = { type: 'evm', data }
  return { request: ask(alice, { money: { asset: token.asset.id, amount }, createdMs: Date.now(), ...init }, [method]), method }
}

async function pay(provider: PaymentProvider, of: PaymentOrder, change = {}): Promise<{ outcome: PaymentOutcome; handle: Uint8Array; proof: Uint8Array }> {
  let handle = new Uint8Array()
  const save = async (bytes: Uint8Array): Promise<void> => {
    handle = Uint8Array.from(bytes)
  }
  const outcome = await provider.pay(of, { maxFee, payer, save, ...change })
  return { outcome, handle, proof: outcome.status === 'paid' ? outcome.proof : new Uint8Array() }
}

/** What was saved of a payment by a process that was killed then. */
async function savedAndNeverSent(provider: PaymentProvider, of: PaymentOrder): Promise<Uint8Array> {
  let handle = new Uint8Array()
  const crash = new Error('killed')
  const save = async (bytes: Uint8Array): Promise<void> => {
    handle = Uint8Array.from(bytes)
    throw crash
  }
  await expect(provider.pay(of, { maxFee, payer, save })).rejects.toBe(crash)
  return handle
}

describe("Tether's wallet", () => {
  const cases = providerContract(async () => {
    const wallet = new WalletAccountEvm(PHRASE, `0'/0/${Number.parseInt(hex(randomBytes(3)), 16)}`)
    const made = await world({}, wallet)
    return { ...made, asset: made.token.asset.id, amount: AMOUNT, maxFee, tooMuch: AMOUNT * 11n, close: async () => wallet.dispose() }
  })
  test.each(cases)('$name', ({ run }) => run())
})

describe('paying', () => {
  test('three at once all land, one nonce after the other', async () => {
    const made = await world()
    const orders = [await order(made), await order(made), await order(made)]
    const paid = await Promise.all(orders.map((each) => pay(made.payer, each)))
    expect(paid.map(({ outcome }) => outcome.status)).toEqual(['paid', 'paid', 'paid'])
    expect(await made.received()).toBe(AMOUNT * 3n)
  })

  test('a token that takes a fee is not paid with: less would arrive', async () => {
    const made = await world()
    await made.token.setFee(1)
    const of = await order(made)
    expect(await codeOf(() => made.payer.quote(of))).toBe('PAYMENT_FAILED')
    expect(await codeOf(() => pay(made.payer, of))).toBe('PAYMENT_FAILED')
    expect(await made.received()).toBe(0n)
  })

  test('a blocked address is found before anything is sent', async () => {
    const made = await world()
    const of = await order(made)
    await made.token.setBlocked(made.payerAddress, true)
    expect(await codeOf(() => pay(made.payer, of))).toBe('PAYMENT_FAILED')
    await made.token.setBlocked(made.payerAddress, false)
    expect((await pay(made.payer, of)).outcome.status).toBe('paid')
  })

  test('without coins for the fee nothing is sent', async () => {
    const made = await world()
    await anvil.client.setBalance({ address: made.payerAddress, value: 1n })
    expect(await codeOf(async () => pay(made.payer, await order(made)))).toBe('INSUFFICIENT_FUNDS')
  })

  test('a token with other decimals than in the registry is not dealt in', async () => {
    const made = await world()
    const wrong = createEvmProvider({
      chainId: CHAIN_ID,
      rpcUrls: [anvil.url],
      tokens: [{ ...made.token.asset, decimals: 18 }],
      wallet: viemWallet(`0x${'11'.repeat(32)}`),
      receive: async () => freshAddress()
    })
    expect(await codeOf(() => wrong.createMethod(ask(alice, { money: { asset: made.token.asset.id, amount: 1n } })))).toBe('UNKNOWN_ASSET')
    expect(await codeOf(async () => wrong.quote(await order(made)))).toBe('UNKNOWN_ASSET')
  })

  test('endpoints that are down, or of another chain, are not enough', async () => {
    const made = await world()
    const of = await order(made)
    const { proof } = await pay(made.payer, of)
    const claim = { ...of, payer, proof }
    const init = { chainId: CHAIN_ID, tokens: [made.token.asset], confirmations: 1, timeoutMs: 300 }
    const [down, other] = ['http://127.0.0.1:9', `${anvil.url}/?other`]
    const two = createEvmProvider({ ...init, rpcUrls: [anvil.url, other, down] })
    const one = createEvmProvider({ ...init, rpcUrls: [anvil.url, down, 'http://127.0.0.1:19'] })
    expect((await two.verify(claim)).status).toBe('valid')
    expect((await one.verify(claim)).status).toBe('unknown')
    const foreign = { ...made.token.asset, id: made.token.asset.id.replace(`${CHAIN_ID}`, '1') }
    const elsewhere = createEvmProvider({ ...init, chainId: 1, tokens: [foreign], rpcUrls: [anvil.url], receive: async () => freshAddress() })
    expect(await codeOf(() => elsewhere.createMethod(ask(alice, { money: { asset: foreign.id, amount: 1n } })))).toBe('PROVIDER_UNAVAILABLE')
  })
})

describe('one endpoint that lies', () => {
  async function withLiar(change: (method: string, result: unknown) => unknown): Promise<string[]> {
    const liar = await startLiar(anvil.url, change)
    onTestFinished(() => void liar.close())
    return [liar.url, anvil.url, `${anvil.url}/?other`]
  }

  test('does not decide when a payment was made', async () => {
    const made = await world()
    const of = await order(made)
    const { proof } = await pay(made.payer, of)
    const lie = (method: string, result: unknown): unknown => (method === 'eth_getBlockByNumber' ? { ...(result as object), timestamp: '0x1' } : result)
    const verifier = createEvmProvider({ chainId: CHAIN_ID, rpcUrls: await withLiar(lie), tokens: [made.token.asset], confirmations: 1 })
    expect((await verifier.verify({ ...of, payer, proof })).status).toBe('valid')
  })

  test('does not decide which payment is the next', async () => {
    const lie = (method: string, result: unknown): unknown => (method === 'eth_getTransactionCount' ? '0x3e8' : result)
    const made = await world({ rpcUrls: await withLiar(lie) })
    expect((await pay(made.payer, await order(made))).outcome.status).toBe('paid')
    expect(await made.received()).toBe(AMOUNT)
  })
})

describe('a look-up', () => {
  test('sends what was saved and never sent, where it may, and it lands once', async () => {
    const made = await world()
    const of = await order(made)
    const handle = await savedAndNeverSent(made.payer, of)
    expect(await made.payer.lookup(of, handle, { payer, resend: false })).toEqual({ status: 'unknown' })
    expect(await made.payer.lookup(of, handle, { payer, resend: true })).toEqual({ status: 'pending' })
    // The chain takes it a moment after it has said so.
    await expect.poll(async () => (await made.payer.lookup(of, handle, { payer, resend: true })).status).toBe('paid')
    expect((await made.payer.lookup(of, handle, { payer, resend: true })).status).toBe('paid')
    expect(await made.received()).toBe(AMOUNT)
  })

  test('by another wallet fails nothing that can still land', async () => {
    const made = await world()
    const of = await order(made)
    const handle = await savedAndNeverSent(made.payer, of)
    // One that has used all the nonces up to this one's, and beyond.
    const busy = viemWallet(`0x${randomBytes(32).toString('hex')}`)
    await anvil.client.setNonce({ address: (await busy.getAddress()) as Hex, nonce: 50 })
    await anvil.mine(1)
    const other = createEvmProvider({ chainId: CHAIN_ID, rpcUrls: [anvil.url], tokens: [made.token.asset], confirmations: 1, pollMs: 10, wallet: busy })
    expect(await other.lookup(of, handle, { payer, resend: false })).toEqual({ status: 'unknown' })
    await expect.poll(async () => (await made.payer.lookup(of, handle, { payer, resend: true })).status).toBe('paid')
    // That it landed all can see.
    expect((await other.lookup(of, handle, { payer, resend: false })).status).toBe('paid')
    expect(await made.received()).toBe(AMOUNT)
  })

  test('finds a transaction that another has replaced: failed for good, and only then', async () => {
    const made = await world({ confirmations: 3, waitMs: 1 })
    const of = await order(made)
    const handle = await savedAndNeverSent(made.payer, of)
    // Another payment takes the nonce, since this one was never sent.
    const second = await order(made)
    const sent = await pay(made.payer, second)
    expect(sent.outcome.status).toBe('pending')
    expect(await made.payer.lookup(of, handle, { payer, resend: false })).toEqual({ status: 'unknown' })
    await anvil.mine(2)
    expect((await made.payer.lookup(second, sent.handle, { payer, resend: false })).status).toBe('paid')
    expect(await made.payer.lookup(of, handle, { payer, resend: true })).toMatchObject({ status: 'failed', code: 'PAYMENT_FAILED' })
    expect(await made.received()).toBe(AMOUNT)
  })

  test('finds the payment where the wallet has sent it again with a higher fee', async () => {
    const key: Hex = `0x${randomBytes(32).toString('hex')}`
    const wallet = viemWallet(key)
    let replacement: Parameters<EvmWallet['signTransaction']>[0] | undefined
    const spy: EvmWallet = { ...wallet, signTransaction: (transaction) => wallet.signTransaction((replacement = transaction)) }
    const made = await world({}, spy)
    const of = await order(made)
    let handle = new Uint8Array()
    const save = async (bytes: Uint8Array): Promise<void> => {
      handle = Uint8Array.from(bytes)
      const faster = { ...replacement!, maxFeePerGas: replacement!.maxFeePerGas * 2n }
      const hash = await anvil.client.sendRawTransaction({ serializedTransaction: (await wallet.signTransaction(faster)) as Hex })
      // The chain takes it a moment after it has said so.
      await anvil.client.waitForTransactionReceipt({ hash, pollingInterval: 10 })
      throw new Error('killed')
    }
    await codeOf(() => made.payer.pay(of, { maxFee, payer, save }))
    const found = await made.payer.lookup(of, handle, { payer, resend: true })
    expect(found.status).toBe('paid')
    if (found.status !== 'paid') return
    expect((await made.verifier.verify({ ...of, payer, proof: found.proof })).status).toBe('valid')
    expect(await made.received()).toBe(AMOUNT)
  })

  test('of garbage is unknown', async () => {
    const made = await world()
    const of = await order(made)
    for (const bytes of [new Uint8Array(), randomBytes(100)]) {
      expect(await made.payer.lookup(of, Uint8Array.from(bytes), { payer, resend: true })).toEqual({ status: 'unknown' })
    }
  })
})

describe('a receipt', () => {
  test('is pending until it is deep enough, and gone when the chain takes it back', async () => {
    const made = await world({ confirmations: 3, waitMs: 1 })
    const of = await order(made)
    const snapshot = await anvil.client.snapshot()
    const { outcome, handle } = await pay(made.payer, of)
    expect(outcome.status).toBe('pending')
    await anvil.mine(2)
    const found = await made.payer.lookup(of, handle, { payer, resend: false })
    const proof = found.status === 'paid' ? found.proof : new Uint8Array()
    const claim = { ...of, payer, proof }
    expect(await made.verifier.verify(claim)).toMatchObject({ status: 'valid', level: 'chain', confirmations: 3 })
    const deeper = createEvmProvider({ chainId: CHAIN_ID, rpcUrls: [anvil.url], tokens: [made.token.asset], confirmations: 4 })
    expect(await deeper.verify(claim)).toMatchObject({ status: 'pending', level: 'chain', confirmations: 3 })
    await anvil.client.revert({ id: snapshot })
    await anvil.mine(5)
    expect((await made.verifier.verify(claim)).status).toBe('unknown')
    // What was taken back is sent again as it was, and not made anew.
    expect(await made.payer.lookup(of, handle, { payer, resend: true })).toEqual({ status: 'pending' })
    await anvil.mine(3)
    expect((await made.verifier.verify(claim)).status).toBe('valid')
    expect(await made.received()).toBe(AMOUNT)
  })

  test('is for one request, payer, amount, token and payee', async () => {
    const made = await world()
    const of = await order(made)
    const { proof } = await pay(made.payer, of)
    const claim = { ...of, payer, proof }
    const status = async (change: object): Promise<string> => (await made.verifier.verify({ ...claim, ...change })).status
    expect(await status({})).toBe('valid')
    // Somebody who has seen the transaction, or the receipt.
    expect(await status({ payer: carol.identity.publicKey })).toBe('invalid')
    const more = { ...of.request.money, amount: AMOUNT + 1n }
    expect(await status({ request: { ...of.request, money: more } })).toBe('invalid')
    expect(await status(await order(made))).toBe('invalid')
    expect(await status({ method: { type: 'evm', data: randomBytes(20) } })).toBe('invalid')
    expect(await status({ request: { ...of.request, createdMs: Date.now() + 3_600_000 } })).toBe('invalid')
    for (const at of [0, 31, 32, 60, 96]) {
      const altered = Uint8Array.from(proof)
      altered[at]! ^= 1
      expect(await status({ proof: altered }), `byte ${at}`).not.toBe('valid')
    }
  })

  test('of a token with the same symbol is none', async () => {
    const [real, fake] = [await world(), await world()]
    const of = await order(real)
    const { proof } = await pay(fake.payer, { ...of, request: ask(alice, { money: { asset: fake.token.asset.id, amount: AMOUNT } }, [of.method]) })
    expect((await real.verifier.verify({ ...of, payer, proof })).status).toBe('invalid')
    expect(await codeOf(() => real.payer.quote({ ...of, method: { type: 'evm', data: new Uint8Array(20) } }))).toBe('METHOD_MISMATCH')
  })

  test('of less than was asked, or after a fee, is none', async () => {
    const key: Hex = `0x${randomBytes(32).toString('hex')}`
    const made = await world({}, viemWallet(key))
    const of = await order(made)
    // The wallet signs a transfer of less than the order says.
    const less = createEvmProvider({
      chainId: CHAIN_ID,
      rpcUrls: [anvil.url],
      tokens: [made.token.asset],
      confirmations: 1,
      waitMs: 1,
      wallet: {
        ...viemWallet(key),
        signTransaction: (transaction) => {
          const data = transaction.data.slice(0, -64) + (AMOUNT - 1n).toString(16).padStart(64, '0')
          return viemWallet(key).signTransaction({ ...transaction, data })
        }
      }
    })
    const { outcome, handle } = await pay(less, of)
    expect(outcome.status).toBe('pending')
    expect(await less.lookup(of, handle, { payer, resend: true })).toEqual({ status: 'unknown' })
    const proof = handle.slice(1, 98)
    expect(await made.verifier.verify({ ...of, payer, proof })).toMatchObject({ status: 'invalid', reason: `The transaction has moved ${AMOUNT - 1n} of the ${AMOUNT} from the payer to the payee.` })
  })
})

describe('a provider', () => {
  test.each<[string, object]>([
    ['init.chainId', { chainId: 0 }],
    ['init.rpcUrls', { rpcUrls: [] }],
    ['init.rpcUrls', { rpcUrls: ['http://a', 'http://a'] }],
    ['init.quorum', { quorum: 2 }],
    ['init.confirmations', { confirmations: 0 }],
    ['init.tokens[0].id', { tokens: [{ id: `eip155:1/erc20:0x${'1'.repeat(40)}`, symbol: 'USDt', decimals: 6 }] }],
    ['init.waitMs', { waitMs: 0 }],
    ['no option', { rpcUrl: 'http://a' }]
  ])('checks %s', (field, init) => {
    const right = { chainId: CHAIN_ID, rpcUrls: ['http://127.0.0.1:9'], tokens: [] }
    expect(() => createEvmProvider({ ...right, ...init } as EvmProviderInit)).toThrow(field)
  })
})

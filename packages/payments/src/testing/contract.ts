import { concatBytes, encodeZ32, equalBytes, isCoveyError } from '@covey/core'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import type { AssetId } from '../assets.js'
import { MAX_AMOUNT } from '../constants.js'
import type { PaymentErrorCode } from '../errors.js'
import type { PaymentOrder, PaymentOutcome, PaymentProvider } from '../provider.js'
import { draftRequest, signRequest } from '../request.js'

/** A rail that is ready to be used, with two wallets on it. */
export interface ContractWorld {
  /** Asks to be paid. */
  payee: PaymentProvider
  /** Pays, and holds at least five times `amount`. */
  payer: PaymentProvider
  asset: AssetId
  /** What a payment is to move, from 2 on. */
  amount: bigint
  /** A `maxFee` that is always enough. */
  maxFee: bigint
  /** More than the payer holds. */
  tooMuch: bigint
  /** Makes what was sent final, where that takes somebody: mines blocks. */
  settle?: (() => Promise<void>) | undefined
  /** All that the payee has received, in the smallest unit. */
  received(): Promise<bigint>
  close(): Promise<void>
}

/** One test of the contract, to be run by any test runner. */
export interface ContractCase {
  readonly name: string
  /** Rejects when the provider does not do as it has to. */
  run(): Promise<void>
}

type Scene = (world: ContractWorld, people: People) => Promise<void>
interface People {
  readonly payee: LocalIdentity
  readonly payer: LocalIdentity
}

const ROOM = new Uint8Array(32).fill(7)

/**
 * The tests that a {@link PaymentProvider} has to pass, for providers of any origin. Each gets a world of its own.
 *
 * @example
 * ```ts
 * import { createTestRail, providerContract, TEST_ASSET } from '@covey/payments/testing'
 *
 * const cases = providerContract(async () => {
 *   const rail = createTestRail()
 *   return {
 *     payee: rail.createProvider({ balance: 0n }),
 *     payer: rail.createProvider({ balance: 1_000n }),
 *     asset: TEST_ASSET, amount: 100n, maxFee: 1n, tooMuch: 5_000n,
 *     received: async () => rail.moved(),
 *     close: async () => undefined
 *   }
 * })
 * for (const { name, run } of cases) await run().catch((error) => console.log(name, error)) // test(name, run)
 * ```
 */
export function providerContract(createWorld: () => Promise<ContractWorld>): ContractCase[] {
  return Object.entries(SCENES).map(([name, scene]) => ({
    name,
    async run() {
      const open = (): Promise<LocalIdentity> => openIdentity({ storage: createMemorySecretStore() })
      const [payee, payer, world] = await Promise.all([open(), open(), createWorld()])
      try {
        await scene(world, { payee, payer })
      } finally {
        await world.close()
        await Promise.all([payee.close(), payer.close()])
      }
    }
  }))
}

const SCENES: Readonly<Record<string, Scene>> = {
  async 'pays what was asked, once, and proves it to anybody'(world, people) {
    const order = await ask(world, people)
    const handles: Uint8Array[] = []
    const proof = proofOf(await pay(world, people, order, {
      save: async (handle) => {
        handles.push(handle)
      }
    }))
    same(await world.received(), world.amount, 'what was received')
    same(handles.length, 1, 'how often it saved')
    for (const provider of [world.payer, world.payee]) {
      same((await provider.verify(claim(people, order, proof))).status, 'valid', 'the proof')
    }
    const found = await world.payer.lookup(order, handles[0]!, { payer: people.payer.identity.publicKey, resend: false })
    check(found.status === 'paid' && equalBytes(found.proof, proof), 'a look-up finds the payment and its proof')
    same(await world.received(), world.amount, 'what was received after the look-up')
  },

  async 'waits for what is saved, and sends nothing where that fails'(world, people) {
    const order = await ask(world, people)
    const failure = new Error('the disk is full')
    let handle: Uint8Array | undefined
    const failed = pay(world, people, order, {
      save: async (bytes) => {
        handle = bytes
        same(await world.received(), 0n, 'what was received before it was saved')
        throw failure
      }
    })
    await rejects(failed, () => true, 'a failed save')
    same(await world.received(), 0n, 'what was received')
    check(handle !== undefined && handle.length > 0 && handle.length <= 16_384, 'a handle has 1 to 16,384 bytes')
    const found = await world.payer.lookup(order, handle, { payer: people.payer.identity.publicKey, resend: false })
    check(found.status !== 'paid', 'a look-up does not find what was never sent')
    await pay(world, people, order)
    same(await world.received(), world.amount, 'what was received in the end')
  },

  async 'costs no more than it may'(world, people) {
    const order = await ask(world, people)
    const { fee } = await world.payer.quote(order)
    if (fee.amount === 0n) return
    let isSaved = false
    const save = async (): Promise<void> => {
      isSaved = true
    }
    await rejectsWith(pay(world, people, order, { maxFee: fee.amount / 1_000n, save }), 'FEE_TOO_HIGH')
    check(!isSaved, 'nothing is saved where the fee is too high')
    same(await world.received(), 0n, 'what was received')
  },

  async 'says that there is not enough'(world, people) {
    const order = await ask(world, people, world.tooMuch)
    let outcome: unknown
    try {
      outcome = await pay(world, people, order)
    } catch (error) {
      outcome = error
    }
    same((outcome as { code?: string }).code, 'INSUFFICIENT_FUNDS', 'the code')
    same(await world.received(), 0n, 'what was received')
  },

  async 'can be asked for any amount, or says that it cannot by a PaymentError'(world, people) {
    // It may be what a stranger offers.
    await ask(world, people, MAX_AMOUNT).catch((error: unknown) => {
      if (!isCoveyError(error)) throw new Error('createMethod: it rejected by another error', { cause: error })
    })
  },

  async 'refuses a method that was made for another request'(world, people) {
    const [order, other] = [await ask(world, people), await ask(world, people, world.amount - 1n)]
    const mixed = { request: order.request, method: other.method }
    const proof = proofOf(await pay(world, people, other))
    check((await world.payer.verify(claim(people, mixed, proof))).status !== 'valid', 'a proof for another request is none')
  },

  async 'survives methods, proofs and handles that are garbage'(world, people) {
    const order = await ask(world, people)
    const { data, type } = order.method
    for (const bad of [new Uint8Array(), new Uint8Array(4_096), data.subarray(1), concatBytes(data, Uint8Array.of(0))]) {
      const garbled = { request: order.request, method: { type, data: bad } }
      await rejectsWith(world.payer.quote(garbled), 'METHOD_MISMATCH')
      same((await world.payer.verify(claim(people, garbled, new Uint8Array(32)))).status, 'invalid', 'a proof by a garbled method')
    }
    for (const proof of [new Uint8Array(), new Uint8Array(31), new Uint8Array(32), new Uint8Array(97).fill(1), new Uint8Array(1_024)]) {
      const { status } = await world.payer.verify(claim(people, order, proof))
      check(status === 'invalid' || status === 'unknown', 'a made-up proof is not valid')
    }
    await rejectsWith(world.payer.quote({ request: order.request, method: { type: 'strange', data } }), 'METHOD_MISMATCH')
  },

  async 'stops when it is told to'(world, people) {
    const order = await ask(world, people)
    const signal = AbortSignal.abort(new Error('told to stop'))
    const isReason = (error: unknown): boolean => error === signal.reason
    await rejects(world.payee.createMethod(order.request, { signal }), isReason, 'createMethod')
    await rejects(world.payer.quote(order, { signal }), isReason, 'quote')
    await rejects(pay(world, people, order, { signal }), isReason, 'pay')
    await rejects(world.payer.verify(claim(people, order, new Uint8Array(32)), { signal }), isReason, 'verify')
    same(await world.received(), 0n, 'what was received')
  }
}

async function ask({ payee, asset, amount }: ContractWorld, people: People, wanted = amount): Promise<PaymentOrder> {
  const money = { asset, amount: wanted }
  const core = draftRequest({ room: ROOM, payee: people.payee.identity.publicKey, money, purpose: 'contract' })
  const method = await payee.createMethod(core)
  check(payee.methods.includes(method.type), `a method is of a type that the provider names, not ${method.type}`)
  return { request: signRequest(people.payee, core, [method]), method }
}

async function pay(world: ContractWorld, people: People, order: PaymentOrder, change: Partial<Parameters<PaymentProvider['pay']>[1]> = {}): Promise<PaymentOutcome> {
  const options = { maxFee: world.maxFee, payer: people.payer.identity.publicKey, save: async () => undefined, ...change }
  const paying = world.payer.pay(order, options)
  // Settled while it waits, and once more for what came later.
  const [outcome] = await Promise.allSettled([paying, world.settle?.()])
  await world.settle?.()
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

function proofOf(outcome: PaymentOutcome): Uint8Array {
  if (outcome.status === 'paid') return outcome.proof
  throw new Error(`the outcome is ${outcome.status}, and should be paid`)
}

function claim(people: People, order: PaymentOrder, proof: Uint8Array): Parameters<PaymentProvider['verify']>[0] {
  return { ...order, payer: people.payer.identity.publicKey, proof }
}

function check(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Error(`it does not hold that ${what}`)
}

function same<Value extends string | number | bigint | undefined>(actual: Value, expected: Value, what: string): void {
  if (actual !== expected) throw new Error(`${what} is ${String(actual)}, and should be ${String(expected)}`)
}

function rejectsWith(promise: Promise<unknown>, code: PaymentErrorCode): Promise<void> {
  return rejects(promise, (error) => isCoveyError(error, code), code)
}

async function rejects(promise: Promise<unknown>, is: (error: unknown) => boolean, what: string): Promise<void> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    if (is(error)) return
    throw new Error(`${what}: it rejected for another reason`, { cause: error })
  }
  throw new Error(`${what}: it did not reject, and gave ${value instanceof Uint8Array ? encodeZ32(value) : typeof value}`)
}

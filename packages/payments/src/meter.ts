import { assertBytes, assertOptions, createTurns, encodeZ32, equalBytes } from '@covey/core'
import sodium from 'sodium-universal'
import { PaymentError } from './errors.js'
import { costOf, heldBy, roomOf, type MeterAccount } from './internal/account.js'
import { MAX_HOLDS, type MeterJournal } from './meter-journal.js'
import { assertMoney, type Money } from './money.js'

/** What {@link createMeter} takes. */
export interface MeterInit {
  /** It belongs to this meter alone, and is closed with it. */
  journal: MeterJournal
  /** The price of `per` units. */
  price: Money
  /**
   * For how many units of use the price is; for good, in one journal. A unit is what is counted: a byte for what is
   * transferred, a byte for a millisecond for what is kept ({@link GB_DAY}).
   */
  per: bigint
  /** How much may be used, or be in use, beyond what is paid: in the smallest unit of the asset, from 0 on. */
  window: bigint
}

/** Use that was begun. */
export interface MeterHold {
  /** 16 bytes. */
  readonly id: Uint8Array
  /** How many units it may come to. */
  readonly units: bigint
  /** The price of `per` units when it was begun, in the smallest unit of the asset. */
  readonly price: bigint
}

/** How a customer stands; amounts in the smallest unit of the asset. */
export interface MeterBalance {
  /** All that was ever credited. */
  readonly paid: bigint
  /** What was used, rounded up. The meter itself rounds nothing. */
  readonly spent: bigint
  /** What may be in use, rounded up. */
  readonly held: bigint
  /** How many units can be held now, at the present price. */
  readonly units: bigint
}

/**
 * Counts use against what was paid before. Who serves holds first, then serves no more than that, then settles what it
 * was: so that what is served never passes what is paid by more than the window, whatever moment a process is killed at,
 * and what a crash leaves in doubt is held and not spent.
 */
export interface Meter extends AsyncDisposable {
  readonly price: Money
  /** For what is held from now on; of the same asset. */
  setPrice(price: Money): void
  /**
   * Gives a customer credit for a payment that has come: one that a gate has opened for, or that `settlement` says is
   * settled. Durable when it resolves, and once for each payment: `false` where it was credited before.
   *
   * @throws {PaymentError} DUPLICATE where it is another customer's, or of another amount; JOURNAL_FAILED
   */
  credit(customer: Uint8Array, payment: { id: Uint8Array; money: Money }): Promise<boolean>
  /**
   * Holds what a use may come to, durably: only then is it to begin.
   *
   * @param units from 1 on.
   * @throws {PaymentError} CREDIT_EXHAUSTED where there is no room for all of it, or 64 holds are open; JOURNAL_FAILED
   */
  hold(customer: Uint8Array, units: bigint): Promise<MeterHold>
  /**
   * Ends a hold with what was used of it, 0 where it was nothing. For one that is not open nothing happens: it was settled.
   *
   * @throws {TypeError} for more units than were held.
   */
  settle(customer: Uint8Array, id: Uint8Array, units: bigint): Promise<void>
  /** What is open of a customer's, also of an earlier process: to be settled by whoever knows what was served. */
  holds(customer: Uint8Array): readonly MeterHold[]
  balance(customer: Uint8Array): MeterBalance
  /** Waits for what is being written, and closes the journal. May be called twice. */
  close(): Promise<void>
}

/** The units of a gigabyte (10⁹ bytes) that is kept for a day, where a unit is a byte for a millisecond. */
export const GB_DAY = 1_000_000_000n * 86_400_000n
/** More units or shares than this are a mistake, and would not fit the journal. */
const MAX_UNITS = 2n ** 192n

/**
 * A meter: prepaid credit with a bounded unpaid window, in whole numbers and without any rounding.
 *
 * @throws {TypeError} that names the field.
 * @example
 * ```ts
 * import { createMemoryMeterJournal, createMeter, GB_DAY } from '@covey/payments'
 *
 * const meter = createMeter({
 *   journal: createMemoryMeterJournal(), // here: openMeterJournal(folder)
 *   price: { asset: 'lightning:bc/slip44:0', amount: 300_000n },
 *   per: GB_DAY,
 *   window: 10_000n
 * })
 * const customer = new Uint8Array(32).fill(1)
 * await meter.credit(customer, { id: new Uint8Array(32).fill(2), money: { asset: 'lightning:bc/slip44:0', amount: 900_000n } })
 * const hour = await meter.hold(customer, 5_000_000_000n * 3_600_000n) // 5 GB for an hour
 * await meter.settle(customer, hour.id, hour.units)
 * console.log(meter.balance(customer).spent) // 62500n
 * ```
 */
export function createMeter(init: MeterInit): Meter {
  assertOptions(init, 'init', ['journal', 'price', 'per', 'window'])
  const { journal, per, window } = init
  assertMoney(init.price, 'init.price')
  assertUnits(per, 'init.per', 1n)
  assertUnits(window, 'init.window', 0n)
  const { asset } = init.price
  let price: Money = init.price
  const turns = createTurns()
  let isClosed = false
  const paid = new Map<string, bigint>()
  for (const { customer, money } of journal.credits.list()) {
    if (money.asset !== asset) throw new TypeError('init.price.asset must be that of the journal')
    addPaid(encodeZ32(customer), money.amount)
  }
  if (journal.accounts.list().some((account) => account.per !== per)) throw new TypeError('init.per must be that of the journal')

  function addPaid(key: string, amount: bigint): void {
    paid.set(key, (paid.get(key) ?? 0n) + amount)
  }

  function accountOf(customer: Uint8Array): MeterAccount {
    return journal.accounts.get(encodeZ32(customer)) ?? { customer, per, spent: 0n, holds: [] }
  }

  function roomFor(customer: Uint8Array): bigint {
    return roomOf(accountOf(customer), paid.get(encodeZ32(customer)) ?? 0n, window)
  }

  /** One change of an account after the other: each judges by what the one before has made durable. */
  async function inTurn<Value>(customer: Uint8Array, work: (key: string) => Promise<Value>): Promise<Value> {
    assertBytes(customer, 'customer', 32)
    if (isClosed) throw new PaymentError('PAYMENTS_CLOSED', 'The meter was closed.')
    const key = encodeZ32(customer)
    return turns.take(key, undefined, () => work(key))
  }

  async function creditInTurn(customer: Uint8Array, payment: Uint8Array, money: Money): Promise<boolean> {
    const key = encodeZ32(payment)
    const before = journal.credits.get(key)
    if (before !== undefined) {
      if (equalBytes(before.customer, customer) && before.money.amount === money.amount) return false
      throw new PaymentError('DUPLICATE', 'That payment was credited before, to somebody else or with another amount.')
    }
    await journal.credits.put(key, { payment, customer, money })
    addPaid(encodeZ32(customer), money.amount)
    return true
  }

  const meter: Meter = {
    get price() {
      return price
    },
    setPrice(next) {
      assertMoney(next, 'price')
      if (next.asset !== asset) throw new TypeError('price.asset must stay what it is')
      price = next
    },
    async credit(customer, payment) {
      assertBytes(customer, 'customer', 32)
      assertOptions(payment, 'payment', ['id', 'money'])
      const { id, money } = payment
      assertBytes(id, 'payment.id', 32)
      assertMoney(money, 'payment.money')
      if (money.asset !== asset) throw new TypeError('payment.money.asset must be that of the price')
      if (isClosed) throw new PaymentError('PAYMENTS_CLOSED', 'The meter was closed.')
      return turns.take(`payment ${encodeZ32(id)}`, undefined, () => creditInTurn(Uint8Array.from(customer), Uint8Array.from(id), { asset, amount: money.amount }))
    },
    async hold(customer, units) {
      assertUnits(units, 'units', 1n)
      return inTurn(customer, async (key) => {
        const account = accountOf(Uint8Array.from(customer))
        const hold: MeterHold = { id: new Uint8Array(16), units, price: price.amount }
        sodium.randombytes_buf(hold.id)
        if (costOf(hold) > roomFor(customer) || account.holds.length >= MAX_HOLDS) {
          throw new PaymentError('CREDIT_EXHAUSTED', 'There is no credit left for this.', { hint: 'Pay, or settle what is held.' })
        }
        await journal.accounts.put(key, { ...account, holds: [...account.holds, hold] })
        return { ...hold, id: Uint8Array.from(hold.id) }
      })
    },
    async settle(customer, id, units) {
      assertBytes(id, 'id', 16)
      assertUnits(units, 'units', 0n)
      return inTurn(customer, async (key) => {
        const account = accountOf(customer)
        const hold = account.holds.find((each) => equalBytes(each.id, id))
        if (hold === undefined) return
        if (units > hold.units) throw new TypeError('units must be at most what was held')
        const spent = account.spent + costOf({ units, price: hold.price })
        await journal.accounts.put(key, { ...account, spent, holds: account.holds.filter((each) => each !== hold) })
      })
    },
    holds(customer) {
      assertBytes(customer, 'customer', 32)
      return accountOf(customer).holds
    },
    balance(customer) {
      assertBytes(customer, 'customer', 32)
      const account = accountOf(customer)
      const room = roomFor(customer)
      const up = (shares: bigint): bigint => (shares + per - 1n) / per
      return {
        paid: paid.get(encodeZ32(customer)) ?? 0n,
        spent: up(account.spent),
        held: up(heldBy(account)),
        units: room > 0n ? room / price.amount : 0n
      }
    },
    async close() {
      isClosed = true
      await turns.end()
      await Promise.all([journal.credits.close(), journal.accounts.close()])
    },
    [Symbol.asyncDispose]: () => meter.close()
  }
  return meter
}

function assertUnits(value: bigint, field: string, min: bigint): void {
  if (typeof value !== 'bigint') throw new TypeError(`${field} must be a bigint, got ${typeof value}`)
  if (value < min || value > MAX_UNITS) throw new TypeError(`${field} must be from ${min} to 2^192`)
}

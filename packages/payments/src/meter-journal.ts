import { encodeZ32, type ByteReader } from '@covey/core'
import { readMoney, writeMoney } from './internal/amount.js'
import type { MeterAccount } from './internal/account.js'
import { createMemoryMap, openDurableFolder, type DurableMap, type FileFormat } from './internal/durable-folder.js'
import { decodeRecord, encodeRecord } from './internal/hashed-record.js'
import type { MeterHold } from './meter.js'
import type { Money } from './money.js'

/** A payment that is somebody's credit. */
export interface MeterCredit {
  /** Names the payment: the `coreHash` of its request, 32 bytes. */
  readonly payment: Uint8Array
  /** Whose credit it is, 32 bytes. */
  readonly customer: Uint8Array
  readonly money: Money
}

/** Where a meter writes down what was paid and used: one meter, one process at a time. */
export interface MeterJournal {
  /** By payment: each is credit once. */
  readonly credits: DurableMap<MeterCredit>
  /** By customer. */
  readonly accounts: DurableMap<MeterAccount>
}

/** How many holds a customer may have at once. */
export const MAX_HOLDS = 64
const VERSION = 1
/** Numbers of an account, as decimal digits: amounts have 78 at most, and there is room for any number of units. */
const MAX_DIGITS = 256

/**
 * A meter's journal in memory, for tests. **After a crash nobody has any credit.**
 *
 * @example
 * ```ts
 * import { createMemoryMeterJournal } from '@covey/payments'
 *
 * console.log(createMemoryMeterJournal().credits.list().length)
 * ```
 */
export function createMemoryMeterJournal(): MeterJournal {
  return { credits: createMemoryMap(), accounts: createMemoryMap() }
}

/**
 * Opens a meter's journal in `folder`, which is made where there is none: a file for each payment, and one for each customer.
 *
 * @throws {PaymentError} JOURNAL_LOCKED while another process has it open, JOURNAL_DAMAGED, JOURNAL_FAILED
 * @throws {TypeError} when `folder` is not a path.
 * @example
 * ```ts
 * import { createMeter, openMeterJournal } from '@covey/payments'
 *
 * const meter = createMeter({
 *   journal: await openMeterJournal('./mirror/meter'),
 *   price: { asset: 'lightning:bc/slip44:0', amount: 500n },
 *   per: 1_000_000n,
 *   window: 10_000n
 * })
 * await meter.close()
 * ```
 */
export async function openMeterJournal(folder: string): Promise<MeterJournal> {
  const credits = await openDurableFolder(folder, CREDIT)
  try {
    return { credits, accounts: await openDurableFolder(`${folder}/accounts`, ACCOUNT) }
  } catch (error) {
    await credits.close()
    throw error
  }
}

const HINT = 'Somebody has paid for what it says: do not throw it away.'

const CREDIT: FileFormat<MeterCredit> = {
  encode: ({ payment, customer, money }) =>
    encodeRecord('meter-credit/1', (writer) => writeMoney(writer.uint8(VERSION).bytes(payment).bytes(customer), money)),
  decode(bytes, key) {
    const credit = decodeRecord<MeterCredit>('meter-credit/1', bytes, (reader) => {
      if (reader.uint8() !== VERSION) reader.fail('The credit was written by a newer version.')
      return { payment: reader.bytes(32), customer: reader.bytes(32), money: readMoney(reader) }
    })
    return credit !== undefined && encodeZ32(credit.payment) === key ? credit : undefined
  },
  hint: HINT
}

const ACCOUNT: FileFormat<MeterAccount> = {
  encode: ({ customer, per, spent, holds }) =>
    encodeRecord('meter-account/1', (writer) => {
      writer.uint8(VERSION).bytes(customer)
      for (const number of [per, spent]) writer.text(number.toString(), MAX_DIGITS)
      writer.varint(holds.length)
      for (const { id, units, price } of holds) writer.bytes(id).text(units.toString(), MAX_DIGITS).text(price.toString(), MAX_DIGITS)
    }),
  decode(bytes, key) {
    const account = decodeRecord<MeterAccount>('meter-account/1', bytes, (reader) => {
      if (reader.uint8() !== VERSION) reader.fail('The account was written by a newer version.')
      const customer = reader.bytes(32)
      const [per, spent] = [readNumber(reader), readNumber(reader)]
      const holds = Array.from({ length: reader.varint(MAX_HOLDS) }, (): MeterHold => ({ id: reader.bytes(16), units: readNumber(reader), price: readNumber(reader) }))
      return { customer, per, spent, holds }
    })
    return account !== undefined && encodeZ32(account.customer) === key ? account : undefined
  },
  hint: HINT
}

function readNumber(reader: ByteReader): bigint {
  const text = reader.text(MAX_DIGITS)
  return /^(?:0|[1-9][0-9]*)$/.test(text) ? BigInt(text) : reader.fail('A number is malformed.')
}

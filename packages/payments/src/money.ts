import { assertInteger, assertOptions, assertString } from '@covey/core'
import { assertAssetId, type Asset, type AssetId } from './assets.js'
import { MAX_AMOUNT } from './constants.js'
import { PaymentError } from './errors.js'

/** An amount of an asset, in its smallest unit. Never a float, and never without its asset. */
export interface Money {
  /** Which asset: chain and token. */
  readonly asset: AssetId
  /** In the smallest unit: millisatoshis on Lightning, wei, millionths of a USDt on Ethereum. From 1 to {@link MAX_AMOUNT}. */
  readonly amount: bigint
}

/** How {@link formatAmount} writes, and {@link parseAmount} reads. */
export interface AmountStyle {
  /** What stands between whole and fraction: `.` unless told otherwise. */
  decimalSeparator?: '.' | ','
}

/** Options of {@link formatAmount}. */
export interface FormatAmountOptions extends AmountStyle {
  /** What stands between groups of three digits. Default: nothing. */
  groupSeparator?: '' | ' ' | '.' | ',' | "'" | '\u00a0' | '\u202f'
  /** At least so many digits of the fraction, zeros too; all others are shown anyway. Default 0. */
  minFractionDigits?: number
}

/**
 * Asserts that `value` is {@link Money}: a well-formed asset id, and a `bigint` from 1 on. A `number` is refused
 * whatever it is.
 *
 * @throws {TypeError} that names `field`.
 * @example
 * ```ts
 * import { assertMoney } from '@covey/payments'
 *
 * assertMoney({ asset: 'lightning:bc/slip44:0', amount: 21_000n }, 'price')
 * ```
 */
export function assertMoney(value: unknown, field: string): asserts value is Money {
  assertOptions(value as Money, field, ['asset', 'amount'])
  const { asset, amount } = value as Money
  assertAssetId(asset, `${field}.asset`)
  if (typeof amount !== 'bigint') throw new TypeError(`${field}.amount must be a bigint, got ${typeof amount}`)
  if (amount < 1n) throw new TypeError(`${field}.amount must be at least 1`)
  if (amount > MAX_AMOUNT) throw new TypeError(`${field}.amount must be less than 2^256`)
}

/**
 * An amount as people read it: exact, with as many digits as it has, `'12.5'`. Show the symbol beside it, and the chain
 * where there may be doubt: symbols are not unique.
 *
 * @throws {TypeError} when an option is wrong, or the separators are the same.
 * @example
 * ```ts
 * import { formatAmount, knownAssets } from '@covey/payments'
 *
 * const bitcoin = knownAssets.get('lightning:bc/slip44:0')
 * console.log(formatAmount(150_000_000_000n, bitcoin), bitcoin.symbol) // 1.5 BTC
 * ```
 */
export function formatAmount(amount: bigint, asset: Pick<Asset, 'decimals'>, options: FormatAmountOptions = {}): string {
  assertOptions(options, 'options', ['decimalSeparator', 'groupSeparator', 'minFractionDigits'])
  const { decimalSeparator = '.', groupSeparator = '', minFractionDigits = 0 } = options
  const { decimals } = asset
  if (typeof amount !== 'bigint' || amount < 0n) throw new TypeError('amount must be a bigint from 0')
  assertInteger(decimals, 'asset.decimals', { min: 0, max: 36 })
  assertInteger(minFractionDigits, 'options.minFractionDigits', { min: 0, max: decimals })
  assertSeparator(decimalSeparator)
  if (decimalSeparator === groupSeparator) throw new TypeError('options.groupSeparator must differ from the decimal separator')
  const digits = amount.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(?:\d{3})+$)/g, groupSeparator)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '').padEnd(minFractionDigits, '0')
  return fraction === '' ? whole : `${whole}${decimalSeparator}${fraction}`
}

/**
 * The amount that a person has typed: ASCII digits, and one separator where there is a fraction. Nothing is guessed:
 * `1,000` is a thousand to some and one to others, so groups are refused, and so are signs, exponents and digits
 * beyond the decimals of the asset. Space around it is ignored.
 *
 * @throws {PaymentError} AMOUNT_MALFORMED
 * @throws {TypeError} when an argument has the wrong type.
 * @example
 * ```ts
 * import { knownAssets, parseAmount } from '@covey/payments'
 *
 * const amount = parseAmount('0,25', knownAssets.get('lightning:bc/slip44:0'), { decimalSeparator: ',' })
 * console.log(amount) // 25000000000n
 * ```
 */
export function parseAmount(text: string, asset: Pick<Asset, 'decimals'>, options: AmountStyle = {}): bigint {
  assertString(text, 'text')
  assertOptions(options, 'options', ['decimalSeparator'])
  const { decimalSeparator = '.' } = options
  assertSeparator(decimalSeparator)
  const { decimals } = asset
  assertInteger(decimals, 'asset.decimals', { min: 0, max: 36 })
  // 2^256 has 78 digits.
  if (text.length > 160) throw malformed('The amount is too long.')
  const [whole = '', fraction, ...more] = text.trim().split(decimalSeparator)
  const isWritten = /^[0-9]{1,78}$/.test(whole) && (fraction === undefined || /^[0-9]{1,78}$/.test(fraction)) && more.length === 0
  if (!isWritten) throw malformed('This is not an amount.', `Write digits, and "${decimalSeparator}" before the fraction.`)
  if ((fraction?.length ?? 0) > decimals) throw malformed(`There are ${fraction!.length} digits after the separator, at most ${decimals} have a meaning.`)
  const amount = BigInt(whole + (fraction ?? '').padEnd(decimals, '0'))
  if (amount < 1n || amount > MAX_AMOUNT) throw malformed('The amount is zero, or too large.')
  return amount
}

function assertSeparator(separator: string): void {
  if (separator !== '.' && separator !== ',') throw new TypeError('options.decimalSeparator must be "." or ","')
}

function malformed(message: string, hint?: string): PaymentError {
  return new PaymentError('AMOUNT_MALFORMED', message, hint === undefined ? {} : { hint })
}

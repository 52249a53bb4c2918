import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertMoney, createAssetRegistry, formatAmount, knownAssets, MAX_AMOUNT, parseAmount, type Asset } from '@covey/payments'
import { codeOf } from './support/people.js'

const usdt = { decimals: 6 }
const whole = { decimals: 0 }

describe('an amount', () => {
  it.each<[bigint, { decimals: number }, string]>([
    [1n, usdt, '0.000001'],
    [12_500_000n, usdt, '12.5'],
    [12_000_000n, usdt, '12'],
    [0n, usdt, '0'],
    [7n, whole, '7'],
    // Beyond what a float holds: 2^53 + 1.
    [9_007_199_254_740_993n, usdt, '9007199254.740993'],
    [10n ** 18n + 1n, { decimals: 18 }, '1.000000000000000001']
  ])('%s is written exactly', (amount, asset, text) => {
    expect(formatAmount(amount, asset)).toBe(text)
  })

  it('is written as people have it', () => {
    expect(formatAmount(1_234_567_500_000n, usdt, { groupSeparator: ',', minFractionDigits: 2 })).toBe('1,234,567.50')
    expect(formatAmount(1_234_567_500_000n, usdt, { groupSeparator: '.', decimalSeparator: ',' })).toBe('1.234.567,5')
    expect(() => formatAmount(1n, usdt, { groupSeparator: '.' })).toThrow('options.groupSeparator')
    expect(() => formatAmount(1n, usdt, { minFractionDigits: 7 })).toThrow('options.minFractionDigits')
    expect(() => formatAmount(1 as never, usdt)).toThrow('amount must be a bigint')
    expect(() => formatAmount(-1n, usdt)).toThrow('amount must be a bigint')
  })

  it('is read as it was written, whatever it is', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, MAX_AMOUNT), fc.integer({ min: 0, max: 36 }), fc.constantFrom('.' as const, ',' as const), (amount, decimals, decimalSeparator) => {
        expect(parseAmount(formatAmount(amount, { decimals }, { decimalSeparator }), { decimals }, { decimalSeparator })).toBe(amount)
      })
    )
  })

  it.each([
    '', ' ', '.', '.5', '5.', '-1', '+1', '1e3', '0x10', '1,000', '1.000.000', '1 000', '0', '0.0', '0.0000001', '1.0000000', 'NaN',
    // Digits of another script, and a minus that looks like nothing.
    '١٢', '１', '1\u2212', '9'.repeat(200), MAX_AMOUNT.toString()
  ])('is not read from %j', async (text) => {
    expect(await codeOf(() => parseAmount(text, usdt))).toBe('AMOUNT_MALFORMED')
  })

  it('never loses or adds anything, whatever is typed', async () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789.,- e') }), (text) => {
        let amount: bigint
        try {
          amount = parseAmount(text, usdt)
        } catch (error) {
          expect((error as { code: string }).code).toBe('AMOUNT_MALFORMED')
          return
        }
        expect(formatAmount(amount, usdt, { minFractionDigits: 6 })).toBe(text.trim().replace(/^0+(?=\d)/, '').replace(/^(\d+)$/, '$1.').padEnd(text.trim().replace(/^0+(?=\d)/, '').replace(/\..*$/, '').length + 7, '0'))
      })
    )
  })
})

describe('money', () => {
  it.each<[string, unknown]>([
    ['amount must be a bigint', { asset: 'eip155:1/slip44:60', amount: 1 }],
    ['amount must be a bigint', { asset: 'eip155:1/slip44:60', amount: 1.5 }],
    ['amount must be a bigint', { asset: 'eip155:1/slip44:60', amount: '1' }],
    ['amount must be at least 1', { asset: 'eip155:1/slip44:60', amount: 0n }],
    ['amount must be at least 1', { asset: 'eip155:1/slip44:60', amount: -5n }],
    ['amount must be less than', { asset: 'eip155:1/slip44:60', amount: MAX_AMOUNT + 1n }],
    ['asset must be', { asset: 'USDt', amount: 1n }],
    // Mixed case would make two ids of one token.
    ['asset must be', { asset: 'eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7', amount: 1n }],
    ['asset must be', { asset: 'eip155:01/slip44:60', amount: 1n }],
    ['must be an object', null],
    ['no option', { asset: 'eip155:1/slip44:60', amount: 1n, decimals: 6 }]
  ])('is refused: %s', (message, value) => {
    expect(() => assertMoney(value, 'price')).toThrow(message)
  })
})

describe('the registry', () => {
  it('gives decimals by id, and knows nothing of symbols', async () => {
    const fake = { id: `eip155:1/erc20:0x${'1'.repeat(40)}`, symbol: 'USDt', decimals: 18 }
    const assets = createAssetRegistry([...knownAssets.list(), fake])
    expect(assets.get(fake.id).decimals).toBe(18)
    expect(assets.get('eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7').decimals).toBe(6)
    expect(await codeOf(() => assets.get('USDt'))).toBe('UNKNOWN_ASSET')
    expect(await codeOf(() => knownAssets.get(fake.id))).toBe('UNKNOWN_ASSET')
  })

  it.each<[string, Partial<Asset>[]]>([
    ['assets[0].decimals', [{ id: 'eip155:1/slip44:60', symbol: 'ETH', decimals: 1.5 }]],
    ['assets[0].symbol', [{ id: 'eip155:1/slip44:60', symbol: '', decimals: 18 }]],
    ['assets[1].id is given twice', [knownAssets.list()[0]!, knownAssets.list()[0]!]]
  ])('refuses %s', (field, assets) => {
    expect(() => createAssetRegistry(assets as Asset[])).toThrow(field)
  })
})

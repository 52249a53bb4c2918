import type { Result } from '@covey/core'
import { MAX_AMOUNT } from '../constants.js'
import type { PaymentError } from '../errors.js'
import { readEvmAddress } from '../internal/evm-address.js'
import { exactlyOnce, parametersOf, parse, refuseUri, splitQuery } from './parse.js'

/** What an `ethereum:` URI asks for: the chain's coin, or a token. Addresses are in lower case. */
export interface EthereumUri {
  readonly kind: 'ethereum'
  /** Which chain: 1 is Ethereum. */
  readonly chainId: number
  /** The token's contract; `null` for the chain's coin. */
  readonly token: string | null
  /** Who is paid. */
  readonly to: string
  /** In the smallest unit; `null` where the payer chooses. */
  readonly amount: bigint | null
}

const TARGET = /^(?:pay-)?(0x[0-9a-fA-F]{40})(?:@([1-9][0-9]{0,14}))?(?:\/([A-Za-z_][A-Za-z0-9_]*))?$/
const NUMBER = /^([0-9]{1,78})(?:\.([0-9]{1,78}))?(?:[eE]([0-9]{1,2}))?$/

/**
 * Parses an EIP-681 URI: `ethereum:<to>@<chain>?value=1e16`, or `ethereum:<token>@<chain>/transfer?address=<to>&uint256=5`.
 * Amounts are exact, in the smallest unit; calls of anything but `transfer`, and names in place of addresses, are
 * refused; a hint about gas is ignored.
 *
 * The error's code is `INVOICE_MALFORMED`.
 *
 * @throws {TypeError} when `text` is not a string.
 * @example
 * ```ts
 * import { parseEthereumUri } from '@covey/payments/uri'
 *
 * const uri = parseEthereumUri('ethereum:0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359@1?value=2.5e18')
 * console.log(uri.ok ? uri.value.amount : uri.error.message) // 2500000000000000000n
 * ```
 * @see https://eips.ethereum.org/EIPS/eip-681
 */
export function parseEthereumUri(text: string): Result<EthereumUri, PaymentError> {
  return parse(text, 'ethereum', (rest) => {
    const [path, query] = splitQuery(rest)
    const [, target, chain = '1', call] = TARGET.exec(path) ?? []
    const address = readEvmAddress(target ?? '')
    if (address === undefined) throw refuseUri('The URI has no address, or one with a typing mistake.')
    const chainId = Number(chain)
    const parameters = parametersOf(query)
    const value = exactlyOnce(parameters, 'value')
    if (call === undefined) return { kind: 'ethereum', chainId, token: null, to: address, amount: numberOf(value) }
    // Coins that are sent along with a transfer of tokens are lost.
    if (call !== 'transfer' || value !== undefined) throw refuseUri('The URI asks for a call that is no transfer.')
    const to = readEvmAddress(exactlyOnce(parameters, 'address') ?? '')
    if (to === undefined) throw refuseUri('The URI does not say to whom.')
    return { kind: 'ethereum', chainId, token: address, to, amount: numberOf(exactlyOnce(parameters, 'uint256')) }
  })
}

function numberOf(text: string | undefined): bigint | null {
  if (text === undefined) return null
  const [, whole, fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  if (whole === undefined || Number(exponent) < fraction.length) throw refuseUri('The amount is not a whole number of the smallest unit.')
  const amount = BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length)
  if (amount < 1n || amount > MAX_AMOUNT) throw refuseUri('The amount is zero, or too large.')
  return amount
}

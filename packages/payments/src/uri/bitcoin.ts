import type { Result } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { bech32, bech32m, createBase58check } from '@scure/base'
import { decodeBolt11, type Bolt11Invoice } from '../bolt11/decode.js'
import type { PaymentError } from '../errors.js'
import { parseAmount } from '../money.js'
import { exactlyOnce, parametersOf, parse, refuseUri, splitQuery } from './parse.js'

/** What a `bitcoin:` URI asks for. Texts are the words of whoever made it. */
export interface BitcoinUri {
  readonly kind: 'bitcoin'
  /** Its network: `bc` is Bitcoin, `tb` its test networks, `bcrt` regtest. */
  readonly network: 'bc' | 'tb' | 'bcrt'
  /** Its checksum is right. `null` where there is only an invoice. */
  readonly address: string | null
  /** In satoshis; `null` where the payer chooses. */
  readonly amount: bigint | null
  readonly label: string
  readonly message: string
  /** The same by Lightning, verified; `null` where there is none. */
  readonly invoice: Bolt11Invoice | null
}

const BITCOIN = { decimals: 8 }
/** No more than there can be: 21 million. */
const MAX_SATOSHIS = 2_100_000_000_000_000n
const base58check = createBase58check(sha256)
/** Version bytes of base58 addresses; test networks and regtest share theirs. */
const BASE58_NETWORKS: Readonly<Record<number, 'bc' | 'tb'>> = { 0x00: 'bc', 0x05: 'bc', 0x6f: 'tb', 0xc4: 'tb' }

/**
 * Parses a BIP-21 URI: `bitcoin:<address>?amount=0.001&lightning=<invoice>`. The amount is in bitcoins, exact to the
 * satoshi. A parameter that begins with `req-` must be understood, and none is; one that stands twice is refused; all
 * else that is not known is ignored. Where there is an invoice, its network and amount have to be the same.
 *
 * The error's code is `INVOICE_MALFORMED`.
 *
 * @throws {TypeError} when `text` is not a string.
 * @example
 * ```ts
 * import { parseBitcoinUri } from '@covey/payments/uri'
 *
 * const uri = parseBitcoinUri('bitcoin:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4?amount=0.0015&label=Tea')
 * console.log(uri.ok ? uri.value.amount : uri.error.message) // 150000n
 * ```
 * @see https://github.com/bitcoin/bips/blob/master/bip-0021.mediawiki
 */
export function parseBitcoinUri(text: string): Result<BitcoinUri, PaymentError> {
  return parse(text, 'bitcoin', (rest) => {
    const [path, query] = splitQuery(rest)
    const parameters = parametersOf(query)
    if ([...parameters.keys()].some((name) => name.startsWith('req-'))) throw refuseUri('The URI needs something that is not known.')
    const network = path === '' ? undefined : networkOf(path)
    const lightning = exactlyOnce(parameters, 'lightning')
    const invoice = lightning === undefined ? null : invoiceOf(lightning)
    if (network === undefined && (invoice === null || invoice.network === 'tbs')) throw refuseUri('The URI has no address.')
    const money = exactlyOnce(parameters, 'amount')
    const amount = money === undefined ? null : parseAmount(money, BITCOIN)
    if (amount !== null && amount > MAX_SATOSHIS) throw refuseUri('The amount is more than there is.')
    if (invoice !== null) {
      // Addresses of signet are those of testnet.
      const isOfNetwork = network === undefined || invoice.network === network || (network === 'tb' && invoice.network === 'tbs')
      const isOfAmount = amount === null || invoice.amount === null || invoice.amount === amount * 1_000n
      if (!isOfNetwork || !isOfAmount) throw refuseUri('The invoice of the URI says something else than the URI.')
    }
    return {
      kind: 'bitcoin',
      network: network ?? (invoice!.network as BitcoinUri['network']),
      address: path === '' ? null : path,
      amount,
      label: exactlyOnce(parameters, 'label') ?? '',
      message: exactlyOnce(parameters, 'message') ?? '',
      invoice
    }
  })
}

function invoiceOf(text: string): Bolt11Invoice {
  const invoice = decodeBolt11(text)
  if (!invoice.ok) throw invoice.error
  return invoice.value
}

function networkOf(address: string): BitcoinUri['network'] {
  if (address.length > 90) throw refuseUri('The address is too long.')
  if (/^(?:bc|tb|bcrt)1/i.test(address)) return segwitNetworkOf(address)
  let bytes: Uint8Array
  try {
    bytes = base58check.decode(address)
  } catch {
    // By the contract of the library, which throws for what is no address.
    throw refuseUri('The address is malformed.')
  }
  const network = BASE58_NETWORKS[bytes[0] ?? 0xff]
  if (bytes.length !== 21 || network === undefined) throw refuseUri('The address is of a kind that is not known.')
  return network
}

/** Version 0 has the checksum of BIP 173, all later ones that of BIP 350. */
function segwitNetworkOf(address: string): BitcoinUri['network'] {
  const old = bech32.decodeUnsafe(address)
  const decoded = old ?? bech32m.decodeUnsafe(address)
  const [version, ...words] = decoded?.words ?? []
  const program = decoded === undefined ? undefined : bech32.fromWordsUnsafe(words)
  if (decoded === undefined || program === undefined || version === undefined) throw refuseUri('The address is malformed.')
  const isKnown = version === 0 ? old !== undefined && [20, 32].includes(program.length) : old === undefined && version <= 16 && program.length >= 2 && program.length <= 40
  if (!isKnown) throw refuseUri('The address is of a kind that is not known.')
  return decoded.prefix as BitcoinUri['network']
}

import { assertInteger, assertOptions, assertString } from '@covey/core'
import { MAX_ASSET_ID_LENGTH } from './constants.js'
import { PaymentError } from './errors.js'

/**
 * Which asset, on which chain, in the manner of CAIP-19: `<chain>/<token>`. Equal assets have equal ids, so addresses
 * of EVM chains are in lower case.
 *
 * | id | asset |
 * |---|---|
 * | `lightning:bc/slip44:0` | bitcoin on Lightning, in millisatoshis; `tb`, `tbs` and `bcrt` are the test networks |
 * | `eip155:1/erc20:0xdac1…1ec7` | a token of an EVM chain, here USDt on Ethereum |
 * | `eip155:1/slip44:60` | the coin of an EVM chain, in wei |
 *
 * @see https://chainagnostic.org/CAIPs/caip-19
 */
export type AssetId = string

/** What is known of an asset. */
export interface Asset {
  readonly id: AssetId
  /** For people. Anybody can make a token of any symbol: nothing is decided by it. */
  readonly symbol: string
  /** How many digits of an amount are the fraction, 0 to 36. Not the same for one symbol on all chains. */
  readonly decimals: number
}

/** The assets that an app deals with. */
export interface AssetRegistry {
  /** @throws {PaymentError} UNKNOWN_ASSET */
  get(id: AssetId): Asset
  has(id: AssetId): boolean
  list(): readonly Asset[]
}

const ASSET_ID = /^[a-z0-9-]{3,9}:[A-Za-z0-9_-]{1,32}\/[a-z0-9-]{3,8}:[A-Za-z0-9.%-]{1,110}$/
const EVM_ASSET_ID = /^eip155:[1-9][0-9]{0,14}\/(?:erc20:0x[0-9a-f]{40}|slip44:[0-9]{1,10})$/

/**
 * Asserts that `value` is a well-formed {@link AssetId}; whether there is such an asset is for a registry to say.
 *
 * @throws {TypeError} that names `field`.
 * @example
 * ```ts
 * import { assertAssetId } from '@covey/payments'
 *
 * assertAssetId('eip155:1/slip44:60', 'asset')
 * ```
 */
export function assertAssetId(value: unknown, field: string): asserts value is AssetId {
  assertString(value, field, { minLength: 1, maxLength: MAX_ASSET_ID_LENGTH })
  if (!isAssetId(value)) throw new TypeError(`${field} must be an asset id such as eip155:1/slip44:60, addresses in lower case`)
}

export function isAssetId(text: string): boolean {
  if (text.length > MAX_ASSET_ID_LENGTH || !ASSET_ID.test(text)) return false
  return !text.startsWith('eip155:') || EVM_ASSET_ID.test(text)
}

/**
 * A registry of the given assets. The decimals of tokens are checked on their chain too, by the provider, before
 * anything is paid.
 *
 * @throws {TypeError} that names the field, also where an id is given twice.
 * @example
 * ```ts
 * import { createAssetRegistry, knownAssets } from '@covey/payments'
 *
 * const assets = createAssetRegistry([
 *   ...knownAssets.list(),
 *   { id: 'eip155:137/slip44:966', symbol: 'POL', decimals: 18 }
 * ])
 * console.log(assets.get('eip155:137/slip44:966').symbol)
 * ```
 */
export function createAssetRegistry(assets: readonly Asset[]): AssetRegistry {
  if (!Array.isArray(assets)) throw new TypeError('assets must be an array')
  const byId = new Map<AssetId, Asset>()
  for (const [index, asset] of assets.entries()) {
    const field = `assets[${index}]`
    assertOptions(asset as Asset, field, ['id', 'symbol', 'decimals'])
    const { id, symbol, decimals } = asset as Asset
    assertAssetId(id, `${field}.id`)
    assertString(symbol, `${field}.symbol`, { minLength: 1, maxLength: 16 })
    assertInteger(decimals, `${field}.decimals`, { min: 0, max: 36 })
    if (byId.has(id)) throw new TypeError(`${field}.id is given twice`)
    byId.set(id, Object.freeze({ id, symbol, decimals }))
  }
  const all = Object.freeze([...byId.values()])
  return {
    get(id) {
      const asset = byId.get(id)
      if (asset !== undefined) return asset
      throw new PaymentError('UNKNOWN_ASSET', 'The asset is not in the registry.', {
        hint: 'Add it with createAssetRegistry, with decimals from its issuer and not from its symbol.'
      })
    },
    has: (id) => byId.has(id),
    list: () => all
  }
}

/** Bitcoin on Lightning and its test networks, ether, and Tether's own USDt on Ethereum. All else an app adds itself. */
export const knownAssets: AssetRegistry = createAssetRegistry([
  // A bitcoin is 100,000,000,000 millisatoshis (BOLT 11).
  { id: 'lightning:bc/slip44:0', symbol: 'BTC', decimals: 11 },
  { id: 'lightning:tb/slip44:0', symbol: 'tBTC', decimals: 11 },
  { id: 'lightning:tbs/slip44:0', symbol: 'sBTC', decimals: 11 },
  { id: 'lightning:bcrt/slip44:0', symbol: 'rBTC', decimals: 11 },
  { id: 'eip155:1/slip44:60', symbol: 'ETH', decimals: 18 },
  { id: 'eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7', symbol: 'USDt', decimals: 6 }
])

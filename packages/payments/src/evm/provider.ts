import { assertFunction, assertInteger, assertOptions, throwIfAborted } from '@covey/core'
import { recoverMessageAddress } from 'viem'
import { assertAssetId, createAssetRegistry, type Asset, type AssetId } from '../assets.js'
import { PaymentError } from '../errors.js'
import { readEvmAddress } from '../internal/evm-address.js'
import type { PaymentOrder, PaymentProvider, Verification } from '../provider.js'
import type { RequestCore } from '../request.js'
import { createChain, type Hex } from './chain.js'
import { decodeProof, fromHex, proofText, toHex, type EvmProof } from './proof.js'
import { createSender } from './sender.js'

/** A transaction of EIP-1559, to be signed. */
export interface EvmTransaction {
  readonly type: 2
  readonly chainId: number
  readonly nonce: number
  readonly to: string
  readonly value: bigint
  readonly data: string
  readonly gasLimit: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** What holds the payer's key: an account of Tether's `@tetherto/wdk-wallet-evm`, or anything with these three. */
export interface EvmWallet {
  getAddress(): Promise<string>
  /** Signs a text by EIP-191; 65 bytes in hex. */
  sign(text: string): Promise<string>
  /** The signed transaction in hex, as it is sent. Sends nothing itself. */
  signTransaction(transaction: EvmTransaction): Promise<string>
}

/** What {@link createEvmProvider} takes. */
export interface EvmProviderInit {
  /** Which chain: 1 is Ethereum. */
  chainId: number
  /** Endpoints of that chain. With several, none of them is believed alone: take them from different operators. */
  rpcUrls: readonly string[]
  /** How many endpoints have to say the same. Default: more than half of them. */
  quorum?: number | undefined
  /** The tokens that it deals in: assets with ids `eip155:<chainId>/erc20:…`. Their decimals are checked on the chain. */
  tokens: readonly Asset[]
  /** What fees are counted in. Default: `eip155:<chainId>/slip44:60`, the chain's coin; others have numbers of their own. */
  feeAsset?: AssetId | undefined
  /** How many blocks make a payment final, its own counted. Default: 12; less where blocks are final sooner. */
  confirmations?: number | undefined
  /** Pays. Default: nobody, so that this provider verifies and receives. Its account must be used by nothing else. */
  wallet?: EvmWallet | undefined
  /**
   * An address for the request that is being made, which was given to no other, and never will be: it is what tells
   * one payment from another. Default: none, so that this provider cannot be paid.
   */
  receive?: ((core: RequestCore) => Promise<string>) | undefined
  /** How long `pay` waits for its confirmations before it says `pending`, in milliseconds. Default: 5 minutes. */
  waitMs?: number | undefined
  /** How long one question to an endpoint may take, in milliseconds. Default: 10 seconds. */
  timeoutMs?: number | undefined
  /** How often it is looked for confirmations, in milliseconds. Default: 2 seconds. */
  pollMs?: number | undefined
}

/** The type of the methods that are addresses of an EVM chain: 20 bytes. */
export const EVM = 'evm'
/** Ethereum's blocks are final after two to three times as many; few chains take back twelve. */
const DEFAULT_CONFIRMATIONS = 12
const DEFAULT_WAIT_MS = 300_000
const DEFAULT_TIMEOUT_MS = 10_000
const DEFAULT_POLL_MS = 2_000
/** How far the clocks of payee and chain may be apart. */
const MAX_CLOCK_SKEW_MS = 15 * 60_000

const FIELDS = ['chainId', 'rpcUrls', 'quorum', 'tokens', 'feeAsset', 'confirmations', 'wallet', 'receive', 'waitMs', 'timeoutMs', 'pollMs'] as const

/**
 * A provider for tokens of one EVM chain, such as USDt: receives at a fresh address for each request, pays by a wallet
 * that signs, and verifies by asking a quorum of endpoints. Needs `viem`, and for paying a wallet such as that of
 * `@tetherto/wdk-wallet-evm`.
 *
 * Proofs are a transaction and a signature of the key whose tokens it has moved, over the request and the payer's
 * identity: nobody can claim a payment that they only see. Wallets that are contracts cannot sign so, and do not pay here.
 *
 * @throws {TypeError} that names the field.
 * @example
 * ```ts no-check: the wallet is a package that an app installs itself
 * import WalletManagerEvm from '@tetherto/wdk-wallet-evm'
 * import { knownAssets } from '@covey/payments'
 * import { createEvmProvider } from '@covey/payments/evm'
 *
 * const wdk = new WalletManagerEvm(seed)
 * let next = await loadNextIndex()
 * const provider = createEvmProvider({
 *   chainId: 1,
 *   rpcUrls: ['https://one.example', 'https://two.example', 'https://three.example'],
 *   tokens: knownAssets.list().filter(({ id }) => id.startsWith('eip155:1/erc20:')),
 *   wallet: await wdk.getAccount(0),
 *   receive: async () => {
 *     await saveNextIndex(++next)
 *     return (await wdk.getAccount(next)).getAddress()
 *   }
 * })
 * ```
 */
export function createEvmProvider(init: EvmProviderInit): PaymentProvider {
  assertOptions(init, 'init', FIELDS)
  const { chainId, rpcUrls, tokens, wallet, receive } = init
  const { confirmations = DEFAULT_CONFIRMATIONS, waitMs = DEFAULT_WAIT_MS, timeoutMs = DEFAULT_TIMEOUT_MS, pollMs = DEFAULT_POLL_MS } = init
  assertInteger(chainId, 'init.chainId', { min: 1 })
  if (!Array.isArray(rpcUrls) || rpcUrls.length === 0 || new Set(rpcUrls).size < rpcUrls.length) throw new TypeError('init.rpcUrls must be one or more URLs, each once')
  const { quorum = Math.floor(rpcUrls.length / 2) + 1 } = init
  assertInteger(quorum, 'init.quorum', { min: 1, max: rpcUrls.length })
  const { feeAsset = `eip155:${chainId}/slip44:60` } = init
  assertAssetId(feeAsset, 'init.feeAsset')
  assertInteger(confirmations, 'init.confirmations', { min: 1 })
  for (const [name, value] of Object.entries({ waitMs, timeoutMs, pollMs })) assertInteger(value, `init.${name}`, { min: 1 })
  if (receive !== undefined) assertFunction(receive, 'init.receive')
  const prefix = `eip155:${chainId}/erc20:`
  const assets = createAssetRegistry(tokens)
  const foreign = tokens.findIndex(({ id }) => !id.startsWith(prefix))
  if (foreign >= 0) throw new TypeError(`init.tokens[${foreign}].id must begin with ${prefix}`)
  const chain = createChain({ chainId, rpcUrls, quorum, timeoutMs })
  const sender = wallet === undefined ? undefined : createSender({ chain, chainId, wallet, confirmations, waitMs, pollMs })
  const soundTokens = new Set<string>()

  async function checkDecimals(asset: string, signal: AbortSignal | undefined): Promise<void> {
    if (soundTokens.has(asset)) return
    const { decimals } = assets.get(asset)
    const data = '0x313ce567' // decimals()
    const answer = await chain.agree(async (client) => (await client.call({ to: tokenOf(asset), data })).data ?? '0x', signal)
    if (!/^0x[0-9a-f]{64}$/.test(answer) || BigInt(answer) !== BigInt(decimals)) {
      throw new PaymentError('UNKNOWN_ASSET', 'The token has other decimals on its chain than in the registry, or none.')
    }
    soundTokens.add(asset)
  }

  const provider: PaymentProvider = {
    name: `evm-${chainId}`,
    methods: [EVM],
    capabilities: { receive: receive !== undefined, pay: wallet !== undefined, verify: true },
    supports: (asset) => assets.has(asset),
    async createMethod(core, { signal } = {}) {
      throwIfAborted(signal)
      if (receive === undefined) throw new PaymentError('NO_METHOD', 'This provider has no address to be paid at.')
      await checkDecimals(core.money.asset, signal)
      const address = readEvmAddress(await receive(core))
      if (address === undefined) throw new TypeError('init.receive must return an address')
      return { type: EVM, data: fromHex(address) }
    },
    async quote(order, { signal } = {}) {
      throwIfAborted(signal)
      const to = payeeOf(order)
      if (sender === undefined) throw new PaymentError('NO_METHOD', 'This provider has no wallet.')
      await checkDecimals(order.request.money.asset, signal)
      const { asset, amount } = order.request.money
      const fee = await sender.quote({ token: tokenOf(asset), to, amount }, signal)
      return { fee: { asset: feeAsset, amount: fee }, destination: fromHex(to) }
    },
    async pay(order, options) {
      throwIfAborted(options.signal)
      const to = payeeOf(order)
      if (sender === undefined) throw new PaymentError('NO_METHOD', 'This provider has no wallet.')
      const { coreHash, money } = order.request
      const transfer = { token: tokenOf(money.asset), to, amount: money.amount }
      return sender.pay(transfer, { ...options, text: (hash) => proofText(coreHash, options.payer, hash) })
    },
    async lookup(order, handle, options) {
      throwIfAborted(options.signal)
      const to = payeeOf(order)
      if (sender === undefined) return { status: 'unknown' }
      const { coreHash, money } = order.request
      const transfer = { token: tokenOf(money.asset), to, amount: money.amount }
      return sender.lookup(transfer, handle, { ...options, text: (hash) => proofText(coreHash, options.payer, hash) })
    },
    async verify({ request, method, payer, proof }, { signal } = {}) {
      throwIfAborted(signal)
      const decoded = decodeProof(proof)
      if (method.type !== EVM || method.data.length !== 20 || decoded === undefined || !assets.has(request.money.asset)) {
        return answer('invalid', 'The proof is malformed, or for another asset.')
      }
      const from = await signerOf(decoded, proofText(request.coreHash, payer, decoded.hash))
      if (from === undefined) return answer('invalid', 'The signature of the proof is malformed.')
      const of = { hash: toHex(decoded.hash), token: tokenOf(request.money.asset), from, to: toHex(method.data) }
      const spends = fromHex(`${of.hash}${of.to.slice(2)}`)
      const movement = await chain.movement(of, signal).catch((error: unknown) => {
        throwIfAborted(signal)
        if (error instanceof PaymentError) return undefined
        throw error
      })
      if (movement === undefined) return answer('unknown', 'Too few endpoints answer.', spends)
      if (movement.status === 'disputed') return answer('unknown', 'The endpoints do not agree.', spends)
      if (movement.status === 'absent') return answer('unknown', 'The transaction is not in the chain.', spends)
      const { isReverted, amount, timestampMs } = movement
      if (isReverted) return answer('invalid', 'The transaction has failed.')
      if (amount < request.money.amount) return answer('invalid', `The transaction has moved ${amount} of the ${request.money.amount} from the payer to the payee.`)
      if (timestampMs < request.createdMs - MAX_CLOCK_SKEW_MS) return answer('invalid', 'The transaction is older than the request.')
      const isFinal = movement.confirmations >= confirmations
      return {
        status: isFinal ? 'valid' : 'pending',
        level: 'chain',
        confirmations: movement.confirmations,
        spends,
        paidMs: timestampMs,
        reason: `${movement.confirmations} of ${confirmations} confirmations.`
      }
    }
  }
  return provider
}

function tokenOf(asset: string): Hex {
  return asset.slice(asset.indexOf('erc20:') + 'erc20:'.length) as Hex
}

function payeeOf({ method, request }: PaymentOrder): Hex {
  const isAddress = method.type === EVM && method.data.length === 20 && method.data.some((byte) => byte !== 0)
  if (isAddress && request.money.asset.includes('/erc20:')) return toHex(method.data)
  throw new PaymentError('METHOD_MISMATCH', 'The method is no address.')
}

async function signerOf({ signature }: EvmProof, text: string): Promise<Hex | undefined> {
  try {
    return (await recoverMessageAddress({ message: text, signature: toHex(signature) })).toLowerCase() as Hex
  } catch {
    // By the contract of the library, which throws for what is no signature.
    return undefined
  }
}

function answer(status: 'invalid' | 'unknown', reason: string, spends: Uint8Array | null = null): Verification {
  return { status, level: null, confirmations: null, spends, reason }
}

import { raceSignal, throwIfAborted } from '@covey/core'
import { encodeFunctionData, erc20Abi, keccak256, parseAbiItem, recoverTransactionAddress, type TransactionSerialized } from 'viem'
import { PaymentError } from '../errors.js'
import { readEvmAddress } from '../internal/evm-address.js'
import type { PaymentOutcome } from '../provider.js'
import type { Chain, Client, Hex } from './chain.js'
import { decodeHandle, encodeHandle, encodeProof, fromHex, toHex, type EvmHandle } from './proof.js'
import type { EvmWallet } from './provider.js'
import { simulateTransfer } from './simulate.js'

/** Tokens that are to be moved to an address that nobody else is paid at. */
export interface Transfer {
  readonly token: Hex
  readonly to: Hex
  readonly amount: bigint
}

interface SenderInit {
  readonly chain: Chain
  readonly chainId: number
  readonly wallet: EvmWallet
  readonly confirmations: number
  readonly waitMs: number
  readonly pollMs: number
}

interface SendOptions {
  readonly maxFee: bigint
  readonly signal?: AbortSignal | undefined
  /** What the wallet signs for the proof that this transaction is the payment. */
  readonly text: (hash: Uint8Array) => string
  readonly save: (handle: Uint8Array) => Promise<void>
}

interface FindOptions extends Omit<SendOptions, 'maxFee' | 'save'> {
  readonly resend: boolean
}

interface Sender {
  /** What the transfer costs at most, in wei, as things are. */
  quote(transfer: Transfer, signal: AbortSignal | undefined): Promise<bigint>
  pay(transfer: Transfer, options: SendOptions): Promise<PaymentOutcome>
  lookup(transfer: Transfer, handle: Uint8Array, options: FindOptions): Promise<PaymentOutcome>
}

interface Gas {
  readonly gasLimit: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)')

/** Pays from one account: one nonce after the other, each for one payment. */
export function createSender({ chain, chainId, wallet, confirmations, waitMs, pollMs }: SenderInit): Sender {
  let nextNonce = 0
  let sending: Promise<unknown> = Promise.resolve()

  async function senderAddress(): Promise<Hex> {
    const address = readEvmAddress(await wallet.getAddress())
    if (address === undefined) throw new PaymentError('WALLET_LOCKED', 'The wallet gives no address.')
    return address as Hex
  }

  /** The gas, where the transfer would do what it says. */
  async function prepare(transfer: Transfer, from: Hex, signal: AbortSignal | undefined): Promise<Gas> {
    const { token, to, amount } = transfer
    const ask = (client: Client): Promise<bigint> => client.readContract({ address: token, abi: erc20Abi, functionName: 'balanceOf', args: [from] })
    const [balances, coins] = await Promise.all([chain.askAll(ask, signal), chain.askAll((client) => client.getBalance({ address: from }), signal)])
    if (least(balances) < amount) throw insufficient('The wallet does not hold enough of the token.')
    const data = transferData(transfer)
    const simulated = await chain.askAll((client) => simulateTransfer(client, { from, token, to, amount, data }), signal)
    if (simulated.some((result) => result.isRefused)) throw new PaymentError('PAYMENT_FAILED', 'The token refuses the transfer: one of the addresses may be blocked.')
    if (simulated.some(({ received }) => received !== null && received < amount)) {
      throw new PaymentError('PAYMENT_FAILED', 'The token takes a fee from what is transferred, so that less would arrive than was asked.')
    }
    const fees = await chain.askAll((client) => client.estimateFeesPerGas(), signal)
    const priorities = fees.map(({ maxPriorityFeePerGas }) => maxPriorityFeePerGas)
    // A quarter more, for what changes until it is mined.
    const gasLimit = (most(simulated.map(({ gas }) => gas)) * 5n) / 4n
    const maxFeePerGas = median(fees.map((fee) => fee.maxFeePerGas))
    const maxPriorityFeePerGas = [median(priorities), maxFeePerGas].toSorted(ascending)[0]!
    if (least(coins) < gasLimit * maxFeePerGas) throw insufficient("The wallet does not hold enough of the chain's coin for the fee.")
    return { gasLimit, maxFeePerGas, maxPriorityFeePerGas }
  }

  /** What is signed is what may be spent: limit times price is the most that it can cost. */
  async function sign(transfer: Transfer, from: Hex, gas: Gas, options: SendOptions): Promise<EvmHandle> {
    const { signal, text } = options
    const counts = await chain.askAll((client) => client.getTransactionCount({ address: from, blockTag: 'pending' }), signal)
    // As far as a quorum has heard: one that is mad would have it wait for others that never come.
    const nonce = Math.max(nextNonce, counts.toSorted((a, b) => b - a)[chain.quorum - 1]!)
    const fromBlock = Number(least(await chain.askAll((client) => client.getBlockNumber({ cacheTime: 0 }), signal)))
    const signed = await wallet.signTransaction({ type: 2, chainId, nonce, to: transfer.token, value: 0n, data: transferData(transfer), ...gas })
    const transaction = fromHex(signed)
    const hash = fromHex(keccak256(transaction))
    return { hash, signature: fromHex(await wallet.sign(text(hash))), nonce, fromBlock, transaction }
  }

  /** Resolves when at least one endpoint has it; the rest is for the chain to tell. */
  async function broadcast({ transaction, nonce }: EvmHandle, signal: AbortSignal | undefined): Promise<boolean> {
    const serializedTransaction = toHex(transaction)
    const sent = await raceSignal(Promise.allSettled(chain.clients.map((client) => client.sendRawTransaction({ serializedTransaction }))), signal)
    const isAccepted = sent.some(({ status }) => status === 'fulfilled')
    if (isAccepted) nextNonce = Math.max(nextNonce, nonce + 1)
    return isAccepted
  }

  async function find(transfer: Transfer, from: Hex, handle: EvmHandle, options: FindOptions): Promise<PaymentOutcome> {
    const { signal } = options
    const { token, to, amount } = transfer
    const movement = await chain.movement({ hash: toHex(handle.hash), token, from, to }, signal)
    if (movement.status === 'disputed') return { status: 'unknown' }
    if (movement.status === 'found') {
      if (movement.confirmations < confirmations) return { status: 'pending' }
      if (movement.isReverted) return { status: 'failed', code: 'PAYMENT_FAILED', message: 'The transaction has failed in the chain.' }
      if (movement.amount < amount) return { status: 'unknown' }
      return { status: 'paid', proof: encodeProof(handle), fee: null }
    }
    return missing(transfer, from, handle, options)
  }

  /** Not in the chain: on its way, never sent, or replaced by another transaction with its nonce. */
  async function missing(transfer: Transfer, from: Hex, handle: EvmHandle, options: FindOptions): Promise<PaymentOutcome> {
    const { signal, resend, text } = options
    const used = await chain.askAll(async (client) => {
      const blockNumber = (await client.getBlockNumber({ cacheTime: 0 })) - BigInt(confirmations - 1)
      return blockNumber < 0n ? 0 : client.getTransactionCount({ address: from, blockNumber })
    }, signal)
    if (Math.min(...used) <= handle.nonce) {
      if (!resend) return { status: 'unknown' }
      return { status: (await broadcast(handle, signal)) ? 'pending' : 'unknown' }
    }
    // A wallet may have sent the very same transfer with a higher fee: then it was paid by that one.
    const others = await chain.askAll((client) => transfersSince(client, transfer, from, handle.fromBlock), signal)
    const hashes = [...new Set(others.flat())]
    for (const other of hashes) {
      const movement = await chain.movement({ hash: other, token: transfer.token, from, to: transfer.to }, signal)
      if (movement.status !== 'found') return { status: 'unknown' }
      if (movement.isReverted || movement.amount < transfer.amount) continue
      if (movement.confirmations < confirmations) return { status: 'pending' }
      // Only the wallet that has sent it can show that.
      if ((await senderAddress()) !== from) return { status: 'unknown' }
      const hash = fromHex(other)
      return { status: 'paid', proof: encodeProof({ hash, signature: fromHex(await wallet.sign(text(hash))) }), fee: null }
    }
    if (hashes.length > 0) return { status: 'unknown' }
    return { status: 'failed', code: 'PAYMENT_FAILED', message: 'Another transaction has taken the place of this one.' }
  }

  async function waitFor(transfer: Transfer, from: Hex, handle: EvmHandle, options: SendOptions): Promise<PaymentOutcome> {
    const end = Date.now() + waitMs
    for (;;) {
      const outcome = await find(transfer, from, handle, { ...options, resend: false })
      if (outcome.status === 'paid' || outcome.status === 'failed') return outcome
      if (Date.now() >= end) return { status: 'pending' }
      await raceSignal(new Promise((resolve) => setTimeout(resolve, pollMs)), options.signal)
    }
  }

  return {
    async quote(transfer, signal) {
      const { gasLimit, maxFeePerGas } = await prepare(transfer, await senderAddress(), signal)
      return gasLimit * maxFeePerGas
    },
    async pay(transfer, options) {
      const from = await senderAddress()
      const send = async (): Promise<EvmHandle> => {
        throwIfAborted(options.signal)
        const gas = await prepare(transfer, from, options.signal)
        if (gas.gasLimit * gas.maxFeePerGas > options.maxFee) throw new PaymentError('FEE_TOO_HIGH', 'The fee has risen above what it may be.')
        const handle = await sign(transfer, from, gas, options)
        await options.save(encodeHandle(handle))
        await broadcast(handle, options.signal)
        return handle
      }
      // One after the other: of two with one nonce only one lands.
      const sent = sending.then(send, send)
      sending = sent
      return waitFor(transfer, from, await sent, options)
    },
    async lookup(transfer, bytes, options) {
      const handle = decodeHandle(bytes)
      const from = handle.ok ? await signerOf(handle.value) : undefined
      if (!handle.ok || from === undefined) return { status: 'unknown' }
      return find(transfer, from, handle.value, options)
    }
  }
}

/** Whose transaction it is, whichever wallet is here now. */
async function signerOf({ transaction }: EvmHandle): Promise<Hex | undefined> {
  const serializedTransaction = toHex(transaction) as TransactionSerialized
  const signer = await recoverTransactionAddress({ serializedTransaction }).catch(() => undefined)
  return signer && (readEvmAddress(signer) as Hex | undefined)
}

function transferData({ to, amount }: Transfer): Hex {
  return encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [to, amount] })
}

async function transfersSince(client: Client, { token, to }: Transfer, from: Hex, fromBlock: number): Promise<Hex[]> {
  const logs = await client.getLogs({ address: token, event: TRANSFER, args: { from, to }, fromBlock: BigInt(fromBlock) })
  return logs.map(({ transactionHash }) => transactionHash)
}

function insufficient(message: string): PaymentError {
  return new PaymentError('INSUFFICIENT_FUNDS', message)
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function least(values: readonly bigint[]): bigint {
  return values.toSorted(ascending)[0]!
}

function most(values: readonly bigint[]): bigint {
  return values.toSorted(ascending).at(-1)!
}

/** So that one endpoint that is mad does not set the price. */
function median(values: readonly bigint[]): bigint {
  return values.toSorted(ascending)[Math.floor((values.length - 1) / 2)]!
}

import { raceSignal } from '@covey/core'
import { createPublicClient, erc20Abi, http, parseEventLogs, TransactionReceiptNotFoundError, BlockNotFoundError } from 'viem'
import { PaymentError } from '../errors.js'

export type Hex = `0x${string}`
export type Client = ReturnType<typeof createClient>

/** What a transaction has moved of one token to one address, as a quorum of endpoints has it. */
export type Movement =
  | { readonly status: 'found'; readonly isReverted: boolean; readonly amount: bigint; readonly confirmations: number; readonly timestampMs: number }
  | { readonly status: 'absent' }
  | { readonly status: 'disputed' }

/** Which movement. Addresses are in lower case. */
export interface MovementOf {
  readonly hash: Hex
  readonly token: Hex
  readonly from: Hex
  readonly to: Hex
}

/** One chain, asked at several endpoints, of which no single one is believed where there is more than one. */
export interface Chain {
  readonly clients: readonly Client[]
  /** How many have to say the same. */
  readonly quorum: number
  /** What a quorum of endpoints answers alike; rejects with PROVIDER_UNAVAILABLE where there is none. */
  agree<Value extends string | number | bigint>(ask: (client: Client) => Promise<Value>, signal: AbortSignal | undefined): Promise<Value>
  /** What each endpoint answers, those that do not left out; at least a quorum of them. */
  askAll<Value>(ask: (client: Client) => Promise<Value>, signal: AbortSignal | undefined): Promise<Value[]>
  movement(of: MovementOf, signal: AbortSignal | undefined): Promise<Movement>
}

function createClient(url: string, timeoutMs: number) {
  return createPublicClient({ transport: http(url, { timeout: timeoutMs, retryCount: 1 }), cacheTime: 0 })
}

export function createChain(init: { chainId: number; rpcUrls: readonly string[]; quorum: number; timeoutMs: number }): Chain {
  const { chainId, rpcUrls, quorum, timeoutMs } = init
  const clients = rpcUrls.map((url) => createClient(url, timeoutMs))
  const checked = new WeakSet<Client>()

  /** An endpoint of another chain is as good as none. */
  async function onChain<Value>(client: Client, ask: (client: Client) => Promise<Value>): Promise<Value> {
    if (!checked.has(client)) {
      if ((await client.getChainId()) !== chainId) throw new Error('the endpoint is of another chain')
      checked.add(client)
    }
    return ask(client)
  }

  async function askAll<Value>(ask: (client: Client) => Promise<Value>, signal: AbortSignal | undefined): Promise<Value[]> {
    const settled = await raceSignal(Promise.allSettled(clients.map((client) => onChain(client, ask))), signal)
    const answers = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    if (answers.length >= quorum) return answers
    const [failure] = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []))
    throw new PaymentError('PROVIDER_UNAVAILABLE', `${answers.length} of ${clients.length} endpoints answer; ${quorum} are needed.`, { cause: failure, retryable: true })
  }

  async function agree<Value extends string | number | bigint>(ask: (client: Client) => Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
    const answers = await askAll(ask, signal)
    const agreed = answers.find((answer) => answers.filter((other) => other === answer).length >= quorum)
    if (agreed !== undefined) return agreed
    throw new PaymentError('PROVIDER_UNAVAILABLE', 'The endpoints do not agree.', { retryable: true })
  }

  return {
    clients,
    quorum,
    agree,
    askAll,
    async movement(of, signal) {
      const answers = await askAll((client) => readMovement(client, of), signal)
      const agreed = answers.find((answer) => answers.filter((other) => other.key === answer.key).length >= quorum)
      if (agreed === undefined) return { status: 'disputed' }
      if (agreed.found === null) return { status: 'absent' }
      // As deep as the one of the quorum that has heard least: some lag.
      const depths = answers.flatMap(({ key, found }) => (key === agreed.key && found !== null ? [found.confirmations] : []))
      const confirmations = depths.toSorted((a, b) => b - a)[quorum - 1]!
      return { status: 'found', ...agreed.found, confirmations }
    }
  }
}

type Found = Omit<Extract<Movement, { status: 'found' }>, 'status'>

/** What one endpoint says, with a key that is the same for the same answer. */
async function readMovement(client: Client, { hash, token, from, to }: MovementOf): Promise<{ key: string; found: Found | null }> {
  const absent = { key: 'absent', found: null }
  try {
    const receipt = await client.getTransactionReceipt({ hash })
    const block = await client.getBlock({ blockNumber: receipt.blockNumber })
    // A receipt of a block that is not in the chain any more.
    if (block.hash !== receipt.blockHash || receipt.transactionHash.toLowerCase() !== hash) return absent
    const head = await client.getBlockNumber({ cacheTime: 0 })
    const transfers = parseEventLogs({ abi: erc20Abi, eventName: 'Transfer', logs: receipt.logs }).filter(
      ({ address, args }) => address.toLowerCase() === token && args.from.toLowerCase() === from && args.to.toLowerCase() === to
    )
    const amount = transfers.reduce((sum, { args }) => sum + args.value, 0n)
    const isReverted = receipt.status !== 'success'
    const confirmations = Math.max(0, Number(head - receipt.blockNumber) + 1)
    return {
      key: `${receipt.blockHash} ${block.timestamp} ${isReverted} ${amount}`,
      found: { isReverted, amount, confirmations, timestampMs: Number(block.timestamp) * 1_000 }
    }
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError || error instanceof BlockNotFoundError) return absent
    throw error
  }
}

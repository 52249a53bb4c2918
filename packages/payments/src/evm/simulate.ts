import { BaseError, ContractFunctionRevertedError, decodeFunctionResult, encodeFunctionData, erc20Abi, ExecutionRevertedError } from 'viem'
import type { Client, Hex } from './chain.js'

/** What a transfer would do now. */
export interface Simulation {
  readonly isRefused: boolean
  readonly gas: bigint
  /** By how much the payee's balance would grow; `null` where the endpoint cannot say. */
  readonly received: bigint | null
}

interface Call {
  readonly from: Hex
  readonly token: Hex
  readonly to: Hex
  readonly amount: bigint
  readonly data: Hex
}

interface SimulatedBlock {
  readonly calls?: readonly { readonly status?: Hex; readonly returnData?: Hex }[]
}

/**
 * Tries the transfer without sending it: whether the token lets it through, and how much of it arrives, which differs for
 * tokens that take a fee. What a token returns from `transfer` says nothing: USDt returns nothing.
 */
export async function simulateTransfer(client: Client, { from, token, to, data }: Call): Promise<Simulation> {
  let gas: bigint
  try {
    gas = await client.estimateGas({ account: from, to: token, data })
  } catch (error) {
    if (isRevert(error)) return { isRefused: true, gas: 0n, received: null }
    throw error
  }
  const balanceOf = encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [to] })
  const calls = [{ from, to: token, data: balanceOf }, { from, to: token, data }, { from, to: token, data: balanceOf }]
  let blocks: readonly SimulatedBlock[]
  try {
    const parameters = [{ blockStateCalls: [{ calls }] }, 'latest'] as const
    blocks = (await client.request({ method: 'eth_simulateV1', params: parameters as never })) as never
  } catch {
    // Not all endpoints have it: then what arrives is seen by the receipt, and less than was asked is no payment.
    return { isRefused: false, gas, received: null }
  }
  const [before, transfer, after] = blocks[0]?.calls ?? []
  if (transfer?.status !== '0x1') return { isRefused: true, gas, received: null }
  const [had, has] = [before, after].map((call) => balanceIn(call?.returnData))
  return { isRefused: false, gas, received: had === undefined || has === undefined ? null : has - had }
}

function balanceIn(data: Hex | undefined): bigint | undefined {
  if (data === undefined || data.length !== 66) return undefined
  return decodeFunctionResult({ abi: erc20Abi, functionName: 'balanceOf', data })
}

function isRevert(error: unknown): boolean {
  return error instanceof BaseError && error.walk((each) => each instanceof ExecutionRevertedError || each instanceof ContractFunctionRevertedError) !== null
}

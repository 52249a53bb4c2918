import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createTestClient, http, publicActions, walletActions, type Hex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import type { EvmWallet } from '@covey/payments/evm'

const require = createRequire(import.meta.url)
export const CHAIN_ID = 31_337
/** The first of the accounts that anvil has funded; its key is in anvil's own manual. */
const FUNDED_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

export type Anvil = Awaited<ReturnType<typeof startAnvil>>

function binary(): string {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
  const platform = process.platform === 'win32' ? 'win32' : process.platform
  const anvil = createRequire(require.resolve('@foundry-rs/anvil/package.json'))
  return anvil.resolve(`@foundry-rs/anvil-${platform}-${names[process.arch]}/bin/anvil${platform === 'win32' ? '.exe' : ''}`)
}

/** A chain of its own, where blocks are mined when the test says so, or at once. */
export async function startAnvil(isAutomatic = true) {
  const child = spawn(binary(), ['--port', '0', ...(isAutomatic ? [] : ['--no-mining'])], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  while (!/Listening on [\d.]+:(\d+)/.test(output)) output += String((await once(child.stdout, 'data'))[0])
  child.stdout.resume()
  const url = `http://127.0.0.1:${/Listening on [\d.]+:(\d+)/.exec(output)![1]}`
  const account = privateKeyToAccount(FUNDED_KEY)
  const client = createTestClient({ account, mode: 'anvil', transport: http(url), cacheTime: 0, pollingInterval: 20 }).extend(publicActions).extend(walletActions)
  return {
    url,
    client,
    mine: (blocks: number) => client.mine({ blocks }),
    async close() {
      child.kill()
      await once(child, 'close')
    }
  }
}

interface Compiled {
  readonly abi: readonly object[]
  readonly bytecode: Hex
}

let compiled: Compiled | undefined

function compile(): Compiled {
  const { compile: run } = require('solc') as { compile: (input: string) => string }
  const sources = { 'token.sol': { content: readFileSync(new URL('token.sol', import.meta.url), 'utf8') } }
  const settings = { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } }
  const output = JSON.parse(run(JSON.stringify({ language: 'Solidity', sources, settings })))
  const failures = (output.errors ?? []).filter(({ severity }: { severity: string }) => severity === 'error')
  if (failures.length > 0) throw new Error(failures[0].formattedMessage)
  const { abi, evm } = output.contracts['token.sol'].Token
  return { abi, bytecode: `0x${evm.bytecode.object}` }
}

/** A token that returns nothing from `transfer`, as USDt, on the chain; its asset id, and what its owner may do. */
export async function deployToken({ client }: Anvil, decimals = 6) {
  compiled ??= compile()
  const { abi, bytecode } = compiled
  const hash = await client.deployContract({ abi: abi as never, bytecode, args: [decimals] as never, chain: null })
  await client.mine({ blocks: 1 })
  const { contractAddress } = await client.waitForTransactionReceipt({ hash })
  const address = contractAddress!.toLowerCase() as Hex
  const call = async (functionName: string, args: readonly unknown[]): Promise<Hex> => {
    const sent = await client.writeContract({ address, abi: abi as never, functionName, args, chain: null } as never)
    await client.mine({ blocks: 1 })
    await client.waitForTransactionReceipt({ hash: sent })
    return sent
  }
  return {
    address,
    asset: { id: `eip155:${CHAIN_ID}/erc20:${address}`, symbol: 'USDt', decimals },
    transfer: (to: string, amount: bigint) => call('transfer', [to, amount]),
    setFee: (percent: number) => call('setFee', [percent]),
    setBlocked: (account: string, isBlocked: boolean) => call('setBlocked', [account, isBlocked]),
    balanceOf: async (account: string) => (await client.readContract({ address, abi: abi as never, functionName: 'balanceOf', args: [account] as never })) as bigint
  }
}

/** A wallet by viem: the same three calls as WDK's. */
export function viemWallet(key: Hex): EvmWallet {
  const account = privateKeyToAccount(key)
  return {
    getAddress: async () => account.address,
    sign: (message) => account.signMessage({ message }),
    signTransaction: ({ gasLimit, ...transaction }) => account.signTransaction({ ...transaction, gas: gasLimit, type: 'eip1559' } as never)
  }
}


/** An endpoint that answers as another does, but for what `change` makes of the result of a method. */
export async function startLiar(url: string, change: (method: string, result: unknown) => unknown) {
  const server = createServer((request, response) => {
    void (async () => {
      const asked = JSON.parse(await text(request)) as { method: string }
      const answered = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) })
      const answer = (await answered.json()) as { result: unknown }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ ...answer, result: change(asked.method, answer.result) }))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}

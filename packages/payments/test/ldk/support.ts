import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, connect, type AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isCoveyError } from '@covey/core'
import { afterAll, afterEach } from 'vitest'
import { linkOfStream, openLightningNode, type LightningNode, type LightningNodeInit } from '@covey/payments/ldk'
import { openChannel, PAYOUT } from './channel.js'
import { FakeChain } from './fake-chain.js'

export { openChannel, PAYOUT } from './channel.js'

const closers: (() => unknown)[] = []
const lasting: (() => unknown)[] = []

afterEach(() => closeAll(closers))
afterAll(() => closeAll(lasting))

async function closeAll(all: (() => unknown)[]): Promise<void> {
  for (const close of all.splice(0).reverse()) await close()
}

/** What `open` opens is closed after all tests of the file, and not after the next. */
export async function forAllTests<Value>(open: () => Promise<Value>): Promise<Value> {
  const opened = await open()
  lasting.push(...closers.splice(0))
  return opened
}

export function later(close: () => unknown): void {
  closers.push(close)
}

export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'covey-ldk-'))
  later(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Vitest's modules resolve no URLs, so the tests give the file. */
export const wasm = await readFile(createRequire(import.meta.url).resolve('lightningdevkit/liblightningjs.wasm'))

export async function startNode(chain: FakeChain, init: Partial<LightningNodeInit> = {}): Promise<LightningNode> {
  const node = await openLightningNode({
    storage: init.storage ?? (await folder()),
    seed: randomBytes(32),
    network: 'regtest',
    chain,
    payoutScript: PAYOUT,
    pollIntervalMs: 0,
    wasm,
    ...init
  })
  later(() => node.close())
  return node
}

/** Over TCP. */
export async function link(from: LightningNode, to: LightningNode): Promise<void> {
  const server = createServer((socket) => void to.accept(linkOfStream(socket)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later(() => server.close())
  await from.connect(to.id, linkOfStream(connect((server.address() as AddressInfo).port, '127.0.0.1')))
}

/** Two nodes with a channel of 1,000,000 satoshis, all of them the first one's. */
export async function openPair(init: { payer?: Partial<LightningNodeInit>; payee?: Partial<LightningNodeInit> } = {}) {
  const chain = new FakeChain()
  const payer = await startNode(chain, init.payer)
  const payee = await startNode(chain, { acceptChannel: () => true, ...init.payee })
  await link(payer, payee)
  await openChannel(chain, payer, payee)
  return { chain, payer, payee }
}

export async function invoiceOf(payee: LightningNode, amountMsat: bigint, expiresInMs = 3_600_000): Promise<string> {
  return payee.createInvoice({ amountMsat, descriptionHash: new Uint8Array(32).fill(9), expiresInMs })
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return isCoveyError(error) ? error.code : String(error)
  }
  return 'none'
}

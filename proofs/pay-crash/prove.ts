import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { encodeZ32 } from '@covey/core'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { draftRequest, signRequest, type PaymentRequest } from '@covey/payments'
import { createPrng, type Prng } from '../model/prng.js'
import type { Order, Told } from './protocol.js'
import { createEvmRail } from './evm-rail.js'
import { createLdkRail } from './ldk-rail.js'
import { createPipeRail, type Rail } from './rail.js'

/** How many kills one journal goes through. */
export const KILLS_PER_WALLET = 25
/** Of those that are a node, which in the end pays all that is left at once, and takes time for each. */
export const KILLS_PER_NODE = 10
/** A wallet mostly starts: two at a time keep two cores busy. */
export const PARALLEL_WALLETS = 2
const WALLET = fileURLToPath(new URL('wallet.ts', import.meta.url))
const ROOM = new Uint8Array(32).fill(7)
const REQUESTS_PER_KILL = 3
/** How many of the kills fall while the wallet opens. */
const OPENING_SHARE = 0.2
/** Longer than anything may take: what hangs has failed. */
const END_TIMEOUT_MS = 120_000

interface Wallet {
  readonly child: ChildProcess
  /** Resolves when it begins to pay. */
  readonly opened: Promise<void>
  /** Resolves when all that it was told to pay is paid; rejects when anything failed. */
  readonly paid: Promise<void>
}

const RAILS: Readonly<Record<Rail['access']['kind'], (random: Prng, folder: string) => Rail | Promise<Rail>>> = {
  pipe: createPipeRail,
  evm: () => createEvmRail(),
  ldk: (_, folder) => createLdkRail(folder)
}

/** One wallet, killed `kills` times while it pays; in the end each request has been paid, and once. */
export async function proveWallet(kind: Rail['access']['kind'], seed: number, kills: number): Promise<void> {
  const random = createPrng(seed)
  const folder = await mkdtemp(join(tmpdir(), 'covey-pay-crash-'))
  const payee = await openIdentity({ storage: createMemorySecretStore() })
  const rail = await RAILS[kind](random, folder)
  const requests: PaymentRequest[] = []
  try {
    for (let kill = 0; kill < kills; kill++) {
      for (let i = 0; i < REQUESTS_PER_KILL; i++) requests.push(await ask(payee, rail))
      // The newest, and some that were paid or begun in an earlier life.
      const chosen = requests.filter((_, index) => index >= requests.length - REQUESTS_PER_KILL || random.chance(0.1))
      await live(folder, rail, chosen, random)
    }
    await live(folder, rail, requests)
    for (const request of requests) {
      const moved = await rail.paid(request.methods[0]!)
      if (moved !== rail.amount) throw new Error(`For the request ${encodeZ32(request.coreHash)} ${moved} has moved, and not ${rail.amount}.`)
    }
    await rail.check?.(requests.length)
  } finally {
    await Promise.all([payee.close(), rail.close()])
    await rm(folder, { recursive: true, force: true })
  }
}

async function ask(payee: LocalIdentity, rail: Rail): Promise<PaymentRequest> {
  const money = { asset: rail.asset, amount: rail.amount }
  const core = draftRequest({ room: ROOM, payee: payee.identity.publicKey, money, purpose: 'Tea' })
  return signRequest(payee, core, [await rail.createMethod(core)])
}

/** One life of the wallet's process: until a kill, where there is a `random`, and otherwise until all is paid. */
async function live(folder: string, rail: Rail, requests: readonly PaymentRequest[], random?: Prng): Promise<void> {
  const { child, opened, paid } = start(folder, rail, requests)
  const closed = once(child, 'close')
  try {
    await once(child, 'message')
    child.send({ type: 'pay', room: ROOM, requests: requests.map(({ bytes }) => bytes) } satisfies Order)
    const isOpening = random?.chance(OPENING_SHARE) ?? false
    // By what it does and not by the clock alone, so that kills fall in the same places on a machine that is busy.
    if (!isOpening) await Promise.race([opened, paid])
    const end = random === undefined ? END_TIMEOUT_MS : random.below(isOpening ? rail.openMs : rail.maxLifeMs)
    const isPaid = await Promise.race([paid.then(() => true), delay(end).then(() => false)])
    if (!isPaid && random === undefined) throw new Error(`Not everything is paid after ${END_TIMEOUT_MS} ms.`)
  } finally {
    child.kill('SIGKILL')
    await closed
  }
}

function start(folder: string, rail: Rail, requests: readonly PaymentRequest[]): Wallet {
  const child = fork(WALLET, [folder, JSON.stringify(rail.access)], {
    execArgv: ['--import', 'tsx', '-C', '@covey/source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced'
  })
  const open = new Set(requests.map(({ coreHash }) => encodeZ32(coreHash)))
  let isOpen!: () => void
  const opened = new Promise<void>((resolve) => (isOpen = resolve))
  const paid = new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The process of the wallet has ended by itself.')))
    child.on('message', (told: Told) => {
      if (told.type === 'open') isOpen()
      if (told.type === 'failed') reject(new Error(told.message))
      if (told.type === 'paid' && open.delete(encodeZ32(told.requestHash)) && open.size === 0) resolve()
      if (told.type === 'rail') rail.answer(told).then((outcome) => child.connected && child.send({ type: 'answer', ask: told.ask, outcome } satisfies Order, ignoreGone), reject)
    })
  })
  // Whoever awaits it is told; a kill may come first.
  paid.catch(() => undefined)
  return { child, opened, paid }
}

/** The process may be killed while it is answered. */
function ignoreGone(): void {}

import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBot, type Bot } from '@covey/bot'
import { knownAssets, paymentReceiptContent, type PaymentProvider, type PaymentRequest } from '@covey/payments'
import { createLdkProvider } from '@covey/payments/ldk'
import { createTestRail, TEST_ASSET, TEST_ASSETS } from '@covey/payments/testing'
import { createLocalNetwork, createTestPeer, type LocalNetwork } from '@covey/testing'
import { localNetwork, type Peer, type Room } from 'covey'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { openPair } from '../../../test/support/lightning.js'
import { openLedger } from '../src/ledger.js'
import { tipJar } from '../src/tip-jar.js'

const asset = knownAssets.get('lightning:bcrt/slip44:0')
const maxFee = { asset: asset.id, amount: 0n }

let network: LocalNetwork
beforeAll(async () => {
  network = await createLocalNetwork()
})
afterAll(() => network.close())

async function heard(room: Room, text: string): Promise<void> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.text === text) return
}

async function asked(peer: Peer, room: Room, not?: PaymentRequest): Promise<PaymentRequest> {
  for await (const message of room.messages({ live: true })) {
    const request = room.payments.read(message)
    const isOwn = request?.payer !== null && Buffer.from(request?.payer ?? []).equals(peer.identity.publicKey)
    if (request !== undefined && isOwn && String(request.coreHash) !== String(not?.coreHash)) return request
  }
  throw new Error('the room ended')
}

async function texts(room: Room): Promise<string[]> {
  const all: string[] = []
  for await (const { text, isOwn } of room.messages()) if (!isOwn && text !== '') all.push(text)
  return all
}

it('asks, thanks once for what its own node has received, and knows it after a restart', { timeout: 120_000 }, async () => {
  const storage = await mkdtemp(join(tmpdir(), 'tip-jar-'))
  onTestFinished(() => rm(storage, { recursive: true, force: true }))
  const { payer, payee } = await openPair()
  const start = async (): Promise<Bot<Record<string, unknown>>> => {
    const bot = await createBot({ storage, name: 'tip-jar', network: localNetwork(network.bootstrap), payments: { providers: [createLdkProvider(payee)] } })
    onTestFinished(() => bot.close())
    tipJar(bot, { asset, ledger: await openLedger(join(storage, 'ledger.jsonl')) })
    await bot.start({ print: () => undefined, handleSignals: false })
    return bot
  }
  const bot = await start()
  const bob = await createTestPeer({ network, name: 'Bob', payments: { providers: [createLdkProvider(payer)] } })
  const mallory = await createTestPeer({ network, name: 'Mallory' })
  onTestFinished(async () => void (await Promise.all([bob.close(), mallory.close()])))
  const atBob = await bob.rooms.join(await bot.room!.createInvite())
  const atMallory = await mallory.rooms.join(await bot.room!.createInvite())

  await atBob.send('/tip lots')
  await heard(atBob, 'How much? Write an amount of rBTC, as in /tip 0.5')
  await atBob.send('/tip 0.00000021')
  const request = await asked(bob, atBob)
  expect(request.money).toEqual({ asset: asset.id, amount: 21_000n })

  const { receipt } = await atBob.payments.pay(request, { maxFee })
  await heard(atBob, 'Thank you for 0.00000021 rBTC!')
  // The same again, as bob's and as mallory's: nobody is thanked for it.
  await atBob.send(paymentReceiptContent.create(receipt.bytes))
  await atMallory.send(paymentReceiptContent.create(receipt.bytes))
  await atMallory.send('/ledger')
  await heard(atMallory, '1 tips, 0.00000021 rBTC; of you 0 rBTC.')
  await bot.close()
  // What a crash leaves of a line.
  await appendFile(join(storage, 'ledger.jsonl'), '{"payment":"half')

  const again = await start()
  await atBob.send('/ledger')
  await heard(atBob, '1 tips, 0.00000021 rBTC; of you 0.00000021 rBTC.')
  await atBob.send('/tip 0.00000042')
  const second = await asked(bob, atBob, request)
  await atBob.payments.pay(second, { maxFee })
  await heard(atBob, 'Thank you for 0.00000042 rBTC!')
  expect((await texts(atBob)).filter((text) => text.startsWith('Thank you'))).toHaveLength(2)
  const lines = (await readFile(join(storage, 'ledger.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { amount: string })
  expect(lines.map(({ amount }) => amount)).toEqual(['21000', '42000'])
  expect(again.peer.payments.list()).toEqual([])
})

it('waits for no proof that is none, and says so where its wallet does not answer', { timeout: 120_000 }, async () => {
  const storage = await mkdtemp(join(tmpdir(), 'tip-jar-'))
  onTestFinished(() => rm(storage, { recursive: true, force: true }))
  const rail = createTestRail()
  const wallet = rail.createProvider({ balance: 0n })
  let asks = 0
  let isAway = true
  const received: PaymentProvider['received'] = (order, options) => (asks++, isAway ? Promise.reject(new Error('away')) : wallet.received!(order, options))
  const bot = await createBot({ storage, name: 'tip-jar', network: localNetwork(network.bootstrap), payments: { providers: [{ ...wallet, received }], assets: TEST_ASSETS } })
  onTestFinished(() => bot.close())
  const failures: unknown[] = []
  bot.events.on('error', ({ code }) => void failures.push(code))
  tipJar(bot, { asset: TEST_ASSETS.get(TEST_ASSET), ledger: await openLedger(join(storage, 'ledger.jsonl')), settleWithinMs: 1_000 })
  await bot.start({ print: () => undefined, handleSignals: false })
  const purse = (): PaymentProvider => rail.createProvider({ balance: 1_000n })
  // Mallory's says that it has paid, by nothing.
  const liar: PaymentProvider = {
    ...purse(),
    pay: async () => ({ status: 'paid', proof: new Uint8Array(32), fee: null }),
    verify: async () => ({ status: 'valid', level: 'preimage', confirmations: null, spends: new Uint8Array(32), reason: '' })
  }
  const joined = async (name: string, provider: PaymentProvider): Promise<{ peer: Peer; room: Room }> => {
    const peer = await createTestPeer({ network, name, payments: { providers: [provider], assets: TEST_ASSETS } })
    onTestFinished(() => peer.close())
    return { peer, room: await peer.rooms.join(await bot.room!.createInvite()) }
  }
  const fee = { maxFee: { asset: TEST_ASSET, amount: 1n } }

  const mallory = await joined('Mallory', liar)
  await mallory.room.send('/tip 1')
  await mallory.room.payments.pay(await asked(mallory.peer, mallory.room), fee)
  await mallory.room.send('/ledger')
  await heard(mallory.room, '0 tips, 0 PLAY; of you 0 PLAY.')
  expect([asks, rail.moved()]).toEqual([0, 0n])

  const bob = await joined('Bob', purse())
  await bob.room.send('/tip 2')
  const request = await asked(bob.peer, bob.room)
  await bob.room.payments.pay(request, fee)
  await heard(bob.room, 'I cannot see yet whether it has come. Pay it again later: nothing is paid twice, and I look again.')
  await expect.poll(() => failures, { timeout: 30_000 }).toEqual(['BOT_HANDLER_FAILED'])
  isAway = false
  await bob.room.payments.pay(request, fee)
  await heard(bob.room, 'Thank you for 2 PLAY!')
  expect(rail.moved()).toBe(200n)
})

import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBot, type Bot } from '@covey/bot'
import { knownAssets, paymentReceiptContent, type PaymentRequest } from '@covey/payments'
import { createLdkProvider } from '@covey/payments/ldk'
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
    const request = peer.payments.in(room).read(message)
    if (request !== undefined && String(request.coreHash) !== String(not?.coreHash)) return request
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

  const { receipt } = await bob.payments.in(atBob).pay(request, { maxFee })
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
  await bob.payments.in(atBob).pay(second, { maxFee })
  await heard(atBob, 'Thank you for 0.00000042 rBTC!')
  expect((await texts(atBob)).filter((text) => text.startsWith('Thank you'))).toHaveLength(2)
  const lines = (await readFile(join(storage, 'ledger.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { amount: string })
  expect(lines.map(({ amount }) => amount)).toEqual(['21000', '42000'])
  expect(again.peer.payments.list()).toEqual([])
})

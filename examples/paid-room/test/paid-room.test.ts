import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBot } from '@covey/bot'
import { createAssetRegistry, paymentReceiptContent, type PaymentProvider, type PaymentRequest } from '@covey/payments'
import { createEvmProvider } from '@covey/payments/evm'
import { createLocalNetwork, createTestPeer, type LocalNetwork } from '@covey/testing'
import { isCoveyError, localNetwork, type Peer, type PeerPaymentsInit, type Room } from 'covey'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { CHAIN_ID, deployToken, startAnvil, viemWallet, type Anvil } from '../../../test/support/evm.js'
import { paidRoom, type PaidRoom } from '../src/paid-room.js'

const PRICE = 2_500_000n
const COIN = 10n ** 18n
const maxFee = { asset: `eip155:${CHAIN_ID}/slip44:60`, amount: COIN / 10n }

let network: LocalNetwork
let anvil: Anvil
beforeAll(async () => {
  ;[network, anvil] = await Promise.all([createLocalNetwork(), startAnvil()])
})
afterAll(() => Promise.all([network.close(), anvil.close()]))

async function answered(peer: Peer, room: Room): Promise<PaymentRequest> {
  for await (const message of room.messages({ live: true })) {
    const request = room.payments.read(message)
    if (request !== undefined && request.payer !== null && Buffer.from(request.payer).equals(peer.identity.publicKey)) return request
  }
  throw new Error('the room ended')
}

async function requestsFor(peer: Peer, room: Room): Promise<number> {
  let count = 0
  for await (const message of room.messages()) {
    const payer = room.payments.read(message)?.payer
    if (payer && Buffer.from(payer).equals(peer.identity.publicKey)) count++
  }
  return count
}

async function invitesIn(room: Room): Promise<string[]> {
  const all: string[] = []
  for await (const { text } of room.messages()) if (text.startsWith('covey:invite/')) all.push(text)
  return all
}

async function joins(peer: Peer, invite: string): Promise<string> {
  try {
    const room = await peer.rooms.join(invite, { signal: AbortSignal.timeout(30_000) })
    return (await room.info()).name
  } catch (error) {
    return isCoveyError(error) ? error.code : String(error)
  }
}

it('lets in who has paid, once, and nobody who shows it, copies it or pays nothing', { timeout: 180_000 }, async () => {
  const storage = await mkdtemp(join(tmpdir(), 'paid-room-'))
  onTestFinished(() => rm(storage, { recursive: true, force: true }))
  const token = await deployToken(anvil)
  const common = { chainId: CHAIN_ID, rpcUrls: [anvil.url], tokens: [token.asset], confirmations: 1, pollMs: 20 }
  const assets = createAssetRegistry([token.asset])
  const receive = async (): Promise<string> => `0x${randomBytes(20).toString('hex')}`
  const wallet = async (): Promise<PeerPaymentsInit> => {
    const account = viemWallet(`0x${randomBytes(32).toString('hex')}`)
    const address = (await account.getAddress()) as `0x${string}`
    await anvil.client.setBalance({ address, value: COIN })
    await token.transfer(address, PRICE * 2n)
    return { providers: [createEvmProvider({ ...common, wallet: account })], assets }
  }
  let looks = 0
  const shopWallet = (): PaymentProvider => {
    const provider = createEvmProvider({ ...common, receive })
    return { ...provider, verify: (claim, options) => (looks++, provider.verify(claim, options)) }
  }

  const start = async (): Promise<PaidRoom & { close(): Promise<void> }> => {
    const bot = await createBot({ storage, name: 'doorkeeper', network: localNetwork(network.bootstrap), payments: { providers: [shopWallet()], assets } })
    const shop = await paidRoom(bot, { price: { asset: token.asset.id, amount: PRICE }, folder: join(storage, 'gate') })
    const close = async (): Promise<void> => {
      await bot.close()
      await shop.gate.close()
    }
    onTestFinished(close)
    await bot.start({ invite: false, print: () => undefined, handleSignals: false })
    return { ...shop, close }
  }
  const shop = await start()
  const bob = await createTestPeer({ network, name: 'Bob', payments: await wallet() })
  const mallory = await createTestPeer({ network, name: 'Mallory', payments: await wallet() })
  onTestFinished(async () => void (await Promise.all([bob.close(), mallory.close()])))
  const link = await shop.lobby.createInvite()
  const [atBob, atMallory] = [await bob.rooms.join(link), await mallory.rooms.join(link)]

  await Promise.all([atBob.send('/join'), atMallory.send('/join')])
  const request = await answered(bob, atBob)
  const mallorys = await answered(mallory, atMallory)
  expect(request.money).toEqual({ asset: token.asset.id, amount: PRICE })
  const { receipt } = await atBob.payments.pay(request, { maxFee })
  await expect.poll(() => invitesIn(atBob), { timeout: 60_000 }).toHaveLength(1)
  const [invite] = await invitesIn(atBob)

  // Bob's receipt as mallory's, and the invite that all can read.
  await atMallory.send(paymentReceiptContent.create(receipt.bytes))
  await expect.poll(() => invitesIn(atMallory), { timeout: 60_000 }).toEqual([invite])
  expect(await joins(mallory, invite!)).not.toBe('Club')
  expect(await joins(bob, invite!)).toBe('Club')
  expect((await shop.club.members()).filter(({ isSelf }) => !isSelf).map(({ id }) => id)).toEqual([bob.identity.id])

  // Who has left comes back by the same.
  await bob.rooms.list().find(({ id }) => id === shop.club.id)!.leave()
  await expect.poll(() => shop.club.members(), { timeout: 60_000 }).toHaveLength(1)
  expect(await joins(bob, invite!)).toBe('Club')

  // A proof that is none is looked at, and not waited for.
  const liar: PaymentProvider = {
    ...shopWallet(),
    capabilities: { receive: false, pay: true, verify: true },
    quote: async ({ method }) => ({ fee: { ...maxFee, amount: 0n }, destination: method.data }),
    pay: async () => ({ status: 'paid', proof: new Uint8Array(97), fee: null }),
    verify: async () => ({ status: 'valid', level: 'chain', confirmations: 1, spends: new Uint8Array(32), reason: '' })
  }
  const eve = await createTestPeer({ network, name: 'Eve', payments: { providers: [liar], assets } })
  onTestFinished(() => eve.close())
  const atEve = await eve.rooms.join(link)
  await atEve.send('/join')
  const eves = await answered(eve, atEve)
  looks = 0
  await atEve.payments.pay(eves, { maxFee })
  await atEve.send('/join')
  await expect.poll(() => requestsFor(eve, atEve), { timeout: 60_000 }).toBe(2)
  expect(looks).toBe(1)

  // Another life of the bot: it knows what it has granted, and who has paid nothing is asked again.
  await shop.close()
  const again = await start()
  expect(again.lobby.id).toBe(shop.lobby.id)
  await atBob.send('/join')
  await expect.poll(() => invitesIn(atBob), { timeout: 60_000 }).toEqual([invite, invite])
  expect(again.gate.list().map(({ state }) => state).toSorted()).toEqual(['asked', 'asked', 'granted'])
  await atMallory.payments.pay(mallorys, { maxFee })
  await expect.poll(() => invitesIn(atMallory), { timeout: 60_000 }).toHaveLength(3)
  expect(await joins(mallory, (await invitesIn(atMallory)).at(-1)!)).toBe('Club')
})

import { expect, onTestFinished, test } from 'vitest'
import { encodeLink } from '@covey/core'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createMirror, type Mirror } from '@covey/mirror'
import { coresOf } from '@covey/rooms/internal'
import { createNode, defineChannel, openStore, type Node } from '@covey/transport'
import { isCoveyError, linkDevice, type Peer, type PeerInit, type Room } from 'covey'
import { codeOf, receive, start, temporaryFolder, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('two phones that are never there at the same time converge, with nothing set up on the second', async () => {
  const mirror = await startMirror()
  const phone = async (name: string): Promise<() => Promise<Peer>> => {
    const storage = await temporaryFolder()
    return () => start({ storage, name, network: net.network })
  }
  const [alices, bobs] = [await phone('Alice'), await phone('Bob')]
  const alice = await alices()
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.setMirrors([mirror.link])
  const bob = await bobs()
  const joined = await bob.rooms.join(await room.createInvite())
  await mirrorsBecome(joined, [mirror.link])
  await joined.durable({ mirrors: 1 })
  await room.durable({ mirrors: 1, devices: 1 })
  expect(bob.mirrors.list()).toEqual([{ id: mirror.id, isConnected: true, isOwn: false }])
  await bob.close()

  await room.send('while you sleep')
  await room.durable()
  await alice.close()
  const bobAgain = await bobs()
  const his = bobAgain.rooms.get(room.id)!
  await receive(his, 'while you sleep')
  const { id } = await his.send('and while you do')
  expect(await his.durable({ message: id })).toEqual({ mirrors: [mirror.id], devices: [] })
  await bobAgain.close()

  const aliceAgain = await alices()
  const hers = aliceAgain.rooms.get(room.id)!
  const { id: heard } = await receive(hers, 'and while you do')
  expect(await textsOf(hers)).toEqual(['while you sleep', 'and while you do'])
  expect(heard).toBe(id)
  // Of another's message too, whose device is not there.
  expect(await hers.durability(id)).toEqual({ mirrors: [mirror.id], devices: [] })
  expect(await hers.durable({ message: id, mirrors: 1 })).toEqual({ mirrors: [mirror.id], devices: [] })
})

test('a room that is asleep since the start is held by its mirrors, and learns from them', async () => {
  const mirror = await startMirror()
  const [aliceFolder, bobFolder] = [await temporaryFolder(), await temporaryFolder()]
  const alice = await start({ storage: aliceFolder, name: 'Alice', network: net.network })
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.setMirrors([mirror.link])
  const bob = await start({ storage: bobFolder, name: 'Bob', network: net.network })
  const joined = await bob.rooms.join(await room.createInvite())
  await mirrorsBecome(joined, [mirror.link])
  await joined.durable({ mirrors: 1 })
  await bob.close()
  await room.send('while you sleep')
  await room.durable()
  await alice.close()

  const again = await start({ storage: bobFolder, network: net.network })
  const [his] = again.rooms.list()
  // Nobody asks anything of it: the mirror says that there is more, and so it is opened.
  await his!.once('update')
  await receive(his!, 'while you sleep')
  expect(again.mirrors.list()).toEqual([{ id: mirror.id, isConnected: true, isOwn: false }])
  const { id } = await his!.send('and while you do')
  expect(await his!.durable({ message: id })).toEqual({ mirrors: [mirror.id], devices: [] })
})

test('a room has as many dialled as the peer lets it, and none once it names none, or the peer is out', async () => {
  const peer = (name: string, init: PeerInit = {}): Promise<Peer> => start({ name, network: net.network, ...init })
  const [alice, bob, carol] = [await peer('Alice'), await peer('Bob', { maxRoomMirrors: 3 }), await peer('Carol', { maxRoomMirrors: 0 })]
  const rooms = [await alice.rooms.create({ name: 'Tea' }), await alice.rooms.create({ name: 'Coffee' })] as const
  const [his, hisToo] = [await bob.rooms.join(await rooms[0].createInvite()), await bob.rooms.join(await rooms[1].createInvite())]
  const hers = await carol.rooms.join(await rooms[0].createInvite())
  // Bob's own device is no mirror of his.
  const own = encodeLink('mirror', bob.device.publicKey)
  for (const [i, room] of rooms.entries()) await room.setMirrors([own, ...Array.from({ length: 7 }, (_, j) => strangers(8 * i + j))])
  for (const [i, room] of [his, hisToo].entries()) await mirrorsBecome(room, (await rooms[i]!.info()).mirrors)
  await mirrorsBecome(hers, (await rooms[0].info()).mirrors)
  expect(await codeOf(() => hers.durable({ mirrors: 1 }))).toBe('TOO_FEW_MIRRORS')
  // When both rooms have had their turn.
  for (const room of [his, hisToo]) {
    await expect.poll(() => codeOf(() => room.durable({ mirrors: 3, signal: AbortSignal.timeout(100) })), { timeout: 10_000 }).toBe('TOO_FEW_MIRRORS')
  }
  const named = bob.mirrors.list()
  expect(named).toHaveLength(3)
  expect(named.every(({ isOwn, id }) => !isOwn && id !== bob.device.id)).toBe(true)
  expect(carol.mirrors.list()).toEqual([])

  await rooms[0].setMirrors([])
  await mirrorsBecome(his, [])
  expect(await codeOf(() => his.durable({ mirrors: 1 }))).toBe('TOO_FEW_MIRRORS')
  await rooms[1].remove(bob.identity.id)
  await change(hisToo, async () => (await hisToo.info()).role === undefined)
  await hisToo.durability()
  expect(bob.mirrors.list()).toEqual([])
})

test('a message is proven by those who have it, and what is none is told', async () => {
  const mirror = await startMirror()
  const [alice, bob] = [await start({ name: 'Alice', network: net.network, mirrors: [mirror.link] }), await start({ name: 'Bob', network: net.network })]
  const room = await alice.rooms.create({ name: 'Tea' })
  const his = await bob.rooms.join(await room.createInvite())
  const { id } = await room.send('first')
  await receive(his, 'first')
  const { id: second } = await his.send('second')
  await receive(room, 'second')
  expect(await room.durable({ message: id, mirrors: 1, devices: 1 })).toEqual({ mirrors: [mirror.id], devices: [bob.device.id] })
  expect(await room.durable({ message: second, mirrors: 1, devices: 1 })).toEqual({ mirrors: [mirror.id], devices: [bob.device.id] })
  // The mirror is Alice's alone, and her device has what both have said.
  for (const message of [id, second]) expect(await his.durability(message)).toEqual({ mirrors: [], devices: [alice.device.id] })
  await mirror.close()
  expect((await room.durability(id)).mirrors).toEqual([])
  expect(await codeOf(() => room.durability(alice.identity.id))).toBe('MESSAGE_NOT_FOUND')
  expect(await codeOf(() => room.durable({ message: alice.identity.id }))).toBe('MESSAGE_NOT_FOUND')
  expect(await codeOf(() => room.durable({ message: 'x' }))).toBe('TypeError')
  expect(await codeOf(() => room.durability(id, { signal: AbortSignal.abort(new TypeError('enough')) }))).toBe('TypeError')
  await room.close()
  expect(await codeOf(() => room.durability(id))).toBe('ROOM_CLOSED')
})

test('mirrors of a room that lie, each in its way, count for nothing, and are told of', async () => {
  const honest = await startMirror()
  const liars = [await startLiar(() => new Uint8Array(32)), await startLiar(() => new Uint8Array())]
  const alice = await start({ name: 'Alice', network: net.network })
  const room = await alice.rooms.create({ name: 'Tea' })
  const lied = new Set<string>()
  alice.mirrors.on('lied', ({ mirror }) => void lied.add(mirror))
  await room.setMirrors([...liars.map(({ publicKey }) => encodeLink('mirror', publicKey)), honest.link])
  const { id } = await room.send('hello')
  expect(await room.durable({ message: id, mirrors: 1 })).toEqual({ mirrors: [honest.id], devices: [] })
  while (lied.size < 2) await room.durability(id)
  expect(lied).toEqual(new Set(liars.map((liar) => liar.id)))
  const two = room.durable({ message: id, mirrors: 2, signal: AbortSignal.timeout(500) })
  await expect(two).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('what the devices of a person share is held too: one learns from the mirror what the other did while it slept', { timeout: 120_000 }, async () => {
  const mirror = await startMirror()
  const [laptopFolder, phoneFolder] = [await temporaryFolder(), await temporaryFolder()]
  const init = { network: net.network, mirrors: [mirror.link] }
  const laptop = await start({ ...init, storage: laptopFolder, name: 'Alice' })
  const bob = await start({ name: 'Bob', network: net.network })
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const bobs = await bob.rooms.join(await tea.createInvite())
  await bobs.send('have you read this?')
  await receive(tea, 'have you read this?')
  const asked = laptop.devices.once('request')
  const linking = await linkDevice(await laptop.devices.createLink(), { ...init, storage: phoneFolder })
  onTestFinished(() => linking.close())
  const [phone] = await Promise.all([linking.confirmed(), asked.then(({ id }) => laptop.devices.confirm(id))])
  onTestFinished(() => phone.close())
  await phone.devices.synced()
  await receive(phone.rooms.get(tea.id)!, 'have you read this?')
  expect(await phone.rooms.get(tea.id)!.unread()).toMatchObject({ count: 1 })
  await Promise.all([phone.close(), bob.close()])

  const inTea = new Set((await coresOf(tea).keys()).map(hex))
  const grown = new Set<string>()
  const isHeld = new Promise<void>((resolve) => {
    laptop.mirrors.on('held', ({ key }) => {
      if (!inTea.has(hex(key))) grown.add(hex(key))
      // What it wrote in the room of the devices, and the two views of that.
      if (grown.size === 3) resolve()
    })
  })
  await tea.markRead()
  await isHeld
  await laptop.close()
  const phoneAgain = await start({ ...init, storage: phoneFolder })
  await change(phoneAgain.rooms.get(tea.id)!, async () => (await phoneAgain.rooms.get(tea.id)!.unread()).count === 0)
})

/** The link of a mirror that there is not. */
function strangers(name: number): string {
  return encodeLink('mirror', new Uint8Array(32).fill(name + 1))
}

/** Says that it has all that it is asked to hold, a thousand blocks of each, and answers every question alike. */
async function startLiar(answer: () => Uint8Array): Promise<Node> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(await temporaryFolder()), network: net.network })
  const channel = node.channel(defineChannel({ name: 'covey/holding', version: 1 }), { peers: 'any' })
  const lie = async (): Promise<void> => {
    for await (const { peer, message } of channel.messages()) {
      const [type, id] = message
      const keys = Array.from({ length: type === 0 ? id! : 0 }, (_, i) => message.subarray(2 + 32 * i, 34 + 32 * i))
      for (const key of keys) await channel.send(peer, Buffer.concat([Uint8Array.of(1, 1), key, Uint8Array.of(0xfd, 0xe8, 0x03)]))
      if (type === 3) await channel.send(peer, Buffer.concat([Uint8Array.of(4, id!), answer()]))
    }
  }
  const lying = lie().catch((error: unknown) => {
    if (!isCoveyError(error, 'CHANNEL_CLOSED')) throw error
  })
  onTestFinished(async () => {
    await node.close()
    await lying
    await identity.close()
  })
  return node
}

async function startMirror(): Promise<Mirror> {
  const mirror = await createMirror({ storage: await temporaryFolder(), network: net.network })
  onTestFinished(() => mirror.close())
  return mirror
}

function mirrorsBecome(room: Room, mirrors: readonly string[]): Promise<void> {
  return change(room, async () => (await room.info()).mirrors.join() === mirrors.join())
}

/** Resolves when a room is as it should be. */
async function change(room: Room, isThere: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const changed = room.once('update')
    if (await isThere()) return
    await changed
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createMirror, type Mirror } from '@covey/mirror'
import { linkDevice, type Peer } from 'covey'
import { receive, start, temporaryFolder, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('what a room had a mirror hold, and what was fetched there, goes with the room', { timeout: 60_000 }, async () => {
  const mirror = await startMirror()
  const [alice, bob] = [await start({ ...net, name: 'Alice' }), await start({ ...net, name: 'Bob', mirrors: [mirror.link] })]
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  const bytes = randomBytes(300_000)
  const { message } = await room.files.share(bytes)
  await receive(joined, message.text)
  const file = joined.files.of((await joined.message(message.id))!)!
  expect(Buffer.from(await file.bytes({ maxBytes: bytes.length })).equals(bytes)).toBe(true)
  await joined.durable()
  expect(mirror.usage().get(bob.device.id)?.bytes).toBeGreaterThan(0)
  expect((await file.progress()).receivedBytes).toBe(bytes.length)

  await bob.rooms.leave(room.id)
  await expect.poll(async () => (await file.progress()).receivedBytes, { timeout: 20_000 }).toBe(0)
  // It counts for him no more, whoever else has it held.
  await expect.poll(() => mirror.usage().get(bob.device.id)?.bytes ?? 0, { timeout: 20_000 }).toBe(0)
})

test('a device that has left a room comes into it again by an invite alone; others of the person keep what they have', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice', deviceName: 'Laptop' })
  const bob = await start({ ...net, name: 'Bob' })
  const [own, theirs] = [await laptop.rooms.create({ name: 'Alone' }), await bob.rooms.create({ name: 'Coffee' })]
  await theirs.send('hello')
  await receive(await laptop.rooms.join(await theirs.createInvite()), 'hello')
  const phone = await link(laptop)
  expect(phone.rooms.list()).toHaveLength(2)
  await expect.poll(() => textsOf(phone.rooms.get(theirs.id)!), { timeout: 30_000 }).toEqual(['hello'])

  await phone.rooms.leave(theirs.id)
  await phone.rooms.leave(own.id)
  expect(phone.rooms.list()).toEqual([])
  await expect.poll(async () => (await laptop.rooms.get(theirs.id)!.info()).role, { timeout: 30_000 }).toBeUndefined()
  expect(await textsOf(laptop.rooms.get(theirs.id)!)).toEqual(['hello'])
  // A room without anybody else has nobody to give it up to.
  expect((await own.info()).role).toBe('owner')
  await laptop.rooms.create({ name: 'Later' })
  await expect.poll(async () => Promise.all(phone.rooms.list().map(async (room) => (await room.info()).name)), { timeout: 30_000 }).toEqual(['Later'])
  await phone.devices.synced({ signal: AbortSignal.timeout(30_000) })

  const again = await phone.rooms.join(await theirs.createInvite())
  expect(await again.info()).toMatchObject({ name: 'Coffee', role: 'member' })
  await expect.poll(async () => (await laptop.rooms.get(theirs.id)!.info()).role, { timeout: 30_000 }).toBe('member')
})

async function link(laptop: Peer): Promise<Peer> {
  const asked = laptop.devices.once('request')
  const linking = await linkDevice(await laptop.devices.createLink(), { ...net, storage: await temporaryFolder(), deviceName: 'Phone' })
  onTestFinished(() => linking.close())
  const [phone] = await Promise.all([linking.confirmed(), asked.then(({ id }) => laptop.devices.confirm(id))])
  onTestFinished(() => phone.close())
  await phone.devices.synced()
  return phone
}

async function startMirror(): Promise<Mirror> {
  const mirror = await createMirror({ storage: await temporaryFolder(), network: net.network })
  onTestFinished(() => mirror.close())
  return mirror
}

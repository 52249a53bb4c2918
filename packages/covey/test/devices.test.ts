import { expect, onTestFinished, test } from 'vitest'
import { createPeer, linkDevice, type Peer } from 'covey'
import { kindsOf, link, meet, phoneIn, roomOf } from './support-devices.js'
import { codeOf, PHRASE, receive, start, temporaryFolder, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('a linked device is the same person in the same rooms, and reads all that the person can', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice', deviceName: 'Laptop' })
  const bob = await start({ ...net, name: 'Bob' })
  const tea = await laptop.rooms.create({ name: 'Tea' })
  // Newcomers do not read what was said before; a device of somebody who was there does.
  const theirs = await bob.rooms.create({ name: 'Coffee', history: 'since-join' })
  const coffee = await laptop.rooms.join(await theirs.createInvite())
  await tea.send('before')
  await theirs.send('from Bob')
  await receive(coffee, 'from Bob')

  const init = await phoneIn(net)
  const { linking, request } = await meet(laptop, init)
  expect(linking.code).toMatch(/^\d{6}$/)
  expect(linking.identity).toBe(laptop.identity.id)
  expect(request).toEqual({ id: request.id, code: linking.code, device: request.device, name: 'Phone' })
  expect(laptop.devices.requests()).toEqual([request])
  const ended = laptop.devices.once('requestEnd')
  const [phone] = await Promise.all([linking.confirmed(), laptop.devices.confirm(request.id)])
  onTestFinished(() => phone.close())
  expect(await ended).toEqual({ id: request.id })
  expect(laptop.devices.requests()).toEqual([])
  expect(phone.identity.id).toBe(laptop.identity.id)
  expect(phone.device.id).toBe(request.device)
  await phone.devices.synced()

  expect(phone.rooms.list().map(({ id }) => id).toSorted()).toEqual([tea.id, coffee.id].toSorted())
  const [phoneTea, phoneCoffee] = [await roomOf(phone, tea.id), await roomOf(phone, coffee.id)]
  expect(await phoneTea.info()).toMatchObject({ name: 'Tea', role: 'owner' })
  expect(await textsOf(phoneTea)).toEqual(['before'])
  expect(await phoneCoffee.info()).toMatchObject({ name: 'Coffee', role: 'member' })
  await expect.poll(() => textsOf(phoneCoffee), { timeout: 30_000 }).toEqual(['from Bob'])
  await phoneCoffee.send('from the phone')
  expect(await receive(theirs, 'from the phone')).toMatchObject({ author: laptop.identity.id, authorName: 'Alice', device: phone.device.id })
  expect(await receive(coffee, 'from the phone')).toMatchObject({ isOwn: true })
  expect((await theirs.members()).map(({ name }) => name).toSorted()).toEqual(['Alice', 'Bob'])

  const both = [{ id: laptop.device.id, name: 'Laptop' }, { id: phone.device.id, name: 'Phone' }]
  await expect.poll(async () => (await laptop.devices.list()).length, { timeout: 30_000 }).toBe(2)
  await expect.poll(() => laptop.devices.list(), { timeout: 30_000 }).toEqual(both.map((each, i) => ({ ...each, isThis: i === 0 })))
  await expect.poll(() => phone.devices.list(), { timeout: 30_000 }).toEqual(both.map((each, i) => ({ ...each, isThis: i === 1 })).toReversed())

  // What one device joins or makes, the other gets; also after a restart.
  const late = await phone.rooms.create({ name: 'Late' })
  await late.send('made on the phone')
  await receive(await roomOf(laptop, late.id), 'made on the phone')
  await phone.close()
  const again = await start({ ...net, storage: init.storage })
  await again.devices.synced()
  expect(again.rooms.list()).toHaveLength(3)
  await (await roomOf(again, tea.id)).send('back')
  await receive(tea, 'back')
})

test('rooms that are asleep when the first device is linked reach it too', { timeout: 120_000 }, async () => {
  const storage = await temporaryFolder()
  const before = await start({ ...net, storage, name: 'Alice' })
  const ids = []
  for (const name of ['Tea', 'Coffee', 'Water']) ids.push((await before.rooms.create({ name })).id)
  await before.close()
  const phone = await link(await start({ ...net, storage }), await phoneIn(net))
  expect(phone.rooms.list().map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
})

test('a room that the person only reads keeps no device from the others, nor one that is lost in them', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const bob = await start({ ...net, name: 'Bob' })
  const news = await bob.rooms.create({ name: 'News', rules: { broadcast: true } })
  const read = await laptop.rooms.join(await news.createInvite())
  await expect.poll(async () => (await read.info()).role, { timeout: 30_000 }).toBe('reader')
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const errors: unknown[] = []
  laptop.devices.on('error', (error) => void errors.push(error))
  // Synced, without the one that its device cannot be let into.
  const phone = await link(laptop, await phoneIn(net))
  expect(phone.rooms.list().map(({ id }) => id)).toEqual([tea.id])
  const phones = await roomOf(phone, tea.id)
  // What it sent before it had heard of it.
  const unsent: unknown[] = []
  phones.on('error', ({ code }) => void unsent.push(code))
  await laptop.devices.unlink(phone.device.id)
  await expect.poll(() => codeOf(() => phones.send('from outside')), { timeout: 30_000 }).toBe('ROOM_NOT_WRITABLE')
  await news.send('news')
  await receive(read, 'news')
  expect(errors).toEqual([])
  expect(unsent.filter((code) => code !== 'ROOM_NOT_WRITABLE')).toEqual([])
})

test('how far the person has read is known on all of their devices, and never goes back', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const bob = await start({ ...net, name: 'Bob' })
  const room = await laptop.rooms.create({ name: 'Tea' })
  const theirs = await bob.rooms.join(await room.createInvite())
  const phone = await link(laptop, await phoneIn(net))
  const phones = await roomOf(phone, room.id)
  const unread = async (): Promise<number[]> => Promise.all([room, phones].map(async (each) => (await each.unread()).count))
  const sent = []
  for (const text of ['one', 'two', 'three']) sent.push(await theirs.send(text))
  await receive(room, 'three')
  await receive(phones, 'three')
  await expect.poll(unread, { timeout: 30_000 }).toEqual([3, 3])

  await phones.markRead(sent[1]!.id)
  await expect.poll(unread, { timeout: 30_000 }).toEqual([1, 1])
  await room.markRead(sent[0]!.id)
  await room.markRead()
  await expect.poll(unread, { timeout: 30_000 }).toEqual([0, 0])
  await theirs.send('four')
  await expect.poll(unread, { timeout: 30_000 }).toEqual([1, 1])
  // What was to be told when the device was closed, is told when it is open again.
  await room.markRead((await receive(room, 'four')).id)
  await laptop.devices.close()
  await expect.poll(unread, { timeout: 30_000 }).toEqual([0, 0])
})

test('contacts, blocks and the profile are the same on all devices of a person, whatever each did while it was alone', { timeout: 120_000 }, async () => {
  const laptopFolder = await temporaryFolder()
  const openLaptop = (): Promise<Peer> => start({ ...net, storage: laptopFolder, name: 'Alice' })
  let laptop = await openLaptop()
  const bob = await start({ ...net, name: 'Bob' })
  const carol = await start({ ...net, name: 'Carol' })
  const room = await laptop.rooms.create({ name: 'Tea' })
  await (await bob.rooms.join(await room.createInvite())).send('of Bob')
  await receive(room, 'of Bob')
  await laptop.contacts.add(bob.identity.id, { name: 'Bob from work' })
  await laptop.profile.set({ bio: 'tea, mostly' })
  const init = await phoneIn(net)
  let phone = await link(laptop, init)
  const agree = (wanted: { contacts: string[]; blocked: string[]; bio: string }): Promise<void> =>
    expect
      .poll(() => [laptop, phone].map(({ contacts, profile }) => ({
        contacts: contacts.list().map(({ name }) => name),
        blocked: contacts.blocked().map(({ id }) => id),
        bio: profile.get().bio
      })), { timeout: 60_000 })
      .toEqual([wanted, wanted])
  await agree({ contacts: ['Bob from work'], blocked: [], bio: 'tea, mostly' })

  // Each alone. What the phone did, it did later; of Carol the laptop alone has said something.
  await phone.close()
  await laptop.contacts.add(bob.identity.id, { name: 'of the laptop' })
  await laptop.contacts.add(carol.identity.id, { name: 'Carol' })
  await laptop.contacts.block(bob.identity.id)
  await laptop.profile.set({ bio: 'of the laptop' })
  await laptop.close()
  phone = await start({ ...net, storage: init.storage })
  await phone.contacts.add(bob.identity.id, { name: 'of the phone' })
  await phone.profile.set({ bio: 'of the phone' })
  laptop = await openLaptop()
  await agree({ contacts: ['Carol', 'of the phone'], blocked: [bob.identity.id], bio: 'of the phone' })
  // Who is blocked on the one is so on the other, with all that follows.
  expect(await kindsOf(await roomOf(phone, room.id))).toEqual(['blocked'])
  await phone.contacts.unblock(bob.identity.id)
  await phone.contacts.remove(carol.identity.id)
  await agree({ contacts: ['of the phone'], blocked: [], bio: 'of the phone' })
  expect(await textsOf(laptop.rooms.get(room.id)!)).toEqual(['of Bob'])
})

test('a room that one device leaves, the person has left', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const bob = await start({ ...net, name: 'Bob' })
  const theirs = await bob.rooms.create({ name: 'Coffee' })
  await laptop.rooms.join(await theirs.createInvite())
  const phone = await link(laptop, await phoneIn(net))
  await (await roomOf(phone, theirs.id)).leave()
  await expect.poll(async () => (await laptop.rooms.get(theirs.id)!.info()).role, { timeout: 30_000 }).toBeUndefined()
  // A device that comes later is not brought into it.
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const tablet = await link(laptop, await phoneIn(net, { deviceName: 'Tablet' }))
  await roomOf(tablet, tea.id)
  expect(tablet.rooms.list().map(({ id }) => id)).toEqual([tea.id])
})

test('a device that is restarted in the middle goes on, before and after it was confirmed', { timeout: 120_000 }, async () => {
  const laptopFolder = await temporaryFolder()
  const laptop = await start({ ...net, storage: laptopFolder, name: 'Alice' })
  const tea = await laptop.rooms.create({ name: 'Tea' })
  await tea.send('hello')
  // With all that a peer may be told.
  const init = await phoneIn(net, { name: 'Alice', mirrors: [], files: {}, policy: 'auto', relays: [], payments: { providers: [] } })

  // Before: the folder waits, as the same device, for another link.
  const { linking, request } = await meet(laptop, init)
  expect(await codeOf(() => linkDevice(linking.code, init))).toBe('STORAGE_LOCKED')
  const ended = laptop.devices.once('requestEnd')
  await linking.close()
  await ended
  expect(await codeOf(() => laptop.devices.confirm(request.id))).toBe('LINK_REQUEST_NOT_FOUND')
  expect(await codeOf(() => createPeer(init))).toBe('IDENTITY_PENDING')

  // After: neither was open long enough to let it into anything.
  const second = await meet(laptop, init)
  expect(second.request.device).toBe(request.device)
  const [phone] = await Promise.all([second.linking.confirmed(), laptop.devices.confirm(second.request.id)])
  await Promise.all([phone.close(), laptop.close()])
  const [again, back] = [await start({ ...net, storage: init.storage }), await start({ ...net, storage: laptopFolder })]
  await again.devices.synced()
  expect(await textsOf(await roomOf(again, tea.id))).toEqual(['hello'])
  await back.rooms.get(tea.id)!.send('again')
  await receive(await roomOf(again, tea.id), 'again')
  await again.close()
  expect(await codeOf(async () => linkDevice(await back.devices.createLink(), init))).toBe('DEVICE_LINKED')
})

test('who has the words on two devices links them; another person is refused', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const [own, others] = [await phoneIn(net), await phoneIn(net)]
  // Of a newer epoch than the laptop's, which knows nothing of it.
  const restored = await start({ ...net, storage: own.storage, phrase: laptop.revealPhrase() })
  const { device } = restored
  await restored.close()
  const bob = await start({ ...net, storage: others.storage, name: 'Bob' })
  await bob.close()
  expect(await codeOf(async () => linkDevice(await laptop.devices.createLink(), others))).toBe('LINK_REFUSED')
  const phone = await link(laptop, own)
  expect(phone.device.id).toBe(device.id)
  await roomOf(phone, tea.id)
  // It has the words, and so it can unlink, even the one that was there first.
  const unlinked = laptop.devices.once('unlinked')
  await phone.devices.unlink(laptop.device.id)
  await unlinked
})

test('a link that nobody confirms, or that is over, gives nothing; so does a wrong word', { timeout: 60_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const init = await phoneIn(net)
  const { linking, request } = await meet(laptop, init)
  await laptop.devices.decline(request.id)
  expect(await codeOf(() => linking.confirmed())).toBe('LINK_REFUSED')
  expect(await codeOf(() => createPeer(init))).toBe('IDENTITY_PENDING')
  const short = await laptop.devices.createLink({ expiresInMs: 1 })
  await expect.poll(() => codeOf(() => linkDevice(short, init))).toBe('LINK_EXPIRED')
  const all = { ...init, name: 'Alice', presence: false, requestsFrom: 'nobody', mirrors: [], files: {}, policy: 'direct' } as const
  expect(await codeOf(() => linkDevice('hello', all))).toBe('LINK_NOT_COVEY')
  expect(await codeOf(() => linkDevice(short, { ...init, phrase: PHRASE } as never))).toBe('TypeError')
  expect(await codeOf(() => laptop.devices.createLink({ expiresInMs: 0 }))).toBe('TypeError')
  expect(await codeOf(() => laptop.devices.confirm(request.id))).toBe('LINK_REQUEST_NOT_FOUND')
  expect(await codeOf(() => laptop.devices.decline(request.id))).toBe('LINK_REQUEST_NOT_FOUND')
  expect(await codeOf(() => laptop.devices.synced({ signal: AbortSignal.timeout(60_000) }))).toBeNull()
  expect(await laptop.devices.list()).toEqual([{ id: laptop.device.id, name: '', isThis: true }])
  await laptop.close()
  expect(await codeOf(() => laptop.devices.createLink())).toBe('ROOM_CLOSED')
  expect(await codeOf(() => laptop.devices.list())).toBe('ROOM_CLOSED')
})

test('a room that is closed on one device stays closed there, whatever the others do', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const phone = await link(laptop, await phoneIn(net))
  await (await roomOf(phone, tea.id)).close()
  expect(phone.rooms.get(tea.id)).toBeUndefined()
  // The list of their rooms changes.
  const coffee = await laptop.rooms.create({ name: 'Coffee' })
  await roomOf(phone, coffee.id)
  await phone.devices.synced()
  expect(phone.rooms.list().map(({ id }) => id)).toEqual([coffee.id])
})

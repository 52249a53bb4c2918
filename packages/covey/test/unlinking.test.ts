import { expect, test } from 'vitest'
import { kindsOf, link, meet, phoneIn, roomOf } from './support-devices.js'
import { codeOf, receive, start, temporaryFolder, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('an unlinked device is out of all rooms, reads nothing that is said then, and cannot come back', { timeout: 120_000 }, async () => {
  const laptopFolder = await temporaryFolder()
  const laptop = await start({ ...net, storage: laptopFolder, name: 'Alice' })
  const bob = await start({ ...net, name: 'Bob' })
  const [tea, closed] = [await laptop.rooms.create({ name: 'Tea' }), await laptop.rooms.create({ name: 'Closed' })]
  const bobs = await bob.rooms.join(await tea.createInvite())
  const phone = await link(laptop, await phoneIn(net))
  const stays = await link(laptop, await phoneIn(net, { deviceName: 'Tablet' }))
  const [phones, phonesClosed] = [await roomOf(phone, tea.id), await roomOf(phone, closed.id)]
  await phones.send('still a device')
  await receive(bobs, 'still a device')
  await stays.close()
  await closed.close()

  expect(await codeOf(() => phone.devices.unlink(laptop.device.id))).toBe('IDENTITY_NO_PHRASE')
  expect(await codeOf(() => laptop.devices.unlink(laptop.device.id))).toBe('TypeError')
  expect(await codeOf(() => laptop.devices.unlink(bob.device.id))).toBe('DEVICE_NOT_FOUND')
  const unlinked = phone.devices.once('unlinked')
  await laptop.devices.unlink(phone.device.id)
  await unlinked
  expect(phone.devices.isUnlinked).toBe(true)
  expect(await codeOf(() => phone.devices.synced())).toBe('DEVICE_UNLINKED')
  expect(laptop.devices.isUnlinked).toBe(false)
  expect((await laptop.devices.list()).map(({ id }) => id)).toEqual([laptop.device.id, stays.device.id])

  await expect.poll(() => codeOf(() => phones.send('from outside')), { timeout: 30_000 }).toBe('ROOM_NOT_WRITABLE')
  await tea.send('between us')
  await receive(bobs, 'between us')
  await bobs.send('between us two')
  await receive(tea, 'between us two')
  await expect.poll(async () => (await kindsOf(phones)).slice(-2), { timeout: 30_000 }).toEqual(['unreadable', 'unreadable'])
  expect(await textsOf(tea)).not.toContain('from outside')

  // A room that was closed here is told when it is opened again.
  await laptop.close()
  const again = await start({ ...net, storage: laptopFolder })
  const reopened = again.rooms.get(closed.id)!
  await expect.poll(() => codeOf(() => phonesClosed.send('still here')), { timeout: 30_000 }).toBe('ROOM_NOT_WRITABLE')
  await reopened.send('without the phone')
  await expect.poll(async () => (await kindsOf(phonesClosed)).at(-1), { timeout: 30_000 }).toBe('unreadable')
  await again.rooms.create({ name: 'New' })
  await again.devices.synced()
  expect(phone.rooms.list()).toHaveLength(2)
})

test('the devices that remain go on after one was unlinked: they get certificates of the new epoch', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const phone = await link(laptop, await phoneIn(net))
  const tablet = await link(laptop, await phoneIn(net, { deviceName: 'Tablet' }))
  await laptop.devices.unlink(tablet.device.id)
  const tea = await laptop.rooms.create({ name: 'Tea' })
  await (await roomOf(phone, tea.id)).send('I am in')
  await receive(tea, 'I am in')
  const made = await phone.rooms.create({ name: 'Made on the phone' })
  await (await roomOf(laptop, made.id)).send('so am I')
  await receive(made, 'so am I')
  expect(tablet.rooms.list()).toEqual([])
})

test('what an unlinked device has linked goes with it, also when the person has renewed it since', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const phone = await link(laptop, await phoneIn(net))
  const theirs = await link(phone, await phoneIn(net, { deviceName: 'Another phone' }))
  const tablet = await link(laptop, await phoneIn(net, { deviceName: 'Tablet' }))
  await laptop.devices.unlink(tablet.device.id)
  // It comes in by a certificate of the new epoch.
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const seen = await roomOf(theirs, tea.id)
  await seen.send('I am in')
  await receive(tea, 'I am in')

  const unlinked = theirs.devices.once('unlinked')
  await laptop.devices.unlink(phone.device.id)
  await unlinked
  expect((await laptop.devices.list()).map(({ id }) => id)).toEqual([laptop.device.id])
  await expect.poll(() => codeOf(() => seen.send('from outside')), { timeout: 30_000 }).toBe('ROOM_NOT_WRITABLE')
})

test('a device can be unlinked that was confirmed and has not come yet: then it never comes', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const init = await phoneIn(net)
  const { linking, request } = await meet(laptop, init)
  const [phone] = await Promise.all([linking.confirmed(), laptop.devices.confirm(request.id)])
  await phone.close()
  await expect.poll(async () => (await laptop.devices.list()).map(({ name }) => name), { timeout: 30_000 }).toEqual(['', 'Phone'])
  await laptop.devices.unlink(phone.device.id)
  expect(await laptop.devices.list()).toHaveLength(1)
  const again = await start({ ...net, storage: init.storage })
  // Another one that is linked while it is there comes in, and it does not.
  const tablet = await link(laptop, await phoneIn(net, { deviceName: 'Tablet' }))
  await roomOf(tablet, tea.id)
  expect(again.rooms.list()).toEqual([])
  expect((await laptop.devices.list()).map(({ name }) => name)).toEqual(['', 'Tablet'])
})

test('a device that was confirmed comes also where another was unlinked before it came, unless who confirmed it was', { timeout: 120_000 }, async () => {
  const laptop = await start({ ...net, name: 'Alice' })
  const tea = await laptop.rooms.create({ name: 'Tea' })
  const tablet = await link(laptop, await phoneIn(net, { deviceName: 'Tablet' }))
  const [ours, theirs] = [await phoneIn(net), await phoneIn(net, { deviceName: 'Another phone' })]
  for (const [by, init] of [[laptop, ours], [tablet, theirs]] as const) {
    const { linking, request } = await meet(by, init)
    const [confirmed] = await Promise.all([linking.confirmed(), by.devices.confirm(request.id)])
    await confirmed.close()
  }
  const names = async (): Promise<string[]> => (await laptop.devices.list()).map(({ name }) => name).sort()
  await expect.poll(names, { timeout: 30_000 }).toEqual(['', 'Another phone', 'Phone', 'Tablet'])
  await laptop.devices.unlink(tablet.device.id)
  const other = await start({ ...net, storage: theirs.storage })
  const phone = await start({ ...net, storage: ours.storage })
  const there = await roomOf(phone, tea.id)
  const { id } = await tea.send('with milk')
  await expect.poll(async () => (await there.message(id))?.text, { timeout: 30_000 }).toBe('with milk')
  await expect.poll(() => phone.devices.list().then((all) => all.length), { timeout: 30_000 }).toBeGreaterThan(1)
  expect(other.rooms.list()).toEqual([])
})

test('who has unlinked a device, and lost the others, comes back into the rooms by the words, or by a backup', { timeout: 120_000 }, async () => {
  const bob = await start({ ...net, name: 'Bob' })
  const tea = await bob.rooms.create({ name: 'Tea' })
  const laptop = await start({ ...net, name: 'Alice' })
  const phrase = laptop.revealPhrase()
  const backup = { bytes: await laptop.exportBackup({ passphrase: 'of long ago', passphraseStrength: 'minimum' }), passphrase: 'of long ago' }
  await laptop.rooms.join(await tea.createInvite())
  const phone = await link(laptop, await phoneIn(net))
  await roomOf(phone, tea.id)
  await laptop.devices.unlink(phone.device.id)
  await expect.poll(async () => (await tea.auditLog()).map(({ action }) => action), { timeout: 30_000 }).toContain('revokeDevice')
  await Promise.all([laptop.close(), phone.close()])

  for (const person of [{ phrase }, { backup }]) {
    const restored = await start({ ...net, ...person })
    expect(restored.identity.id).toBe(laptop.identity.id)
    const back = await restored.rooms.join(await tea.createInvite())
    await back.send(`by the ${Object.keys(person)[0]}`)
    expect(await receive(tea, `by the ${Object.keys(person)[0]}`)).toMatchObject({ author: laptop.identity.id })
    await restored.close()
  }
})

import { expect, onTestFinished, test, vi } from 'vitest'
import { concatBytes } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { createMemorySecretStore, openIdentity, openPendingDevice } from '@covey/identity'
import { createNode, defineChannel, openStore } from '@covey/transport'
import { makeClaim } from '../src/internal/claim.js'
import { hash, randomBytes, seal } from '../src/internal/crypto.js'
import type { OpenRoom } from '../src/internal/open-room.js'
import { createDeviceEntries } from '../src/internal/personal/let-devices-in.js'
import { foundPersonalRoom, startPersonalRoom } from '../src/internal/personal/personal-room.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import { encodeStruct, type Structs } from '../src/internal/structs.js'
import { addition, createWriter } from './support-apply.js'
import { start, temporaryFolder, toHex, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('strangers at the door of a person’s devices learn neither who asks nor for what', async () => {
  const { identity, rooms, node } = await start(net, 'Alice')
  const stranger = await start(net, 'Mallory')
  const parts = partsOfRooms(rooms)
  const personal = await foundPersonalRoom(parts)
  const wanted = parts.open.get((await rooms.create({ name: 'Tea' })).id)!
  vi.spyOn(wanted, 'isAdmitted').mockResolvedValue(false)
  const errors: unknown[] = []
  const entries = createDeviceEntries({ node, identity, personal, places: parts.places, renewed: () => undefined, onerror: (error) => void errors.push(error) })
  onTestFinished(() => entries.close())
  const door = stranger.node.channel(defineChannel({ name: `covey/entry/${personal.room.id}`, version: 1, maxMessageBytes: 2_048 }), { peers: 'any' })
  onTestFinished(() => door.close())
  entries.ask(wanted)
  await stranger.node.connect(node.publicKey)
  const heard = door.messages()[Symbol.asyncIterator]()
  const { value } = await heard.next()
  const bytes = Buffer.from(value!.message)
  for (const secret of [wanted.base.discoveryKey!, wanted.base.local.key, identity.identity.publicKey, identity.device.publicKey]) {
    expect(bytes.includes(Buffer.from(secret))).toBe(false)
  }
  // Not even by what it was given itself.
  const refused = door.once('close')
  await door.send(value!.peer, value!.message)
  expect((await refused).peer).toBe(value!.peer)
  expect(errors).toEqual([])
})

test('a device that has no place in a room has nothing written there, however often it asks', async () => {
  const alice = await start(net, 'Alice')
  const parts = partsOfRooms(alice.rooms)
  const personal = await foundPersonalRoom(parts)
  const [full, other] = await Promise.all(['Full', 'Other'].map(async (name) => parts.open.get((await alice.rooms.create({ name })).id)!)) as [OpenRoom, OpenRoom]
  const errors: unknown[] = []
  const entries = createDeviceEntries({ node: alice.node, identity: alice.identity, personal, places: parts.places, renewed: () => undefined, onerror: (error) => void errors.push(error) })
  onTestFinished(() => entries.close())
  const places = 31
  for (let i = 0; i < places; i++) {
    const device = await linkedBy(alice.identity)
    onTestFinished(() => device.close())
    const [written] = await full.log.append([{ type: 'addDevice', payload: addition(claimOf(device, full)) }])
    expect(written!.isAccepted).toBe(true)
  }

  const phone = await linkedBy(alice.identity)
  const node = createNode({ identity: phone, store: await openStore(await temporaryFolder()), network: net.network })
  onTestFinished(async () => (await node.close(), await phone.close()))
  const door = node.channel(defineChannel({ name: `covey/entry/${personal.room.id}`, version: 1, maxMessageBytes: 2_048 }), { peers: 'any' })
  onTestFinished(() => door.close())
  const opened = door.once('open')
  await node.connect(alice.node.publicKey)
  await opened
  const ask = async ({ base }: OpenRoom): Promise<void> => {
    const claim = claimOf(phone, { base })
    const ends = [phone.device.publicKey, alice.node.publicKey]
    const key = hash('covey/entry/key/1', personal.base.encryptionKey!)
    await door.send(alice.node.id, seal(concatBytes(base.discoveryKey!, encodeStruct('join-request', claim)), concatBytes(...ends), key))
  }
  const before = full.base.local.length
  for (let i = 0; i < 3; i++) await ask(full)
  await ask(other)
  await expect.poll(async () => (await other.view.devicesOf(alice.identity.identity.publicKey)).length).toBe(2)
  expect(full.base.local.length).toBe(before)
  expect(errors).toEqual([])
})

async function linkedBy(by: LocalIdentity): Promise<LocalIdentity> {
  const pending = await openPendingDevice({ storage: createMemorySecretStore() })
  return pending.acceptCertificate(by.certifyDevice(pending.createDeviceRequest()))
}

function claimOf(device: LocalIdentity, { base }: Pick<OpenRoom, 'base'>): Structs['join-request'] {
  const core = createWriter(randomBytes(32))
  return { writer: core.key, nonce: randomBytes(32), ...makeClaim(device, base.discoveryKey!, core) }
}

test('a room that fails while a device is unlinked keeps no other from being told, and is told when it changes', async () => {
  const { identity, rooms } = await start(net, 'Alice')
  const parts = partsOfRooms(rooms)
  const opened = await Promise.all(['First', 'Second'].map(async (name) => parts.open.get((await rooms.create({ name })).id)!)) as [OpenRoom, OpenRoom]
  const errors: unknown[] = []
  const personal = startPersonalRoom(await foundPersonalRoom(parts), {
    parts,
    onchange: () => undefined,
    onunlinked: () => undefined,
    onerror: (error) => void errors.push((error as Error).message)
  })
  onTestFinished(() => personal.close())

  // Another device of hers, that is in all of them.
  const phone = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => phone.close())
  const certificate = identity.certifyDevice(phone.createDeviceRequest())
  const hers = { device: { ...phone.device, certificate }, signStatement: phone.signStatement.bind(phone) } as LocalIdentity
  for (const { base, log } of [...opened, personal.opened]) {
    const core = createWriter(randomBytes(32))
    const claim = { writer: core.key, nonce: randomBytes(32), ...makeClaim(hers, base.discoveryKey!, core) }
    const [written] = await log.append([{ type: 'addDevice', payload: addition(claim) }])
    expect(written!.isAccepted).toBe(true)
  }
  await personal.settled()
  const isIn = async ({ view }: OpenRoom): Promise<boolean> =>
    (await view.devicesOf(identity.identity.publicKey)).some(({ device, removed }) => !removed && toHex(device) === toHex(phone.device.publicKey))
  expect(await Promise.all(opened.map(isIn))).toEqual([true, true])

  const [failing] = opened
  const append = vi.spyOn(failing.log, 'append').mockRejectedValue(new Error('the disk is full'))
  await personal.unlink(phone.device.publicKey)
  expect(errors).toContain('the disk is full')
  expect(await Promise.all(opened.map(isIn))).toEqual([true, false])
  append.mockRestore()
  await rooms.create({ name: 'Third' })
  await vi.waitUntil(async () => !(await isIn(failing)), { timeout: 30_000, interval: 50 })
})

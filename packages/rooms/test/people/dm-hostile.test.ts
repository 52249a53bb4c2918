import Protomux from 'protomux'
import { expect, onTestFinished, test, vi } from 'vitest'
import { decodeKey as decode, writeBytes } from '@covey/core'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import type { Channel, Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { makeClaim } from '../../src/internal/claim.js'
import { randomBytes } from '../../src/internal/crypto.js'
import { foundRoom } from '../../src/internal/found-room.js'
import { createInviteKeys } from '../../src/internal/invite-keys.js'
import type { Draft } from '../../src/internal/op-log.js'
import { roomStore } from '../../src/internal/open-base.js'
import { openRoom, type OpenRoom } from '../../src/internal/open-room.js'
import { createBlockedDevices, MAX_BLOCKED_DEVICES } from '../../src/internal/people/blocked-devices.js'
import { createContacts } from '../../src/internal/people/contacts.js'
import { createDirectMessages } from '../../src/internal/people/direct-messages.js'
import { DM_CHANNEL, DmType, soughtTag, type DmMessage } from '../../src/internal/people/dm-message.js'
import { createDmRequests, DmState, MAX_STRANGERS } from '../../src/internal/people/dm-requests.js'
import { createOwnProfile } from '../../src/internal/people/own-profile.js'
import { signProfile } from '../../src/internal/people/signed-profile.js'
import { encodeStruct, type Structs } from '../../src/internal/structs.js'
import { openWriterCore } from '../../src/internal/writer-core.js'
import { admission, createWriter, foundBy, startDevice, type Device } from '../support-apply.js'
import { open as openPeer, person, start, toHex, until, useLocalNetwork, type TestPeer } from '../support.js'
import { ask, hostile } from './hostile.js'
import { memoryStore } from './memory-store.js'

const net = useLocalNetwork()

test('nobody asks in the name of another, and who is not sought is told nothing', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const mallory = await hostile(net, alice)
  const { directMessages } = alice.rooms
  const bobs = bob.identity.device.certificate
  await mallory.say({ type: DmType.seek, sought: randomBytes(32) })
  await mallory.say({ type: DmType.seek, sought: soughtTag(bob.identity.identity.publicKey, mallory.device.node.publicKey, alice.node.publicKey) })
  await mallory.say({ type: DmType.want, certificate: bobs })
  await mallory.say({ type: DmType.want, certificate: randomBytes(200) })
  await mallory.say({ type: DmType.want })
  await mallory.say({ type: 99 })
  await mallory.judged()
  expect(mallory.heard.map(({ type }) => type)).toEqual([DmType.here])
  expect(directMessages.requests()).toEqual([])
  // What of a profile is somebody else's is not theirs; who they are, is.
  const foreign = signProfile(bob.identity, { version: 9, name: 'Bob', bio: '' })
  await mallory.say({ type: DmType.want, certificate: mallory.certificate, profile: foreign })
  await mallory.judged()
  expect(directMessages.requests()).toMatchObject([{ id: mallory.device.identity.identity.id, name: '' }])
  // Garbage ends the channel, and nothing else.
  const closed = mallory.channel.once('close')
  const raw = { ...DM_CHANNEL, codec: { encode: (bytes: Uint8Array) => bytes, decode: (bytes: Uint8Array) => bytes } }
  await mallory.channel.close()
  const second = mallory.device.node.channel(raw, { peers: 'any' })
  await closed
  await second.opened(alice.node.id)
  const refused = second.once('close')
  await second.send(alice.node.id, Uint8Array.of(1, 255, 0))
  expect((await refused).code).toBe('MESSAGE_INVALID')
})

test('a device that names itself after many people fills no list, and keeps nobody out who is known', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const mallory = await hostile(net, alice)
  const request = mallory.device.identity.createDeviceRequest()
  for (let i = 0; i < 30; i++) {
    const identity = await openIdentity({ storage: createMemorySecretStore() })
    await mallory.say({ type: DmType.want, certificate: identity.certifyDevice(request) })
    await identity.close()
  }
  const { directMessages, contacts } = alice.rooms
  await contacts.add(bob.identity.identity.id)
  const told = new Promise<void>((resolve) => {
    directMessages.on('request', ({ id }) => id === bob.identity.identity.id && resolve())
  })
  ask(bob.rooms.directMessages, alice.identity.identity.id, 60_000)
  await told
  // A burst of 8, and one in 10 s.
  expect(directMessages.requests().length).toBeGreaterThan(1)
  expect(directMessages.requests().length).toBeLessThanOrEqual(12)
})

test('strangers have the places that they have, and one that is known has another', async () => {
  const { store, writes } = memoryStore()
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const { id } = identity.identity
  const requests = createDmRequests(store, (person) => person === id)
  const ids = await Promise.all(Array.from({ length: MAX_STRANGERS + 4 }, async () => (await openIdentity({ storage: createMemorySecretStore() })).identity.id))
  const asked = []
  for (const stranger of ids) asked.push(await requests.ask(stranger, {}, false))
  expect(asked.filter((one) => one !== undefined)).toHaveLength(MAX_STRANGERS)
  const shown = (version: number, name: string) => ({ profile: signProfile(identity, { version, name, bio: '' }) })
  expect(await requests.ask(id, shown(5, 'five'), true)).toMatchObject({ id, name: 'five' })
  // Asked again: nobody is told twice, and an older profile does not take the place of a newer one.
  for (const [version, name] of [[4, 'five'], [5, 'five'], [6, 'six'], [5, 'six']] as const) {
    expect(await requests.ask(id, shown(version, `${version}`), true)).toBeUndefined()
    expect(requests.list().find((one) => one.id === id)!.name).toBe(name === 'six' ? '6' : 'five')
  }
  await requests.set(ids[0]!, DmState.declined)
  expect(await requests.ask(ids.at(-1)!, {}, false)).toMatchObject({ id: ids.at(-1) })
  // What is written stays on the disk: who asks again and again with another profile is not written down each time.
  const before = writes()
  for (let version = 7; version < 57; version++) await requests.ask(id, shown(version, `${version}`), true)
  expect(writes() - before).toBeGreaterThan(0)
  expect(writes() - before).toBeLessThanOrEqual(8)
})

test('somebody who has been accepted brings nobody into a room of theirs', async () => {
  const alice = await start(net, 'Alice')
  const mallory = await hostile(net, alice)
  const { device } = mallory
  const group = await foundBy(device)
  const id = device.identity.identity.id
  await mallory.say({ type: DmType.want, certificate: mallory.certificate })
  await mallory.judged()
  ask(alice.rooms.directMessages, id)
  // Alice would like a direct room; what Mallory has for her is a room with others in it.
  const failed = alice.rooms.directMessages.once('error')
  const room = group.base.discoveryKey!
  const asking = mallory.hears(DmType.join)
  await mallory.say({ type: DmType.want, certificate: mallory.certificate, room })
  const { request } = await asking
  // Nor can her wish for the one be used for the other.
  const [admitted] = await group.log.append([{ type: 'admit', payload: encodeStruct('admit', { request: request!, role: 2 }) }])
  expect(admitted!.isAccepted).toBe(false)
  await mallory.say({ type: DmType.key, room, key: group.base.key!, encryptionKey: group.base.encryptionKey! })
  expect((await failed).code).toBe('INVITE_REFUSED')
  // Said again, it is not looked at again.
  mallory.heard.length = 0
  await mallory.say({ type: DmType.want, certificate: mallory.certificate, room })
  await mallory.judged()
  expect(mallory.heard.map(({ type }) => type)).not.toContain(DmType.join)
  expect(await Promise.all(alice.rooms.list().map(async (one) => (await one.info()).directWith))).not.toContain(undefined)
  expect(await group.room.members()).toHaveLength(1)
})

test('a third person who asks to be let into a room of two is not answered', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const open = (one: TestPeer, other: TestPeer) => one.rooms.directMessages.open(other.identity.identity.id, { timeoutMs: 60_000 })
  const [room] = await Promise.all([open(alice, bob), open(bob, alice)])
  await until(room, async () => ((await room.members()).length === 2 ? true : undefined))
  const mallory = await hostile(net, alice)
  const { device } = mallory
  // Even one with whom Alice has accepted to talk.
  await mallory.say({ type: DmType.want, certificate: mallory.certificate })
  await mallory.judged()
  ask(alice.rooms.directMessages, device.identity.identity.id)
  const discoveryKey = decode(room.id)
  const core = createWriter(randomBytes(32))
  const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(32), ...makeClaim(device.identity, discoveryKey, core, true) })
  await mallory.say({ type: DmType.join, room: discoveryKey, request })
  await mallory.judged()
  expect(mallory.heard.map(({ type }) => type)).not.toContain(DmType.key)
  expect(await room.members()).toHaveLength(2)
})

/** A direct room of two people whose software is theirs to choose. */
async function direct(): Promise<{ hers: OpenRoom; his: OpenRoom; alice: Device; bob: Device }> {
  const [alice, bob] = [await startDevice(net), await startDevice(net)]
  const hers = await openRoom({ ...alice, namespace: randomBytes(32), encryptionKey: randomBytes(32) })
  onTestFinished(() => hers.room.close())
  await foundRoom(hers, alice.identity, { name: '', history: 'full', peer: bob.identity.identity.publicKey })
  const { discoveryKey, key, encryptionKey } = hers.base
  const namespace = randomBytes(32)
  const core = await openWriterCore(roomStore(bob.corestore, namespace), bob.identity, namespace)
  const claim = { writer: core.key, nonce: randomBytes(32), ...makeClaim(bob.identity, discoveryKey!, core, true) }
  await hers.log.append([{ type: 'admit', payload: admission(claim, 5) }])
  await hers.log.append([], { underEpoch: true })
  alice.meet(discoveryKey!)
  const his = await openRoom({ ...bob, namespace, key: key!, encryptionKey: encryptionKey! })
  onTestFinished(() => his.room.close())
  bob.meet(discoveryKey!)
  await his.until(async () => ((await his.isAdmitted()) && (await his.hasKey())) || undefined)
  return { hers, his, alice, bob }
}

test('no software of either lets a third in, or takes anything from the other', async () => {
  const { hers, his, alice, bob } = await direct()
  const room = hers.base.discoveryKey!
  const carol = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => carol.close())
  const claimOf = (identity: Device['identity'], isDirect: boolean): Structs['join-request'] => {
    const core = createWriter(randomBytes(32))
    return { writer: core.key, nonce: randomBytes(32), ...makeClaim(identity, room, core, isDirect) }
  }
  const said = await his.room.send('of Bob')
  const there = await until(hers.room, () => hers.room.message(said.id))
  const { id, publicKey } = createInviteKeys(hers.base.key!)
  const target = bob.identity.identity.publicKey
  const seen = [{ writer: his.base.local.key, length: 1_000 }]
  const admit = (claim: Structs['join-request'], role: number): Draft => ({ type: 'admit', payload: admission(claim, role) })
  const attacks: [string, Draft][] = [
    ['admits a third', admit(claimOf(carol, true), 5)],
    ['admits a third as a reader', admit(claimOf(carol, true), 1)],
    ['admits a third by what is for another room', admit(claimOf(carol, false), 2)],
    ['admits the other by what is for another room', admit(claimOf(bob.identity, false), 5)],
    ['admits the other as less', admit(claimOf(bob.identity, true), 2)],
    ['invites', { type: 'invite', payload: encodeStruct('invite', { id, publicKey, role: 2 }) }],
    ['invites everybody', { type: 'invite', payload: encodeStruct('invite', { id, publicKey, role: 2, public: true }) }],
    ['removes', { type: 'remove', payload: encodeStruct('remove', { identity: target, seen, ban: true }) }],
    ['mutes', { type: 'mute', payload: encodeStruct('mute', { identity: target, muted: true }) }],
    ['lowers', { type: 'setRole', payload: encodeStruct('set-role', { identity: target, role: 1, seen }) }],
    ['hands it over', { type: 'transfer', payload: encodeStruct('transfer', { identity: target }) }],
    ['leaves', { type: 'leave' }],
    ['deletes what the other wrote', { type: 'delete', target: decode(there.id) }]
  ]
  for (const [what, draft] of attacks) expect((await hers.log.append([draft]))[0]!.isAccepted, what).toBe(false)
  // But another device of either comes in.
  expect((await hers.log.append([admit(claimOf(bob.identity, true), 5)]))[0]!.isAccepted).toBe(true)
  expect((await hers.room.members()).map(({ role }) => role)).toEqual(['owner', 'owner'])
  expect((await his.log.append([admit(claimOf(alice.identity, true), 5)]))[0]!.isAccepted).toBe(true)
  expect(toHex((await his.view.room())!.peer!)).toBe(toHex(target))
})

/** A peer, and its channel for direct rooms. */
async function watched(name: string): Promise<TestPeer & { readonly channel: Channel<DmMessage> }> {
  const channels: Channel<DmMessage>[] = []
  const watch = (node: Node): Node => {
    const create = node.channel.bind(node)
    return Object.assign(node, {
      channel(...args: Parameters<Node['channel']>) {
        const channel = create(...args)
        if (args[0].name === DM_CHANNEL.name) channels.push(channel as Channel<DmMessage>)
        return channel
      }
    })
  }
  const peer = await openPeer(await person(name), net, watch)
  return { ...peer, channel: channels[0]! }
}

/** Somebody who opens the channel, and takes nothing: no message of any size, or of so many bytes. */
async function takesNothing(victim: TestPeer & { readonly channel: Channel<DmMessage> }, how: { maxBytes: number; credit: number }): Promise<void> {
  const { node } = await startDevice(net)
  await node.connect(victim.node.publicKey)
  const [session] = (partsOf(node).sessionSwarm as { connections: Set<ConstructorParameters<typeof Protomux>[0]> }).connections
  const channel = Protomux.from(session!).createChannel({ protocol: `covey/channel/1:${DM_CHANNEL.name}/${DM_CHANNEL.version}`, messages: [{}, {}, {}, {}] })!
  channel.open()
  const number = (value: number): Uint8Array => writeBytes((writer) => writer.varint(value))
  channel.messages[0]!.send(writeBytes((writer) => writer.varint(how.maxBytes).varint(0)))
  if (how.credit > 0) channel.messages[2]!.send(number(how.credit))
  await vi.waitUntil(() => victim.channel.peers.includes(node.id), { timeout: 30_000 })
}

test('a stranger who takes nothing keeps nobody from a direct room, nor a peer from closing', { timeout: 120_000 }, async () => {
  for (const how of [{ maxBytes: 8_192, credit: 0 }, { maxBytes: 0, credit: 65_536 }]) {
    const [alice, bob] = [await watched('Alice'), await start(net, 'Bob')]
    const errors: unknown[] = []
    alice.rooms.directMessages.on('error', (error) => void errors.push(error))
    const reaching = alice.rooms.directMessages.open(bob.identity.identity.id, { timeoutMs: 100_000 })
    await takesNothing(alice, how)
    const [hers, his] = await Promise.all([reaching, bob.rooms.directMessages.open(alice.identity.identity.id, { timeoutMs: 100_000 })])
    expect(hers.id).toBe(his.id)
    await alice.close()
    await bob.close()
    expect(errors).toEqual([])
  }
})

test('what a device said just before it went is of nobody: who comes back is asked anew', async () => {
  const alice = await watched('Alice')
  const { directMessages } = alice.rooms
  ask(directMessages, (await openIdentity({ storage: createMemorySecretStore() })).identity.id)
  const mallory = await hostile(net, alice)
  await mallory.hears(DmType.seek)
  const gone = alice.channel.once('close')
  // In one batch: it is read when the channel has been closed, whether that was in time for the second or not.
  await mallory.say({ type: 99 })
  mallory.say({ type: 99 }).catch(() => undefined)
  await mallory.channel.close()
  await gone
  // All that she has to say to devices that are there, she says now.
  await directMessages.decline(mallory.device.identity.identity.id)
  const back: Channel<DmMessage> = mallory.device.node.channel(DM_CHANNEL, { peers: 'any' })
  for await (const { message } of back.messages({ signal: AbortSignal.timeout(30_000) })) {
    expect(message.type).toBe(DmType.seek)
    break
  }
})

test('a failure of this device’s own is told once, and tried again when something has changed', async () => {
  const { node, identity } = await startDevice(net)
  const { store } = memoryStore()
  const contacts = createContacts(store, identity)
  const join = vi.fn(() => Promise.reject(new Error('the disk is full')))
  const directMessages = createDirectMessages({
    node,
    identity,
    store,
    contacts,
    blocked: createBlockedDevices(node, contacts, () => [], () => [], () => undefined),
    profile: createOwnProfile(identity),
    from: 'anyone',
    places: new Map(),
    roomOf: () => undefined,
    found: () => Promise.reject(new Error('nothing is made here')),
    join,
    assertOpen: () => undefined
  })
  onTestFinished(() => directMessages.close())
  const errors: unknown[] = []
  directMessages.on('error', ({ code }) => void errors.push(code))
  const mallory = await hostile(net, { node, identity } as TestPeer)
  ask(directMessages, mallory.device.identity.identity.id)
  await mallory.say({ type: DmType.want, certificate: mallory.certificate, room: randomBytes(32) })
  await vi.waitUntil(() => errors.length > 0, { timeout: 30_000 })
  await mallory.judged()
  expect(errors).toEqual(['ROOM_BROKEN'])
  expect(join).toHaveBeenCalledTimes(1)
  directMessages.look()
  await vi.waitUntil(() => join.mock.calls.length === 2, { timeout: 30_000 })
})

test('of somebody who is blocked so many devices are kept out below, and all the others here', async () => {
  const { store } = memoryStore()
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const contacts = createContacts(store, identity)
  const node = { publicKey: identity.device.publicKey, block: vi.fn(), unblock: vi.fn() }
  const blocked = createBlockedDevices(node, contacts, () => [], () => [], () => undefined)
  const { id } = (await openIdentity({ storage: createMemorySecretStore() })).identity
  await contacts.block(id)
  for (let i = 0; i < MAX_BLOCKED_DEVICES + 10; i++) expect(blocked.met(randomBytes(32), id)).toBe(true)
  expect(node.block).toHaveBeenCalledTimes(MAX_BLOCKED_DEVICES)
  await contacts.unblock(id)
  expect(node.unblock).toHaveBeenCalledTimes(MAX_BLOCKED_DEVICES)
})

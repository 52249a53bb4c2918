import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import type { Channel } from '@covey/transport'
import { makeClaim } from '../../src/internal/claim.js'
import { randomBytes } from '../../src/internal/crypto.js'
import { foundRoom } from '../../src/internal/found-room.js'
import { createInviteKeys } from '../../src/internal/invite-keys.js'
import type { Draft } from '../../src/internal/op-log.js'
import { roomStore } from '../../src/internal/open-base.js'
import { openRoom, type OpenRoom } from '../../src/internal/open-room.js'
import { DM_CHANNEL, DmType, soughtTag, type DmMessage } from '../../src/internal/people/dm-message.js'
import { createDmRequests, DmState, MAX_STRANGERS } from '../../src/internal/people/dm-requests.js'
import type { PeopleStore } from '../../src/internal/people/people-store.js'
import { signProfile } from '../../src/internal/people/signed-profile.js'
import { encodeStruct, type Structs } from '../../src/internal/structs.js'
import { openWriterCore } from '../../src/internal/writer-core.js'
import { decodeKey as decode } from '@covey/core'
import { admission, createWriter, foundBy, startDevice, type Device } from '../support-apply.js'
import { start, toHex, until, useLocalNetwork, type TestPeer } from '../support.js'

const net = useLocalNetwork()

/** Somebody who says on the channel whatever they like. */
async function hostile(victim: TestPeer) {
  const device = await startDevice(net)
  const channel: Channel<DmMessage> = device.node.channel(DM_CHANNEL, { peers: 'any' })
  await device.node.connect(victim.node.publicKey)
  await channel.opened(victim.node.id)
  const heard: DmMessage[] = []
  const hears = (type: number): Promise<DmMessage> =>
    (async () => {
      for await (const { message } of channel.messages()) {
        heard.push(message)
        if (message.type === type) return message
      }
      throw new Error('the channel ended')
    })()
  const say = (message: DmMessage): Promise<void> => channel.send(victim.node.id, message)
  /** Resolves when all that was said before has been judged. */
  const judged = async (): Promise<void> => {
    await say({ type: DmType.seek, sought: soughtTag(victim.identity.identity.publicKey, device.node.publicKey, victim.node.publicKey) })
    await hears(DmType.here)
  }
  const profile = signProfile(device.identity, { version: 1, name: 'Mallory', bio: '' })
  return { device, channel, say, hears, heard, judged, profile, certificate: device.identity.device.certificate }
}

test('nobody asks in the name of another, and who is not sought is told nothing', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const mallory = await hostile(alice)
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
  const mallory = await hostile(alice)
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
  void bob.rooms.directMessages.open(alice.identity.identity.id, { timeoutMs: 60_000 }).catch(() => undefined)
  await told
  // A burst of 8, and one in 10 s.
  expect(directMessages.requests().length).toBeGreaterThan(1)
  expect(directMessages.requests().length).toBeLessThanOrEqual(12)
})

test('strangers have the places that they have, and one that is known has another', async () => {
  const kept = new Map<string, Uint8Array>()
  const store: PeopleStore = {
    get: (key) => kept.get(key),
    entries: (prefix) => [...kept].flatMap(([key, value]): [string, Uint8Array][] => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
    set: async (key, value) => void (value === null ? kept.delete(key) : kept.set(key, value)),
    watch: () => () => undefined,
    close: async () => undefined
  }
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
})

test('somebody who has been accepted brings nobody into a room of theirs', async () => {
  const alice = await start(net, 'Alice')
  const mallory = await hostile(alice)
  const { device } = mallory
  const group = await foundBy(device)
  const id = device.identity.identity.id
  await mallory.say({ type: DmType.want, certificate: mallory.certificate })
  await mallory.judged()
  alice.rooms.directMessages.open(id, { timeoutMs: 1 }).catch(() => undefined)
  // Alice would like a direct room; what Mallory has for her is a room with others in it.
  const failed = alice.rooms.once('error')
  const room = group.base.discoveryKey!
  const asking = mallory.hears(DmType.join)
  await mallory.say({ type: DmType.want, certificate: mallory.certificate, room })
  const { request } = await asking
  // Nor can her wish for the one be used for the other.
  const [admitted] = await group.log.append([{ type: 'admit', payload: encodeStruct('admit', { request: request!, role: 2 }) }])
  expect(admitted!.isAccepted).toBe(false)
  await mallory.say({ type: DmType.key, room, key: group.base.key!, encryptionKey: group.base.encryptionKey! })
  expect((await failed).code).toBe('INVITE_REFUSED')
  expect(await Promise.all(alice.rooms.list().map(async (one) => (await one.info()).directWith))).not.toContain(undefined)
  expect(await group.room.members()).toHaveLength(1)
})

test('a third person who asks to be let into a room of two is not answered', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const open = (one: TestPeer, other: TestPeer) => one.rooms.directMessages.open(other.identity.identity.id, { timeoutMs: 60_000 })
  const [room] = await Promise.all([open(alice, bob), open(bob, alice)])
  await until(room, async () => ((await room.members()).length === 2 ? true : undefined))
  const mallory = await hostile(alice)
  const { device } = mallory
  // Even one with whom Alice has accepted to talk.
  await mallory.say({ type: DmType.want, certificate: mallory.certificate })
  await mallory.judged()
  alice.rooms.directMessages.open(device.identity.identity.id, { timeoutMs: 1 }).catch(() => undefined)
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

import { expect, test } from 'vitest'
import type { LocalIdentity } from '@covey/identity'
import type { Room } from '@covey/rooms'
import { makeClaim } from '../../src/internal/claim.js'
import { randomBytes } from '../../src/internal/crypto.js'
import { DmType } from '../../src/internal/people/dm-message.js'
import { partsOfRooms } from '../../src/internal/rooms-parts.js'
import { encodeStruct } from '../../src/internal/structs.js'
import { createWriter, type Device } from '../support-apply.js'
import { shareRoom, start, until, useLocalNetwork, type TestPeer } from '../support.js'
import { ask, hostile } from './hostile.js'

const net = useLocalNetwork()

test('a device that was taken from its person is not taken for theirs: it asks for nothing, and comes into nothing', { timeout: 120_000 }, async () => {
  // The one with the lower key makes the room.
  const [bob, alice] = [await start(net, 'Bob'), await start(net, 'Alice')].toSorted((a, b) => Buffer.compare(a.identity.identity.publicKey, b.identity.identity.publicKey)) as [TestPeer, TestPeer]
  const [hers, his] = await shareRoom(alice, bob)
  const { id } = alice.identity.identity
  await until(his!, async () => ((await his!.members()).length === 2 ? true : undefined))
  const thief = await hostile(net, bob)
  const { identity } = thief.device
  const certificate = alice.identity.certifyDevice(identity.createDeviceRequest())
  // While it is hers, it is heard as hers.
  await thief.say({ type: DmType.want, certificate })
  await thief.judged()
  expect(bob.rooms.directMessages.requests()).toMatchObject([{ id }])
  ask(bob.rooms.directMessages, id)
  const { room } = await thief.hears(DmType.room)

  await revoke(alice, hers!, thief.device, bob, his!)
  const core = createWriter(randomBytes(32))
  const stolen = { device: { ...identity.device, certificate }, signStatement: identity.signStatement.bind(identity) } as LocalIdentity
  const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(32), ...makeClaim(stolen, room!, core, true) })
  await thief.say({ type: DmType.join, room: room!, request })
  await thief.say({ type: DmType.want, certificate, room: randomBytes(32) })
  await thief.judged()
  expect(thief.heard.map(({ type }) => type)).not.toContain(DmType.key)
  expect(thief.heard.map(({ type }) => type)).not.toContain(DmType.join)
  const direct = bob.rooms.list().find((each) => each.id !== his!.id)!
  expect(await direct.members()).toHaveLength(1)
})

test('a revocation that a shared room knows keeps a device from asking in its person’s name, and no other', { timeout: 120_000 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = await shareRoom(alice, bob)
  const [thief, tablet] = [await hostile(net, bob), await hostile(net, bob)]
  const certify = ({ device }: typeof thief): Uint8Array => alice.identity.certifyDevice(device.identity.createDeviceRequest())
  const old = certify(thief)
  await revoke(alice, hers!, thief.device, bob, his!)
  await thief.say({ type: DmType.want, certificate: old })
  await thief.judged()
  expect(bob.rooms.directMessages.requests()).toEqual([])
  await tablet.say({ type: DmType.want, certificate: certify(tablet) })
  await tablet.judged()
  expect(bob.rooms.directMessages.requests()).toMatchObject([{ id: alice.identity.identity.id }])
})

/** Has a person's device be revoked in a room; resolves when somebody else there knows. */
async function revoke(owner: TestPeer, room: Room, { identity: { device } }: Device, other: TestPeer, theirs: Room): Promise<void> {
  const identity = owner.identity.identity.publicKey
  const revocation = await owner.identity.revokeDevice(device.publicKey)
  const payload = encodeStruct('revoke-device', { identity, device: device.publicKey, revocation })
  await partsOfRooms(owner.rooms).open.get(room.id)!.log.append([{ type: 'revokeDevice', payload }])
  const { view } = partsOfRooms(other.rooms).open.get(theirs.id)!
  await until(theirs, async () => ((await view.member(identity))?.minEpoch ? true : undefined))
}

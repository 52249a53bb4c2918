import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity, openPendingDevice, type LocalIdentity } from '@covey/identity'
import type { Action } from '../src/internal/authority/action.js'
import { resolve, type Entry } from '../src/internal/authority/resolve.js'
import { makeClaim } from '../src/internal/claim.js'
import { randomBytes } from '../src/internal/crypto.js'
import { OpType } from '../src/internal/op.js'
import { encodeStruct, type Structs } from '../src/internal/structs.js'
import { addition, admission, admitHostile, createWriter, effectOf, foundBy, startDevice, type Hostile } from './support-apply.js'
import { toHex, useLocalNetwork } from './support.js'

// A member's device lets in whomever it likes, if the room would take it.

const net = useLocalNetwork()
const MEMBER = 2

async function person(): Promise<LocalIdentity> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  return identity
}

/** A device that another one has certified. */
async function linkedBy(by: LocalIdentity): Promise<LocalIdentity> {
  const pending = await openPendingDevice({ storage: createMemorySecretStore() })
  const identity = await pending.acceptCertificate(by.certifyDevice(pending.createDeviceRequest()))
  onTestFinished(() => identity.close())
  return identity
}

/** What a device shows to come in with a core of its own. */
function claimOf(identity: LocalIdentity, room: Uint8Array): Structs['join-request'] {
  const core = createWriter(randomBytes(32))
  return { writer: core.key, nonce: randomBytes(32), ...makeClaim(identity, room, core) }
}

/** A room, and a member of it whose device is `theirs`. */
async function scene(theirs: LocalIdentity, role: Parameters<typeof admitHostile>[2]) {
  const owner = await foundBy(await startDevice(net))
  const room = owner.base.discoveryKey!
  const hostile = await admitHostile(owner, { ...(await startDevice(net)), identity: theirs }, role)
  const add = (claim: Structs['join-request'], by: Hostile = hostile): Promise<string[]> =>
    effectOf(owner, by, () => by.write({ type: OpType.addDevice, payload: addition(claim) }))
  return { owner, room, hostile, add }
}

test('a device of a reader lets in the devices of the same person, with their role, and no others', async () => {
  const alice = await person()
  const { owner, room, add } = await scene(alice, 'reader')
  const phone = await linkedBy(alice)
  const [mallory, own] = [claimOf(await person(), room), claimOf(phone, room)]
  expect(await add(mallory)).toEqual([])
  expect(await add(claimOf(phone, randomBytes(32)))).toEqual([])
  expect(await add({ ...own, writer: mallory.writer })).toEqual([])
  expect(await add({ ...own, writerSignature: mallory.writerSignature })).toEqual([])
  expect(await add({ ...own, device: alice.device.publicKey })).toEqual([])
  expect(await add({ ...own, certificate: mallory.certificate })).toEqual([])
  expect(await add(own)).toEqual(['devices'])
  expect(await owner.view.member(alice.identity.publicKey)).toMatchObject({ role: 1 })
  // Once is enough, and for somebody else's core it is not.
  expect(await add(own)).toEqual([])
})

test('who was removed at that moment has let nobody in, wherever the order puts it', async () => {
  const keyOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
  const [owner, mallory, phone] = [keyOf(1), keyOf(2), keyOf(3)]
  const claimant = (identity: Uint8Array, device: Uint8Array) => ({ identity, device, box: device, epoch: 0, isDirect: false })
  const entry = (writer: Uint8Array, length: number, action: Action): Entry => {
    const bytes = Uint8Array.of(writer[0]!, length)
    return { author: { writer, position: length, isFounder: writer === owner, sentAt: 0, bytes }, length, action }
  }
  const first = [
    entry(owner, 1, { type: 'create', claimant: claimant(owner, owner), history: 1 }),
    entry(owner, 2, { type: 'admit', claimant: claimant(mallory, mallory), writer: mallory, role: MEMBER })
  ]
  const add = entry(mallory, 1, { type: 'addDevice', claimant: claimant(mallory, phone), writer: phone })
  const remove = (seen: number): Entry =>
    entry(owner, 3, { type: 'remove', identity: mallory, ban: false, seen: [{ writer: mallory, length: seen }] })
  const phoneAfter = async (...entries: Entry[]) => (await resolve([...first, ...entries])).device(phone)
  expect(await phoneAfter(add)).toMatchObject({ identity: mallory })
  expect(await phoneAfter(remove(0), add)).toBeNull()
  expect(await phoneAfter(add, remove(0))).toBeNull()
  expect(await phoneAfter(add, remove(1))).toMatchObject({ removed: true })
})

test('a revoked device takes with it what it has certified, before and after', async () => {
  const alice = await person()
  const phone = await linkedBy(alice)
  const { owner, room, hostile, add } = await scene(phone, 'member')
  const { publicKey: identity } = alice.identity
  const [tablet, next] = [claimOf(await linkedBy(phone), room), claimOf(await linkedBy(phone), room)]
  const laptop = claimOf(alice, room)
  expect(await add(tablet)).toEqual(['devices'])
  expect(await add(laptop)).toEqual(['devices'])
  const presentDevices = async (): Promise<string[]> =>
    (await owner.view.devicesOf(identity)).filter(({ removed }) => !removed).map(({ device }) => toHex(device)).toSorted()
  expect(await presentDevices()).toEqual([phone.device.publicKey, tablet.device, laptop.device].map(toHex).toSorted())

  const revocation = await alice.revokeDevice(phone.device.publicKey)
  const payload = encodeStruct('revoke-device', { identity, device: phone.device.publicKey, revocation })
  await owner.log.append([{ type: 'revokeDevice', payload }])
  expect(await presentDevices()).toEqual([toHex(laptop.device)])
  const [written] = await owner.log.append([{ type: 'admit', payload: admission(next, MEMBER) }])
  expect(written!.isAccepted).toBe(false)
  expect(await presentDevices()).toEqual([toHex(laptop.device)])
  expect((await owner.view.device(hostile.key))!.removed).toBe(true)
})

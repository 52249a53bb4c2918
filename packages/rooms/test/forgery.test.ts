import { expect, onTestFinished, test } from 'vitest'
import { concatBytes } from '@covey/core'
import {
  createMemorySecretStore,
  openIdentity,
  openPendingDevice,
  type CertifyDeviceOptions,
  type LocalIdentity
} from '@covey/identity'
import { makeClaim } from '../src/internal/claim.js'
import { randomBytes } from '../src/internal/crypto.js'
import { draftRotation } from '../src/internal/keyring.js'
import { decodeOp, OpType } from '../src/internal/op.js'
import { openRoom, type OpenRoom } from '../src/internal/open-room.js'
import { decodeStruct, encodeStruct, type Structs } from '../src/internal/structs.js'
import type { DeviceRow } from '../src/internal/view.js'
import {
  admission,
  appliedBy,
  createWriter,
  effectOf,
  foundBy,
  hostileScene,
  inviteOf,
  startDevice,
  stranger,
  type Hostile
} from './support-apply.js'
import { fromHex, messagesOf, toHex, useLocalNetwork } from './support.js'

// Each forgery is made by a member of a real room whose device runs other software, as an admin where
// that helps, and beside each is what differs in nothing but that it is genuine, and is taken.

const net = useLocalNetwork()
const scene = (role: Parameters<typeof hostileScene>[1]) => hostileScene(net, role)
const ADMITTED = expect.arrayContaining(['members', 'devices']) as unknown
const MEMBER = 2
const DAY_MS = 86_400_000

type Claim = Structs['join-request']

/** What comes of it when a hostile admin lets in whoever makes this claim. */
function admit(owner: OpenRoom, hostile: Hostile, claim: Claim): Promise<string[]> {
  return effectOf(owner, hostile, () => hostile.write({ type: OpType.admit, payload: admission(claim, MEMBER) }))
}

async function person(): Promise<LocalIdentity> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  return identity
}

/** A device that its person certifies as one likes, and that claims a core of its own by any certificate. */
interface Claimer {
  readonly identity: LocalIdentity
  certified(by: LocalIdentity, options?: CertifyDeviceOptions): Uint8Array
  claim(certificate: Uint8Array, room: Uint8Array): Claim
}

async function claimer(owner: LocalIdentity): Promise<Claimer> {
  const pending = await openPendingDevice({ storage: createMemorySecretStore() })
  const request = pending.createDeviceRequest()
  const identity = await pending.acceptCertificate(owner.certifyDevice(request))
  onTestFinished(() => identity.close())
  return {
    identity,
    certified: (by, options) => by.certifyDevice(request, options),
    claim(certificate, room) {
      const signStatement = identity.signStatement.bind(identity)
      const holder = { device: { ...identity.device, certificate }, signStatement } as unknown as LocalIdentity
      const core = createWriter(randomBytes(32))
      return { writer: core.key, nonce: randomBytes(32), ...makeClaim(holder, room, core) }
    }
  }
}

/** A certificate or revocation by one person, altered to say that it is by another. */
function renamed(bytes: Uint8Array, theirs: LocalIdentity, other: LocalIdentity): Uint8Array {
  const text = toHex(bytes).replaceAll(toHex(theirs.identity.publicKey), toHex(other.identity.publicKey))
  expect(text).not.toBe(toHex(bytes))
  return fromHex(text)
}

test('forged author: who claims the device, the core or the signature of another is not let in', async () => {
  const { owner, hostile } = await scene('admin')
  const room = owner.base.discoveryKey!
  const [{ claim }, { claim: other }] = [await stranger(room), await stranger(room)]
  const { writer, writerKey, writerSignature, device, certificate, statement } = other
  const stolen: Partial<Claim>[] = [
    { writer },
    { writer, writerKey },
    { writer, writerKey, writerSignature },
    { writer: owner.base.local.key },
    { device },
    { device, certificate },
    { device, certificate, statement },
    { certificate },
    { statement },
    { writer: randomBytes(32) }
  ]
  for (const parts of stolen) {
    const names = Object.keys(parts).join()
    expect([names, await admit(owner, hostile, { ...claim, ...parts })]).toEqual([names, []])
  }
  expect(await admit(owner, hostile, claim)).toEqual(ADMITTED)
})

test('replayed op: a message of another, written again, is not theirs and cannot be read', async () => {
  const { owner, hostile } = await scene('member')
  const sent = await owner.room.send('mine')
  const [row] = await owner.view.messages(0, 1)
  const op = decodeOp(row!.op)!

  // As it was: its place is behind another op of another writer.
  expect(await effectOf(owner, hostile, () => hostile.append(row!.op))).toEqual([])
  // In a place of its own, with the sealed body as it was.
  const { type, sentAt, epoch } = op.header
  await appliedBy(owner, hostile.key, await hostile.write({ type, sentAt, epoch: epoch ?? null }, op.sealed))
  const [first, second] = await messagesOf(owner.room)
  expect(first).toEqual(sent)
  expect(second).toMatchObject({ text: '', kind: 'unknown', isOwn: false })
  expect(second!.author).not.toBe(sent.author)
})

test('replayed op: what took effect once takes none again', async () => {
  const { owner, hostile } = await scene('admin')
  const { claim } = await stranger(owner.base.discoveryKey!)
  expect(await admit(owner, hostile, claim)).toEqual(ADMITTED)
  const [row] = (await owner.view.all('authority')).filter(({ writer }) => toHex(writer) === toHex(hostile.key))
  expect(await effectOf(owner, hostile, () => hostile.append(row!.op))).toEqual([])
  // Nor in a place of its own, where it follows what it must.
  expect(await admit(owner, hostile, claim)).toEqual([])
})

test('replayed certificate: one for another room, or a claim that was made in another, lets nobody in', async () => {
  const { owner, hostile } = await scene('admin')
  const other = (await foundBy(await startDevice(net))).base.discoveryKey!
  const room = owner.base.discoveryKey!
  const alice = await person()
  const { claim, certified } = await claimer(alice)
  expect(await admit(owner, hostile, claim(certified(alice, { context: other }), room))).toEqual([])
  expect(await admit(owner, hostile, claim(certified(alice), other))).toEqual([])
  expect(await admit(owner, hostile, claim(certified(alice, { context: room }), room))).toEqual(ADMITTED)
})

test('empty proof chain: a certificate has one link or two, each signed by whom it must be', async () => {
  const { owner, hostile } = await scene('admin')
  const room = owner.base.discoveryKey!
  const [alice, mallory] = [await person(), await person()]
  const [{ identity: laptop }, { identity: mallorys }] = [await claimer(alice), await claimer(mallory)]
  const { claim, certified } = await claimer(alice)
  // A version, the number of links, and the links.
  const linksOf = (certificate: Uint8Array): Uint8Array => certificate.slice(2)
  const chain = (...links: Uint8Array[]): Uint8Array => concatBytes(Uint8Array.of(1, links.length), ...links)
  const both = certified(laptop)
  const first = linksOf(laptop.device.certificate)
  const second = linksOf(both).slice(first.length)
  const foreign = linksOf(certified(mallorys)).slice(linksOf(mallorys.device.certificate).length)
  const chains: [string, Uint8Array][] = [
    ['no link', chain()],
    ['nothing at all', new Uint8Array()],
    ['the second link alone', chain(second)],
    ['by somebody else', renamed(certified(mallory), mallory, alice)],
    ['a second link by a device of somebody else', chain(first, foreign)],
    ['three links', chain(first, second, second)]
  ]
  for (const [name, certificate] of chains) {
    expect([name, await admit(owner, hostile, claim(certificate, room))]).toEqual([name, []])
  }
  expect(chain(first, second)).toEqual(both)
  expect(await admit(owner, hostile, claim(both, room))).toEqual(ADMITTED)
})

test('expired certificate: it holds at the time of the admission, or not', async () => {
  const { owner, hostile } = await scene('admin')
  const room = owner.base.discoveryKey!
  const alice = await person()
  const { claim, certified } = await claimer(alice)
  const now = Date.now()
  const between = (notBeforeMs: number, expiresMs: number): Claim => claim(certified(alice, { notBeforeMs, expiresMs }), room)
  expect(await admit(owner, hostile, between(now - 2 * DAY_MS, now - DAY_MS))).toEqual([])
  expect(await admit(owner, hostile, between(now + DAY_MS, now + 2 * DAY_MS))).toEqual([])
  expect(await admit(owner, hostile, between(now - DAY_MS, now + DAY_MS))).toEqual(ADMITTED)
})

test('revoked device: it is out, and does not come back by the certificate that it has', async () => {
  const { owner, hostile } = await scene('admin')
  const room = owner.base.discoveryKey!
  const [alice, mallory] = [await person(), await person()]
  const { claim, certified, identity: lost } = await claimer(alice)
  const old = certified(alice)
  expect(await admit(owner, hostile, claim(old, room))).toEqual(ADMITTED)

  const device = lost.device.publicKey
  const revoke = (revocation: Uint8Array): Promise<string[]> => {
    const payload = encodeStruct('revoke-device', { identity: alice.identity.publicKey, device, revocation })
    return effectOf(owner, hostile, () => hostile.write({ type: OpType.revokeDevice, payload }))
  }
  expect(await revoke(renamed(await mallory.revokeDevice(device), mallory, alice))).toEqual([])
  expect(await revoke(await alice.revokeDevice(device))).toEqual(ADMITTED)
  expect(await admit(owner, hostile, claim(old, room))).toEqual([])
  // What the person certifies from then on is as good as ever.
  const next = await claimer(alice)
  expect(await admit(owner, hostile, next.claim(next.certified(alice), room))).toEqual(expect.arrayContaining(['devices']))
})

/** Whether the owner's next message is under the epoch that a member has begun. */
async function isTakenUp(owner: OpenRoom, hostile: Hostile, rotate: Uint8Array): Promise<boolean> {
  const id = await hostile.write({ type: OpType.rotate, payload: rotate })
  await appliedBy(owner, hostile.key, id)
  await owner.room.send('after the rotation')
  await owner.log.settled()
  const [row] = (await owner.view.messages(0, Infinity)).slice(-1)
  return toHex(decodeOp(row!.op)!.header.epoch!) === toHex(id)
}

async function present({ view }: OpenRoom): Promise<DeviceRow[]> {
  return (await view.all('devices')).filter(({ removed }) => !removed)
}

async function rotationFor({ base, view }: OpenRoom, devices: readonly Pick<DeviceRow, 'writer' | 'box'>[]): Promise<Uint8Array> {
  const [newest] = await view.epochs(1)
  return draftRotation(base.discoveryKey!, devices, newest?.lamport ?? 0, 'full', []).draft.payload!
}

test('foreign rotate: nobody writes under an epoch that is sealed for another room', async () => {
  const { owner, hostile } = await scene('member')
  const other = await foundBy(await startDevice(net))
  const foreign = await rotationFor(other, await present(owner))
  expect(await isTakenUp(owner, hostile, foreign)).toBe(false)
  expect(await isTakenUp(owner, hostile, await rotationFor(owner, await present(owner)))).toBe(true)
})

test('slot for a stranger: nobody writes under an epoch that somebody was given who is not in', async () => {
  const { owner, hostile } = await scene('member')
  const { claim, identity } = await stranger(owner.base.discoveryKey!)
  const outsider = { writer: claim.writer, box: identity.device.boxPublicKey }
  expect(await isTakenUp(owner, hostile, await rotationFor(owner, [...(await present(owner)), outsider]))).toBe(false)
  expect(await isTakenUp(owner, hostile, await rotationFor(owner, await present(owner)))).toBe(true)
})

test('invite reuse: it admits as often, as whom and as what it says', async () => {
  const { owner, hostile } = await scene('member')
  const invite = await inviteOf(owner, 1)
  const room = owner.base.discoveryKey!
  const [first, second] = [await stranger(room), await stranger(room)]
  await hostile.knows(invite.id)
  const admitBy = ({ claim }: typeof first, role: number, by = invite): Promise<string[]> =>
    effectOf(owner, hostile, () => hostile.write({ type: OpType.admit, payload: admission(claim, role, by) }))
  expect(await admitBy(first, 4)).toEqual([])
  expect(await admitBy(first, 1)).toEqual([])
  // That there is an invite every member can see; its secret is what lets in.
  expect(await admitBy(first, MEMBER, { ...invite, seed: randomBytes(32) })).toEqual([])

  expect(await admitBy(first, MEMBER)).toEqual(expect.arrayContaining(['members', 'invites']))
  expect((await owner.view.invite(invite.id))!.used).toBe(1)
  expect(await admitBy(second, MEMBER)).toEqual([])
  expect(await admitBy(first, MEMBER)).toEqual([])
})

test('invite replay: the proof that somebody showed serves nobody else', async () => {
  const { owner, hostile } = await scene('member')
  const invite = await inviteOf(owner, null)
  const room = owner.base.discoveryKey!
  const [guest, eve] = [await stranger(room), await stranger(room)]
  await hostile.knows(invite.id)
  const genuine = admission(guest.claim, MEMBER, invite)
  const recorded = decodeStruct('admit', genuine)!
  const write = (payload: Uint8Array) => effectOf(owner, hostile, () => hostile.write({ type: OpType.admit, payload }))
  const eves = encodeStruct('admit', { ...recorded, request: encodeStruct('join-request', eve.claim) })
  expect(await write(eves)).toEqual([])
  expect(await write(genuine)).toEqual(ADMITTED)
  expect(await write(eves)).toEqual([])
  expect(await write(genuine)).toEqual([])
})

test('invite replay: what a recorded join tells opens the room, and none of its messages', async () => {
  const [device, eve] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(device)
  const sent = await owner.room.send('for members')
  // All that the answer to a join holds: who has the invite can read it out of a recording.
  const { key, encryptionKey, discoveryKey } = owner.base
  const recorded = await openRoom({ ...eve, namespace: randomBytes(32), key: key!, encryptionKey: encryptionKey! })
  onTestFinished(() => recorded.room.close())
  eve.meet(discoveryKey!)
  const found = await recorded.until(() => recorded.room.message(sent.id))
  expect(found).toMatchObject({ id: sent.id, kind: 'unreadable', text: '' })
  await expect(recorded.room.send('let me in')).rejects.toMatchObject({ code: 'ROOM_NOT_WRITABLE' })
  expect(await owner.room.members()).toHaveLength(1)
  expect((await owner.room.message(sent.id))?.text).toBe('for members')
})

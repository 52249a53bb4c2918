import { expect, onTestFinished, test } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { chainOf, forgeLink, keyPair, REVOCATION_DOMAIN, signed, varint, type ForgedLink } from '../../identity/test/support/forge.js'
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
import { messagesOf, toHex, useLocalNetwork } from './support.js'

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

/** A device that claims a core of its own by any certificate. */
interface Claimer {
  readonly link: ForgedLink
  claim(certificate: Uint8Array, room: Uint8Array): Claim
}

/** @param person who certifies the device, with keys that the test has. */
async function claimer(person: ReturnType<typeof keyPair>): Promise<Claimer> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const { publicKey: device, boxPublicKey } = identity.device
  const now = Date.now()
  const times = { notBeforeMs: now - DAY_MS, expiresMs: now + DAY_MS }
  return {
    link: { identity: person.publicKey, issuer: person.publicKey, device, boxPublicKey, context: null, ...times, epoch: 0 },
    claim(certificate, room) {
      const signStatement = identity.signStatement.bind(identity)
      const holder = { device: { ...identity.device, certificate }, signStatement } as unknown as LocalIdentity
      const core = createWriter(randomBytes(32))
      return { writer: core.key, nonce: randomBytes(32), ...makeClaim(holder, room, core) }
    }
  }
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
  const person = keyPair(11)
  const { claim, link } = await claimer(person)
  const certified = (context: Uint8Array | null): Uint8Array => chainOf(forgeLink({ ...link, context }, person.secretKey))
  expect(await admit(owner, hostile, claim(certified(other), room))).toEqual([])
  expect(await admit(owner, hostile, claim(certified(null), other))).toEqual([])
  expect(await admit(owner, hostile, claim(certified(room), room))).toEqual(ADMITTED)
})

test('empty proof chain: a certificate has one link or two, each signed by whom it must be', async () => {
  const { owner, hostile } = await scene('admin')
  const room = owner.base.discoveryKey!
  const [person, laptop, mallory] = [keyPair(12), keyPair(13), keyPair(14)]
  const { claim, link } = await claimer(person)
  const first = forgeLink({ ...link, device: laptop.publicKey }, person.secretKey)
  const second = forgeLink({ ...link, issuer: laptop.publicKey }, laptop.secretKey)
  const chains: [string, Uint8Array][] = [
    ['no link', chainOf()],
    ['nothing at all', new Uint8Array()],
    ['the second link alone', chainOf(second)],
    ['signed by somebody else', chainOf(forgeLink(link, mallory.secretKey))],
    ['a second link by a device that was not certified', chainOf(first, forgeLink({ ...link, issuer: mallory.publicKey }, mallory.secretKey))],
    ['three links', chainOf(first, second, second)]
  ]
  for (const [name, certificate] of chains) {
    expect([name, await admit(owner, hostile, claim(certificate, room))]).toEqual([name, []])
  }
  expect(await admit(owner, hostile, claim(chainOf(first, second), room))).toEqual(ADMITTED)
})

test('expired certificate: it holds at the time of the admission, or not', async () => {
  const { owner, hostile } = await scene('admin')
  const room = owner.base.discoveryKey!
  const person = keyPair(15)
  const { claim, link } = await claimer(person)
  const now = Date.now()
  const between = (notBeforeMs: number, expiresMs: number): Claim =>
    claim(chainOf(forgeLink({ ...link, notBeforeMs, expiresMs }, person.secretKey)), room)
  expect(await admit(owner, hostile, between(now - 2 * DAY_MS, now - DAY_MS))).toEqual([])
  expect(await admit(owner, hostile, between(now + DAY_MS, now + 2 * DAY_MS))).toEqual([])
  expect(await admit(owner, hostile, between(now - DAY_MS, now + DAY_MS))).toEqual(ADMITTED)
})

test('revoked device: it is out, and does not come back by the certificate that it has', async () => {
  const { owner, hostile } = await scene('admin')
  const room = owner.base.discoveryKey!
  const [person, mallory] = [keyPair(16), keyPair(17)]
  const { claim, link } = await claimer(person)
  const old = chainOf(forgeLink(link, person.secretKey))
  expect(await admit(owner, hostile, claim(old, room))).toEqual(ADMITTED)

  const revoke = (secretKey: Uint8Array): Promise<string[]> => {
    const body = Buffer.concat([person.publicKey, link.device, varint(1), varint(Date.now())])
    const revocation = Uint8Array.of(1, ...body, ...signed(REVOCATION_DOMAIN, body, secretKey))
    const payload = encodeStruct('revoke-device', { identity: person.publicKey, device: link.device, revocation })
    return effectOf(owner, hostile, () => hostile.write({ type: OpType.revokeDevice, payload }))
  }
  expect(await revoke(mallory.secretKey)).toEqual([])
  expect(await revoke(person.secretKey)).toEqual(ADMITTED)
  expect(await admit(owner, hostile, claim(old, room))).toEqual([])
  // The person has certified another since.
  const { claim: next, link: nextLink } = await claimer(person)
  expect(await admit(owner, hostile, next(chainOf(forgeLink({ ...nextLink, epoch: 1 }, person.secretKey)), room))).toEqual(
    expect.arrayContaining(['devices'])
  )
})

/** Whether the owner's next message is under the epoch that a member has begun. */
async function isTakenUp(owner: OpenRoom, hostile: Hostile, rotate: Uint8Array): Promise<boolean> {
  const id = await hostile.write({ type: OpType.rotate, payload: rotate })
  await appliedBy(owner, hostile.key, id)
  await owner.room.send('after the rotation')
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

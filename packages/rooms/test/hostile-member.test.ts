import { expect, test } from 'vitest'
import { createInviteKeys } from '../src/internal/invite-keys.js'
import { hash, randomBytes } from '../src/internal/crypto.js'
import { encodeOp, OpType } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import type { Equivocation } from '../src/internal/equivocation.js'
import { writerCore } from '../src/internal/writer-core.js'
import { roleOf } from '../src/roles.js'
import { admission, effectOf, hostileScene, inviteOf, rotation, stranger, twoPasts, type Hostile } from './support-apply.js'
import { messagesOf, toHex, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

const scene = (role: Parameters<typeof hostileScene>[1]) => hostileScene(net, role)

test('what a member writes as it should takes effect: the attacks below do not fail for another reason', async () => {
  const { owner, hostile } = await scene('moderator')
  const { identity, claim } = await stranger(owner.base.discoveryKey!)
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.message }))).toEqual(['messages'])
  const invite = await inviteOf(owner, 1)
  await hostile.knows(invite.id)
  const payload = admission(claim, 2, invite)
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.admit, payload }))).toEqual(
    expect.arrayContaining(['members', 'devices', 'invites'])
  )
  expect(toHex((await owner.view.member(identity.identity.publicKey))!.identity)).toBe(toHex(identity.identity.publicKey))
})

test('what a clock says changes no place in the room: not of a past, nor of a time to come', async () => {
  const { owner, hostile } = await scene('member')
  const first = await owner.room.send('first')
  const times = [0, 1, first.sentAt - 86_400_000, Date.now() + 86_400_000, 8.64e15]
  for (const sentAt of times) {
    expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.message, sentAt }))).toEqual(['messages'])
  }
  const last = await owner.room.send('last')
  const messages = await messagesOf(owner.room)
  expect(messages.map(({ text }) => text)).toEqual(['first', ...times.map(() => ''), 'last'])
  for (const { sentAt } of messages) expect(sentAt).toBeLessThanOrEqual(Date.now())
  expect(messages.map(({ sentAt }) => sentAt).slice(0, 4)).toEqual([first.sentAt, ...times.slice(0, 3)])
  expect(messages.at(-1)).toEqual({ ...last, state: 'sent' })
  // A time that no clock can show is no op at all.
  const beyond = () => hostile.write({ type: OpType.message, sentAt: 8.64e15 + 2 })
  expect(await effectOf(owner, hostile, beyond)).toEqual([])
})

test('an op that does not follow the writer’s last is skipped, and the next one that does is not', async () => {
  const { owner, hostile } = await scene('member')
  await hostile.write({ type: OpType.message })
  const wrong = [null, randomBytes(32), hash('x')]
  for (const previous of wrong) {
    const attack = () => hostile.write({ type: OpType.message, previous })
    const changed = await effectOf(owner, hostile, attack)
    // The very first of them may still find the message before it on its way.
    expect(changed.filter((name) => name !== 'messages')).toEqual([])
  }
  expect(await owner.view.messages(0, 10)).toHaveLength(1)
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.message }))).toEqual(['messages'])
})

test('a member does nothing that is above it', async () => {
  const { owner, hostile, ownersDevice } = await scene('member')
  const ownerKey = ownersDevice.identity.identity.publicKey
  const { claim } = await stranger(owner.base.discoveryKey!)
  const { id, publicKey } = createInviteKeys(owner.base.key!)
  const seen = [{ writer: owner.base.local.key, length: 1_000 }]
  const attacks: [string, Parameters<Hostile['write']>[0]][] = [
    ['admits without an invite', { type: OpType.admit, payload: admission(claim, 2) }],
    ['admits an owner', { type: OpType.admit, payload: admission(claim, 5) }],
    ['admits by an invite that is not there', { type: OpType.admit, payload: admission(claim, 2, createInviteKeys(owner.base.key!)) }],
    ['invites', { type: OpType.invite, payload: encodeStruct('invite', { id, publicKey, role: 2 }) }],
    ['changes the settings', { type: OpType.settings }],
    ['names the mirrors', { type: OpType.mirrors }],
    ['raises itself', { type: OpType.setRole, payload: encodeStruct('set-role', { identity: hostile.identity, role: 4, seen: [] }) }],
    ['becomes the owner', { type: OpType.transfer, payload: encodeStruct('transfer', { identity: hostile.identity }) }],
    ['lowers the owner', { type: OpType.setRole, payload: encodeStruct('set-role', { identity: ownerKey, role: 1, seen }) }],
    ['removes the owner', { type: OpType.remove, payload: encodeStruct('remove', { identity: ownerKey, seen, ban: true }) }],
    ['mutes the owner', { type: OpType.mute, payload: encodeStruct('mute', { identity: ownerKey, muted: true }) }],
    ['founds the room again', { type: OpType.create, payload: encodeStruct('create', { ...claim, history: 1 }) }],
    ['rotates far ahead', { type: OpType.rotate, payload: rotation(Number.MAX_SAFE_INTEGER) }],
    ['rotates two ahead', { type: OpType.rotate, payload: rotation(3) }],
    ['rotates to nothing', { type: OpType.rotate, payload: rotation(0) }],
    ['brings back an epoch of nothing', { type: OpType.keepEpoch, payload: kept(encodeOp({ type: OpType.rotate, sentAt: 1, payload: rotation(0) })) }],
    ['brings back what is no epoch', { type: OpType.keepEpoch, payload: kept(encodeOp({ type: OpType.message, sentAt: 1 })) }],
    ['grants an epoch that is not there', { type: OpType.grant, target: randomBytes(32), payload: encodeStruct('grant', { ephemeral: randomBytes(32), slots: new Uint8Array(80) }) }],
    ['asks for an epoch that is not there', { type: OpType.keyRequest, target: randomBytes(32) }],
    ['revokes a device of the owner', { type: OpType.revokeDevice, payload: encodeStruct('revoke-device', { identity: ownerKey, device: ownersDevice.identity.device.publicKey, revocation: randomBytes(140) }) }],
    ['writes of an unknown type', { type: 4_000_000, payload: randomBytes(10) }],
    ['writes without a payload', { type: OpType.admit }]
  ]
  for (const [name, header] of attacks) {
    expect([name, await effectOf(owner, hostile, () => hostile.write(header))]).toEqual([name, []])
  }
  for (const bytes of [randomBytes(50), new Uint8Array(1), new Uint8Array([9, ...encodeOp({ type: 1, sentAt: 1 })])]) {
    expect(await effectOf(owner, hostile, () => hostile.append(bytes))).toEqual([])
  }
  // Empty bytes are an acknowledgement to Autobase, and no op at all.
  await hostile.base.append(new Uint8Array())
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.message }))).toEqual(['messages'])
  // The room is none the worse.
  await owner.room.send('still here')
})

test('a reader writes no message and admits nobody', async () => {
  const { owner, hostile } = await scene('reader')
  const invite = await inviteOf(owner, null)
  await hostile.knows(invite.id)
  const { claim } = await stranger(owner.base.discoveryKey!)
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.message }))).toEqual([])
  const payload = admission(claim, 2, invite)
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.admit, payload }))).toEqual([])
})

test('who signed two pasts is removed by whoever shows it, and does not come back; nobody else is', async () => {
  const { owner, hostile } = await scene('reader')
  const { identity, claim, core } = await stranger(owner.base.discoveryKey!)
  const admit = { type: 'admit', payload: admission(claim, 4) } as const
  const [admitted] = await owner.log.append([admit])
  expect(admitted!.isAccepted).toBe(true)
  const show = (proof: Equivocation) =>
    effectOf(owner, hostile, () => hostile.write({ type: OpType.equivocation, payload: encodeStruct('equivocation', proof) }))

  const proof = await twoPasts(core)
  const other = await stranger(owner.base.discoveryKey!)
  expect(await show({ ...proof, second: proof.first })).toEqual([])
  expect(await show({ ...proof, second: null })).toEqual([])
  expect(await show({ ...proof, at: 2 })).toEqual([])
  expect(await show({ ...proof, writer: owner.base.local.key })).toEqual([])
  expect(await show({ ...proof, signer: other.core.keyPair.publicKey })).toEqual([])
  expect(await show(await twoPasts(other.core))).toEqual([])
  // The order hangs on the founder's core.
  expect(await show(await twoPasts(writerCore(owner.base.local)))).toEqual([])

  expect(await show(proof)).toEqual(['devices'])
  expect(await owner.view.device(core.key)).toMatchObject({ removed: true, forked: true })
  expect(await owner.base.system!.get(core.key)).toMatchObject({ isRemoved: true })
  expect(roleOf((await owner.view.member(identity.identity.publicKey))!.role)).toBe('admin')
  expect(await show(proof)).toEqual([])
  expect((await owner.log.append([admit]))[0]!.isAccepted).toBe(false)
})

test('an admin admits by themselves, but nobody of their own rank', async () => {
  const { owner, hostile } = await scene('admin')
  const { claim } = await stranger(owner.base.discoveryKey!)
  for (const role of [4, 5, 6, 0]) {
    const payload = admission(claim, role)
    expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.admit, payload }))).toEqual([])
  }
  const payload = admission(claim, 3)
  expect(await effectOf(owner, hostile, () => hostile.write({ type: OpType.admit, payload }))).toEqual(
    expect.arrayContaining(['members', 'devices'])
  )
})

function kept(op: Uint8Array): Uint8Array {
  return encodeStruct('keep-epoch', { writer: randomBytes(32), position: 0, op })
}

import { expect, test } from 'vitest'
import { makeClaim } from '../src/internal/claim.js'
import { randomBytes } from '../src/internal/crypto.js'
import { createInviteKeys, makeReceipt, type InviteKeys } from '../src/internal/invite-keys.js'
import { OpType } from '../src/internal/op.js'
import type { OpenRoom } from '../src/internal/open-room.js'
import { encodeStruct } from '../src/internal/structs.js'
import { admission, admitHostile, appliedBy, createWriter, foundBy, startDevice, stranger, type Hostile } from './support-apply.js'
import { useLocalNetwork } from './support.js'

const net = useLocalNetwork()

async function scene() {
  const owner = await foundBy(await startDevice(net))
  const hostile = await admitHostile(owner, await startDevice(net), 'member')
  const keys = createInviteKeys(owner.base.key!)
  const { id, publicKey } = keys
  await owner.log.append([{ type: 'invite', payload: encodeStruct('invite', { id, publicKey, role: 2, approval: true }) }])
  await hostile.knows(id)
  return { owner, hostile, invite: keys }
}

/** Tells of a device that asks, in a body that nobody can open. */
async function tell(owner: OpenRoom, hostile: Hostile, writer: Uint8Array, { id }: InviteKeys, declined = false): Promise<void> {
  const payload = encodeStruct('knock', { writer, invite: id, declined })
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.knock, payload }, randomBytes(100)))
}

/** What an honest member tells of a newcomer. */
async function tellTruly({ log, base }: OpenRoom, { id, seed }: InviteKeys, { identity }: Awaited<ReturnType<typeof stranger>>, change: (request: Uint8Array) => Uint8Array = (request) => request) {
  const core = createWriter(randomBytes(32))
  const room = base.discoveryKey!
  const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(32), ...makeClaim(identity, room, core) })
  const signed = encodeStruct('knock-request', { request, name: 'Bob' })
  const body = encodeStruct('knock-body', { request: change(signed), receipt: makeReceipt({ seed, discoveryKey: room }, signed) })
  const payload = encodeStruct('knock', { writer: core.key, invite: id })
  const [written] = await log.append([{ type: 'knock', payload, body }], { underEpoch: true })
  return { writer: core.key, isAccepted: written!.isAccepted }
}

test('a member who tells nonsense of a request keeps nobody from telling the truth', async () => {
  const { owner, hostile, invite } = await scene()
  const newcomer = await stranger(owner.base.discoveryKey!)
  const { writer, isAccepted } = await tellTruly(owner, invite, newcomer)
  expect(isAccepted).toBe(true)
  await tell(owner, hostile, writer, invite)
  const requests = await owner.room.joinRequests()
  expect(requests).toMatchObject([{ identity: newcomer.identity.identity.id, name: 'Bob' }])
  // Nor does nonsense alone show anything.
  await tell(owner, hostile, randomBytes(32), invite)
  expect(await owner.room.joinRequests()).toEqual(requests)
})

test('what is told is shown only if it is what was asked', async () => {
  const { owner, invite } = await scene()
  const other = createInviteKeys(owner.base.key!)
  const newcomer = await stranger(owner.base.discoveryKey!)
  const renamed = (request: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(request)
    bytes[bytes.length - 1]! ^= 1
    return bytes
  }
  await tellTruly(owner, invite, newcomer, renamed)
  await tellTruly(owner, { ...invite, seed: other.seed }, newcomer)
  expect(await owner.view.all('knocks')).toHaveLength(2)
  expect(await owner.room.joinRequests()).toEqual([])
})

test('one member fills no more than a part of the list, and not that of others', async () => {
  const { owner, hostile, invite } = await scene()
  for (let i = 0; i < 40; i++) await tell(owner, hostile, randomBytes(32), invite)
  expect(await owner.view.all('knocks')).toHaveLength(32)
  expect((await tellTruly(owner, invite, await stranger(owner.base.discoveryKey!))).isAccepted).toBe(true)
  expect(await owner.room.joinRequests()).toHaveLength(1)
  // What waits no more makes way.
  const [row] = (await owner.view.all('knocks')).filter(({ author }) => author[0] === hostile.key[0])
  await owner.log.append([{ type: 'knock', payload: encodeStruct('knock', { writer: row!.writer, invite: invite.id, declined: true }) }])
  const fresh = randomBytes(32)
  await tell(owner, hostile, fresh, invite)
  expect(await owner.view.knocksOf(fresh)).toHaveLength(1)
  expect(await owner.view.knocksOf(row!.writer)).toEqual([])
})

test('a member neither declines nor lets in what a moderator has to decide', async () => {
  const { owner, hostile, invite } = await scene()
  const { writer } = await tellTruly(owner, invite, await stranger(owner.base.discoveryKey!))
  await tell(owner, hostile, writer, invite, true)
  expect(await owner.room.joinRequests()).toHaveLength(1)
  const { claim } = await stranger(owner.base.discoveryKey!)
  const request = encodeStruct('join-request', claim)
  // By the receipt, though the member has the link; and by a word that is not theirs to give.
  for (const payload of [admission(claim, 2, invite), encodeStruct('admit', { request, role: 2, approved: invite.id })]) {
    await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.admit, payload }))
  }
  expect(await owner.room.members()).toHaveLength(2)
  expect((await owner.view.invite(invite.id))!.used).toBe(0)
})

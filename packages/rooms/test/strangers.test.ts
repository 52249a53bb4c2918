import Autobase from 'autobase'
import { expect, onTestFinished, test } from 'vitest'
import { makeClaim } from '../src/internal/claim.js'
import { randomBytes } from '../src/internal/crypto.js'
import { createInviteKeys, makeReceipt, type InviteKeys } from '../src/internal/invite-keys.js'
import { encodeOp, OpType, type OpHeader } from '../src/internal/op.js'
import { roomStore } from '../src/internal/open-base.js'
import { openRoom, type OpenRoom } from '../src/internal/open-room.js'
import { encodeStruct } from '../src/internal/structs.js'
import { writerCore } from '../src/internal/writer-core.js'
import { dump, foundBy, startDevice, stranger, type Device } from './support-apply.js'
import { allOf, toHex, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

async function publicInvite(owner: OpenRoom, uses: number | null = null): Promise<InviteKeys> {
  const keys = createInviteKeys(owner.base.key!)
  const { id, publicKey } = keys
  await owner.log.append([{ type: 'invite', payload: encodeStruct('invite', { id, publicKey, role: 2, uses, public: true }) }])
  return keys
}

/** Somebody with the key of the room and a link, and with other software. */
async function outsider(owner: OpenRoom, device: Device) {
  const { key, encryptionKey, discoveryKey } = owner.base
  const store = roomStore(device.corestore, randomBytes(32))
  const base = new Autobase(store, key, { open: () => null, apply: () => undefined, optimistic: true, encrypted: true, encryptionKey, wakeup: device.wakeup })
  await base.ready()
  onTestFinished(() => base.close())
  const core = writerCore(base.local)
  const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(32), ...makeClaim(device.identity, discoveryKey!, core) })
  const append = (bytes: Uint8Array, optimistic = true) => base.append(bytes, { optimistic })
  return {
    base,
    request,
    append,
    write: (header: Partial<OpHeader> & { type: number }) => append(encodeOp({ sentAt: Date.now(), ...header })),
    enter: (invite: InviteKeys, claimed = request, signed = claimed) =>
      encodeOp({ type: OpType.enter, sentAt: Date.now(), payload: enterPayload(owner, invite, claimed, signed) })
  }
}

function enterPayload({ base }: OpenRoom, { seed }: InviteKeys, request: Uint8Array, signed: Uint8Array): Uint8Array {
  const receipt = makeReceipt({ seed, discoveryKey: base.discoveryKey! }, signed)
  return encodeStruct('enter', { request, receipt })
}

/** How much of a writer's core is on a device's disk. */
async function storedOf({ corestore }: Device, key: Uint8Array): Promise<number> {
  const core = corestore.get({ key, active: false })
  await core.ready()
  let blocks = 0
  for (let index = 0; index < core.length; index++) if (await core.has(index)) blocks++
  await core.close()
  return blocks
}

// That few strangers are open at a time is shown by the attack `wakeup-strangers` of guards/base.test.ts.

/** Waits until an owner has read of a stranger what it reads of strangers. */
async function looked(owner: OpenRoom, key: Uint8Array, blocks: number): Promise<void> {
  const writers = (): Iterable<{ core: { key: Uint8Array }; length: number }> => owner.base.activeWriters as never
  for (;;) {
    for (const writer of writers()) if (toHex(writer.core.key) === toHex(key) && writer.length >= blocks) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('what somebody with the key of the room writes changes nothing, until it is a claim with a public invite', async () => {
  const [ownersDevice, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(ownersDevice)
  const invite = await publicInvite(owner)
  const plain = createInviteKeys(owner.base.key!)
  await owner.log.append([{ type: 'invite', payload: encodeStruct('invite', { id: plain.id, publicKey: plain.publicKey, role: 2 }) }])
  const room = owner.base.discoveryKey!
  const outside = await outsider(owner, theirs)
  const { claim } = await stranger(room)
  const others = encodeStruct('join-request', claim)
  const before = await dump(owner.view)
  theirs.meet(room)
  const attacks: [string, Uint8Array][] = [
    ['a message', encodeOp({ type: OpType.message, sentAt: 1 })],
    ['an entry by an invite that is not public', outside.enter(plain)],
    ['an entry by an invite that is not there', outside.enter(createInviteKeys(owner.base.key!))],
    ['the claim of another', outside.enter(invite, others)],
    ['a receipt for another request', outside.enter(invite, outside.request, others)],
    ['an entry that is too large', encodeOp({ type: OpType.enter, sentAt: Date.now(), payload: new Uint8Array([...enterPayload(owner, invite, outside.request, outside.request), ...new Uint8Array(2_000)]) })],
    ['garbage', randomBytes(300)]
  ]
  for (const [i, [name, bytes]] of attacks.entries()) {
    await outside.append(bytes)
    await looked(owner, outside.base.local.key, i + 1)
    await owner.base.update()
    expect([name, await dump(owner.view)]).toEqual([name, before])
  }
  // The eighth block is the last that is looked at, and it is as it should be: the others did not fail for another reason.
  await outside.append(outside.enter(invite))
  await until(owner.room, async () => ((await owner.room.members()).length === 2 ? true : undefined))
  expect((await owner.view.invite(invite.id))!.used).toBe(1)
  await owner.room.send('still here')
})

test('of somebody who is not in, a few blocks are read, and no more', async () => {
  const [ownersDevice, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(ownersDevice)
  const invite = await publicInvite(owner, 1)
  const outside = await outsider(owner, theirs)
  for (let i = 0; i < 200; i++) await outside.append(randomBytes(1_000))
  // What comes after is not seen, though it would be taken by itself.
  await outside.append(outside.enter(invite))
  theirs.meet(owner.base.discoveryKey!)
  await looked(owner, outside.base.local.key, 8)
  for (const text of ['one', 'two', 'three']) await owner.room.send(text)
  await allOf(owner.room, ['one', 'two', 'three'])
  expect(await storedOf(ownersDevice, outside.base.local.key)).toBe(8)
  expect(await owner.room.members()).toHaveLength(1)
  expect((await owner.view.invite(invite.id))!.used).toBe(0)
})

test('of many who come in at once by an invite of two uses, two are in, the same two for everybody', async () => {
  const [ownersDevice] = [await startDevice(net)]
  const owner = await foundBy(ownersDevice)
  const invite = await publicInvite(owner, 2)
  const { key, encryptionKey, discoveryKey } = owner.base
  const newcomers: OpenRoom[] = []
  for (let i = 0; i < 6; i++) {
    const device = await startDevice(net)
    const opened = await openRoom({ ...device, namespace: randomBytes(32), key: key!, encryptionKey: encryptionKey! })
    onTestFinished(() => opened.room.close())
    // Each hears of the invite, and of nobody else, before it comes in.
    const part = link(owner, opened)
    await opened.until(async () => (await opened.view.invite(invite.id)) ?? undefined)
    await part()
    const core = writerCore(opened.base.local)
    const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(32), ...makeClaim(device.identity, discoveryKey!, core) })
    const payload = enterPayload(owner, invite, request, request)
    const [written] = await opened.log.append([{ type: 'enter', payload }], { isStranger: true })
    expect(written!.isAccepted).toBe(true)
    await opened.room.send(`from ${i}`)
    newcomers.push(opened)
  }
  for (const opened of newcomers) link(owner, opened)
  const views = [owner, ...newcomers]
  const settled = async () => {
    const states = await Promise.all(views.map(async ({ view }) => JSON.stringify(await dump(view))))
    return new Set(states).size === 1 && (await owner.view.messages(0, 10)).length === 2 ? true : undefined
  }
  // Whoever changes last tells.
  await Promise.race(views.map(({ room }) => until(room, settled)))
  expect((await owner.view.invite(invite.id))!.used).toBe(2)
  expect(await owner.room.members()).toHaveLength(3)
  const isIn = await Promise.all(newcomers.map(({ isAdmitted }) => isAdmitted()))
  expect(isIn.filter(Boolean)).toHaveLength(2)
  const loser = newcomers[isIn.indexOf(false)]!
  await expect(loser.room.send('and I?')).rejects.toMatchObject({ code: 'ROOM_NOT_WRITABLE' })
})

/** Connects two rooms, as the network would; gives what parts them again. */
function link(one: OpenRoom, other: OpenRoom): () => Promise<void> {
  const streams = [one.base.replicate(true), other.base.replicate(false)] as const
  for (const stream of streams) stream.on('error', () => undefined)
  streams[0].pipe(streams[1]).pipe(streams[0])
  return async () => {
    await Promise.all(streams.map((stream) => new Promise<void>((resolve) => {
      stream.on('close', () => resolve())
      stream.destroy()
    })))
  }
}

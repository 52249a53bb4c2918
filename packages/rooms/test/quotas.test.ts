import HyperDB from 'hyperdb'
import { expect, test, vi } from 'vitest'
import { MAX_BATCH_BLOCKS } from '../src/internal/guards/judge-block.js'
import { describeFlood } from '../src/internal/describe-flood.js'
import type { Draft } from '../src/internal/op-log.js'
import { createOwnRole } from '../src/internal/own-role.js'
import { OpType, type OpHeader } from '../src/internal/op.js'
import { randomBytes } from '../src/internal/crypto.js'
import { encodeZ32 } from '@covey/core'
import { encodeStruct } from '../src/internal/structs.js'
import { admission, admitHostile, appliedBy, foundBy, rotation, startDevice, stranger } from './support-apply.js'
import { useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('more than others would read is refused before anything is written, and the room goes on', async () => {
  const owner = await foundBy(await startDevice(net))
  const { length } = owner.base.local
  const many = Array.from({ length: MAX_BATCH_BLOCKS + 1 }, (): Draft => ({ type: 'leave' }))
  await expect(owner.log.append(many)).rejects.toThrow(TypeError)
  await expect(owner.log.append([{ type: 'profile', payload: new Uint8Array(100_000) }])).rejects.toThrow()
  const large = Array.from({ length: 600 }, (): Draft => ({ type: 'profile', payload: new Uint8Array(60_000) }))
  await expect(owner.log.append(large)).rejects.toThrow(TypeError)
  expect(owner.base.local.length).toBe(length)
  await expect(owner.room.send('goes on')).resolves.toMatchObject({ text: 'goes on' })
})

test('who floods is named by member and device, and who may remove them is told so', async () => {
  const [device, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(device)
  const hostile = await admitHostile(owner, theirs, 'member')
  const told = async (as: Uint8Array) => describeFlood(owner.view, createOwnRole(owner.view, as), hostile.key)
  const known = await owner.view.device(hostile.key)
  const who = { memberId: encodeZ32(hostile.identity), device: encodeZ32(known!.device) }
  expect(await told(device.identity.identity.publicKey)).toEqual({ ...who, mayRemove: true })
  // Nobody removes themselves, nor does who is no member.
  expect(await told(hostile.identity)).toEqual({ ...who, mayRemove: false })
  expect(await told(randomBytes(32))).toEqual({ ...who, mayRemove: false })
  await owner.room.remove(who.memberId)
  expect(await told(device.identity.identity.publicKey)).toBeUndefined()
})

test('who asks for a key again and again is answered three times', async () => {
  const [device, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(device)
  const hostile = await admitHostile(owner, theirs, 'member')
  const [epoch] = await owner.view.epochs(1)
  const grants = async (): Promise<number> => (await owner.view.grants(epoch!.id, hostile.key)).length
  const before = await grants()
  for (let asks = 1; asks <= 5; asks++) {
    await hostile.write({ type: OpType.keyRequest, target: epoch!.id })
    if (asks > 3) continue
    await owner.until(async () => ((await grants()) === before + asks ? true : undefined))
  }
  // A message that comes after: the last requests have been applied by then.
  const last = await hostile.write({ type: OpType.message })
  await owner.until(async () => (await owner.view.message(last)) ?? undefined)
  await owner.room.send('and so has whatever was due for them')
  expect(await grants()).toBe(before + 3)
})

test('who asks for keys that nobody has is not waited for, nor looked at for more than so many, nor once they are out', async () => {
  const owner = await foundBy(await startDevice(net))
  const hostile = await admitHostile(owner, await startDevice(net), 'reader')
  const asked = async (): Promise<number> => (await owner.view.keyRequestsOf(hostile.key)).length
  // Epochs of which nobody but their author can have the key.
  let last = randomBytes(32)
  for (let i = 0; i < 66; i++) {
    const [newest] = await owner.view.epochs(1)
    const target = await hostile.write({ type: OpType.rotate, payload: rotation(newest!.lamport + 1) })
    await appliedBy(owner, hostile.key, target)
    last = await hostile.write({ type: OpType.keyRequest, target })
  }
  await appliedBy(owner, hostile.key, last)
  expect(await asked()).toBe(64)
  expect(owner.isBusy()).toBe(false)
  await owner.room.remove(encodeZ32(hostile.identity))
  expect(await asked()).toBe(0)
})

test('who removes somebody that goes on talking has nobody replay who did what', async () => {
  const owner = await foundBy(await startDevice(net))
  const replays = async (header: Partial<OpHeader> & { type: number }): Promise<boolean> => {
    const hostile = await admitHostile(owner, await startDevice(net), 'member')
    await appliedBy(owner, hostile.key, await hostile.write(header))
    const find = vi.spyOn(HyperDB.prototype, 'find')
    // Nothing of what they wrote had been seen.
    const payload = encodeStruct('remove', { identity: hostile.identity, ban: false, seen: [] })
    const [removed] = await owner.log.append([{ type: 'remove', payload }])
    expect(removed!.isAccepted).toBe(true)
    const names = find.mock.calls.map(([name]) => name)
    find.mockRestore()
    return names.includes('@covey/authority')
  }
  expect(await replays({ type: OpType.message })).toBe(false)
  const { claim } = await stranger(owner.base.discoveryKey!)
  expect(await replays({ type: OpType.admit, payload: admission(claim, 1) })).toBe(true)
})

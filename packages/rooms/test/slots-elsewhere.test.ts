import { expect, test } from 'vitest'
import { randomBytes } from '../src/internal/crypto.js'
import { createEpochKeys } from '../src/internal/epoch-keys.js'
import { decodeOp, OpType } from '../src/internal/op.js'
import { rotationOf } from '../src/internal/rotation.js'
import { commitmentTo, sealSlots, stateKey } from '../src/internal/slots.js'
import { encodeStruct } from '../src/internal/structs.js'
import type { EpochRow, RoomView } from '../src/internal/view.js'
import { admitHostile, appliedBy, foundBy, startDevice } from './support-apply.js'
import { useLocalNetwork } from './support.js'

// Slots are the same bytes wherever they are: a member may copy those that hold a key which is not for them.

const net = useLocalNetwork()

async function epochOf(view: RoomView, id: Uint8Array): Promise<EpochRow> {
  return (await view.epoch(id))!
}

test('who has come since is given no key of before by an epoch of their own that holds it', async () => {
  const [device, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(device, 'since-join')
  const [first] = await owner.view.epochs(1)
  const hostile = await admitHostile(owner, theirs, 'member')
  await owner.log.append([], { underEpoch: true })
  const [second] = await owner.view.epochs(1)
  expect(second!.id).not.toEqual(first!.id)
  // The slots of the first, and what they are committed to; and the same as what somebody else is said to have made.
  const rotation = { ...rotationOf(first!.op)!, lamport: second!.lamport + 1 }
  const copy = await hostile.write({ type: OpType.rotate, payload: encodeStruct('rotate', rotation) })
  const payload = encodeStruct('keep-epoch', { writer: randomBytes(32), position: 1_000, op: first!.op })
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.keepEpoch, payload }))
  const rows = await owner.view.epochs(4)
  const asking = (await owner.view.device(hostile.key))!
  const keys = createEpochKeys({ room: owner.base.discoveryKey!, writer: owner.base.local.key, identity: device.identity, view: owner.view })
  expect(rows).toHaveLength(4)
  expect(rows.map(({ id }) => id)).toContainEqual(Buffer.from(copy))
  // The owner can open all of them, and gives the one of since then.
  const [key] = [await keys.key(first!.id)]
  for (const { id } of rows.filter((row) => row.id !== second!.id && !Buffer.from(row.id).equals(Buffer.from(second!.id)))) expect(await keys.key(id)).toEqual(key)
  const given = await Promise.all(rows.map(async (row) => ((await owner.keyring.mayHave(asking, row)) ? row.id : undefined)))
  expect(given.filter((id) => id !== undefined)).toEqual([second!.id])
  expect(await owner.keyring.mayHave((await owner.view.device(owner.base.local.key))!, await epochOf(owner.view, copy))).toBe(true)
})

test('an epoch that holds the slots of a report gives nobody its key', async () => {
  const device = await startDevice(net)
  const owner = await foundBy(device)
  const room = owner.base.discoveryKey!
  const keys = createEpochKeys({ room, writer: owner.base.local.key, identity: device.identity, view: owner.view })
  const hostile = await admitHostile(owner, await startDevice(net), 'member')
  const [newest] = await owner.view.epochs(1)
  const recipients = [(await owner.view.device(owner.base.local.key))!]
  const rotate = async (kind: 'epoch' | 'report'): Promise<Uint8Array> => {
    const key = randomBytes(32)
    const slots = sealSlots(room, key, recipients, kind)
    expect(keys.openReport(slots, commitmentTo(room, key)) !== undefined).toBe(kind === 'report')
    const rotation = { lamport: newest!.lamport + 1, commitment: commitmentTo(room, key), stateCommitment: commitmentTo(room, stateKey(room, key)), ...slots }
    return hostile.write({ type: OpType.rotate, payload: encodeStruct('rotate', rotation) })
  }
  const [honest, copied] = [await rotate('epoch'), await rotate('report')]
  await appliedBy(owner, hostile.key, copied)
  expect(decodeOp((await epochOf(owner.view, copied)).op)).toBeDefined()
  expect(await keys.key(honest)).toBeDefined()
  expect(await keys.key(copied)).toBeUndefined()
})

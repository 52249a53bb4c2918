import { expect, test } from 'vitest'
import { randomBytes } from '../src/internal/crypto.js'
import { createEpochKeys } from '../src/internal/epoch-keys.js'
import { draftRotation, type History } from '../src/internal/keyring.js'
import { OpType } from '../src/internal/op.js'
import type { OpenRoom } from '../src/internal/open-room.js'
import { commitmentTo, sealSlots } from '../src/internal/slots.js'
import { encodeStruct } from '../src/internal/structs.js'
import { admitHostile, appliedBy, foundBy, memberOf, startDevice, type Hostile } from './support-apply.js'
import { useLocalNetwork } from './support.js'

const net = useLocalNetwork()

/** Epochs that all have the key of, and that carry nothing on, or something else than what was before. */
async function rotate(owner: OpenRoom, hostile: Hostile, times: number, lie: boolean, history: History): Promise<void> {
  for (let i = 0; i < times; i++) {
    const [newest] = await owner.view.epochs(1)
    const devices = (await owner.view.all('devices')).filter(({ removed }) => !removed)
    const older = lie ? [{ id: newest!.id, key: randomBytes(32) }] : []
    const { draft } = draftRotation(owner.base.discoveryKey!, devices, newest!.lamport, history, older)
    await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.rotate, payload: draft.payload as Uint8Array }))
  }
}

test.each([
  ['full', false],
  ['since-join', false],
  ['full', true],
  ['since-join', true]
] as const)('who makes many epochs does not come between newcomers and what was before: %s, lies: %s', { timeout: 120_000 }, async (history, lie) => {
  const owner = await foundBy(await startDevice(net), history)
  const hostile = await admitHostile(owner, await startDevice(net), 'reader')
  await rotate(owner, hostile, 70, lie, history)
  const device = await startDevice(net)
  const newcomer = await memberOf(owner, device)
  await newcomer.until(async () => ((await newcomer.room.info()).name === 'Tea' ? true : undefined))
  // From what it was given and what is carried on: nobody is asked.
  const keys = createEpochKeys({ room: owner.base.discoveryKey!, writer: newcomer.base.local.key, identity: device.identity, view: newcomer.view })
  const rows = await newcomer.view.all('epochs')
  expect(await keys.stateKey(rows[0]!.id)).toBeDefined()
  expect((await keys.messageKey(rows[0]!.id)) !== undefined).toBe(history === 'full')
})

test('an epoch whose names would be sealed otherwise for who comes later is nobody’s', async () => {
  const device = await startDevice(net)
  const owner = await foundBy(device)
  const hostile = await admitHostile(owner, await startDevice(net), 'member')
  const room = owner.base.discoveryKey!
  const [newest] = await owner.view.epochs(1)
  const key = randomBytes(32)
  const slots = sealSlots(room, key, await owner.view.all('devices'))
  const rotation = { lamport: newest!.lamport + 1, commitment: commitmentTo(room, key), stateCommitment: randomBytes(32), ...slots }
  const made = await hostile.write({ type: OpType.rotate, payload: encodeStruct('rotate', rotation) })
  await appliedBy(owner, hostile.key, made)
  await owner.room.rename('Coffee')
  const [used] = await owner.view.epochs(1)
  expect(used!.id).not.toEqual(Buffer.from(made))
  expect((await owner.room.info()).name).toBe('Coffee')
})

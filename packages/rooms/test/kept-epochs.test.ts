import { expect, test, vi } from 'vitest'
import { randomBytes } from '../src/internal/crypto.js'
import { createEpochKeeper } from '../src/internal/epoch-keeper.js'
import { decodeOp, encodeOp, opId, OpType } from '../src/internal/op.js'
import type { OpLog } from '../src/internal/op-log.js'
import { encodeStruct } from '../src/internal/structs.js'
import { foundBy, hostileScene, startDevice } from './support-apply.js'
import type { EpochRow } from '../src/internal/view.js'
import { useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('an epoch from the future is brought back as one of now, and is not written under', async () => {
  const { owner, hostile } = await hostileScene(net, 'reader')
  const [author, room] = [randomBytes(32), owner.base.discoveryKey!]
  const fields = { commitment: randomBytes(32), stateCommitment: randomBytes(32), ephemeral: randomBytes(32), removals: Number.MAX_SAFE_INTEGER }
  const payload = encodeStruct('rotate', { lamport: Number.MAX_SAFE_INTEGER, ...fields, slots: new Uint8Array(56) })
  const op = encodeOp({ type: OpType.rotate, sentAt: 1, payload })
  const [newest] = await owner.view.epochs(1)
  const kept = encodeStruct('keep-epoch', { writer: author, position: Number.MAX_SAFE_INTEGER, op })
  await hostile.write({ type: OpType.keepEpoch, payload: kept })

  const row = await owner.until(async () => (await owner.view.epoch(opId(room, author, op))) ?? undefined)
  expect(row.lamport).toBe(newest!.lamport + 1)
  // Whoever brings it answers for it.
  expect(row.writer).toEqual(Buffer.from(hostile.key))
  expect(row.position).toBe((await owner.view.meta()).authority)
  // Nobody has gone yet, whatever its maker says to know.
  expect(row.removals).toBe(0)

  const sent = await owner.room.send('not under that')
  expect(await owner.room.message(sent.id)).toMatchObject({ text: 'not under that' })
  expect((await owner.view.epochs(1))[0]!.writer).toEqual(Buffer.from(owner.base.local.key))
})

test.each([
  ['that has gone by the time that what is sealed under it is in the log', true],
  ['that was written under before the process began', false]
])('an epoch %s is brought back', async (_, isToldOf) => {
  const owner = await foundBy(await startDevice(net))
  await owner.room.send('sealed')
  await owner.log.settled()
  const message = (await owner.view.messages(0, 1))[0]!
  const epoch = decodeOp(message.op)!.header.epoch!
  const row = (await owner.view.epoch(epoch))!
  // As the view is where whoever made it was removed meanwhile.
  let isGone = isToldOf
  const view = new Proxy(owner.view, {
    get: (target, name, receiver) => (name === 'epoch' && isGone ? async () => null : Reflect.get(target, name, receiver))
  })
  const append = vi.fn<OpLog['append']>(async () => [])
  const log = { ...owner.log, append }
  const errors: unknown[] = []
  const epochs = new Map<string, EpochRow>()
  const keeper = createEpochKeeper({ room: owner.base.discoveryKey!, base: owner.base, view, roster: owner.roster, log, isAdmitted: async () => true, epochs, onerror: (error) => errors.push(error) })
  if (isToldOf) keeper.used(row)
  else {
    await vi.waitFor(() => expect([...epochs.values()]).toEqual([row]))
    isGone = true
    keeper.changed()
  }
  await vi.waitFor(() => expect(append).toHaveBeenCalled())
  const payload = encodeStruct('keep-epoch', { writer: row.writer, position: row.position, op: row.op })
  expect(append.mock.calls[0]).toEqual([[{ type: 'keepEpoch', payload }]])
  expect(errors).toEqual([])
})

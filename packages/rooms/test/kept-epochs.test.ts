import { expect, test } from 'vitest'
import { randomBytes } from '../src/internal/crypto.js'
import { encodeOp, opId, OpType } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { hostileScene } from './support-apply.js'
import { useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('an epoch from the future is brought back as one of now, and is not written under', async () => {
  const { owner, hostile } = await hostileScene(net, 'reader')
  const [author, room] = [randomBytes(32), owner.base.discoveryKey!]
  const fields = { commitment: randomBytes(32), stateCommitment: randomBytes(32), ephemeral: randomBytes(32) }
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

  const sent = await owner.room.send('not under that')
  expect(await owner.room.message(sent.id)).toMatchObject({ text: 'not under that' })
  expect((await owner.view.epochs(1))[0]!.writer).toEqual(Buffer.from(owner.base.local.key))
})

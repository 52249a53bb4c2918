import { expect, test } from 'vitest'
import { createBoxKeyPair, randomBytes } from '../src/internal/crypto.js'
import { draftRotation } from '../src/internal/keyring.js'
import { decodeOp, encodeOp, OpType } from '../src/internal/op.js'
import { MAX_ROTATE_SLOTS } from '../src/internal/slots.js'

const MAX_OP_BYTES = 65_536
const MAX_MS = 150

function rotateFor(devices: number): () => Uint8Array {
  const room = randomBytes(32)
  const older = Array.from({ length: 8 }, () => ({ id: randomBytes(32), key: randomBytes(32) }))
  const recipients = Array.from({ length: devices }, () => ({ writer: randomBytes(32), box: createBoxKeyPair().publicKey }))
  return () => {
    const { draft } = draftRotation(room, recipients, Number.MAX_SAFE_INTEGER - 1, 'full', older)
    const header = { type: OpType.rotate, sentAt: Date.now(), previous: randomBytes(32), payload: draft.payload! }
    return encodeOp(header)
  }
}

test('a rotation of as many slots as there may be, with all that it carries on, is an op', () => {
  const op = rotateFor(MAX_ROTATE_SLOTS)()
  expect(op.length).toBeLessThanOrEqual(MAX_OP_BYTES)
  expect(decodeOp(op)?.header.type).toBe(OpType.rotate)
})

test('a room of 1,000 devices has a new key by one op, in no time', () => {
  expect(MAX_ROTATE_SLOTS).toBeGreaterThanOrEqual(1_000)
  const rotate = rotateFor(1_000)
  const times = Array.from({ length: 5 }, () => {
    // Of the processor, since a machine that does something else meanwhile makes any of them slow.
    const before = process.cpuUsage()
    rotate()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  expect(Math.min(...times)).toBeLessThan(MAX_MS)
})

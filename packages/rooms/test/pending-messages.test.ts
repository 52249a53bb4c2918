import { expect, onTestFinished, test } from 'vitest'
import { encodeOp, OpType } from '../src/internal/op.js'
import { createPendingMessages, type PendingMessage } from '../src/internal/pending-messages.js'
import type { RoomView } from '../src/internal/view.js'

// White box: what becomes of messages that are shown before the log has them, as the view goes on.

const writer = key(1)

function key(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte)
}

function message(id: number, previous: number): PendingMessage {
  return { id: key(id), writer, op: encodeOp({ type: OpType.message, sentAt: 0, previous: key(previous) }) }
}

/** What of the view is looked at: a device, how far its core has been read, and the messages that are in. */
function scene() {
  const state = { head: key(10), removed: false, messages: new Set<number>() }
  const view = {
    device: async () => ({ writer, removed: state.removed }),
    writer: async () => ({ writer, length: 1, head: state.head }),
    message: async (id: Uint8Array) => (state.messages.has(id[0]!) ? { id } : null)
  } as unknown as RoomView
  const settled: [number, boolean][] = []
  const pending = createPendingMessages({
    view,
    flight: new Map(),
    onerror(error) {
      throw error
    }
  })
  onTestFinished(() => pending.close())
  pending.on('settle', ({ id, isWithdrawn }) => void settled.push([id[0]!, isWithdrawn]))
  return { state, pending, settled }
}

test('two of one’s own with a reaction between them, after a failed append: both come', async () => {
  const { state, pending, settled } = scene()
  pending.addOwn(message(11, 10))
  // The op 12 is the reaction.
  pending.addOwn(message(13, 12))
  for (const id of [11, 13]) pending.settle(key(id), undefined)
  state.messages.add(11)
  state.head = key(11)
  pending.changed()
  await pending.settled(key(11))
  expect(settled).toEqual([[11, false]])
  expect(pending.size).toBe(1)
  state.messages.add(13)
  state.head = key(13)
  pending.changed()
  await pending.settled(key(13))
  expect(settled).toEqual([[11, false], [13, false]])
})

test('one’s own that the log tells as refused, or whose device is out, are withdrawn', async () => {
  const { state, pending, settled } = scene()
  pending.addOwn(message(11, 10))
  pending.addOwn(message(13, 12))
  for (const id of [11, 13]) pending.settle(key(id), undefined)
  pending.settle(key(11), false)
  expect(settled).toEqual([[11, true]])
  state.removed = true
  pending.changed()
  await pending.settled(key(13))
  expect(settled).toEqual([[11, true], [13, true]])
})

test('those of others are withdrawn when the chain of their writer has gone past them', async () => {
  const { pending, state, settled } = scene()
  pending.addOther(message(11, 10), 60_000)
  state.head = key(12)
  pending.changed()
  await pending.settled(key(11))
  expect(settled).toEqual([[11, true]])
})

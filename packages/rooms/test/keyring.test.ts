import { expect, test } from 'vitest'
import { createBoxKeyPair } from '../src/internal/crypto.js'
import type { EpochKeys } from '../src/internal/epoch-keys.js'
import { createKeyring, draftRotation, HISTORY } from '../src/internal/keyring.js'
import { encodeOp, OpType } from '../src/internal/op.js'
import type { DeviceRow, EpochRow, RoomView } from '../src/internal/view.js'

// White box: a keyring alone, and the moment at which it is told that the room is another.

const keyOf = (i: number): Uint8Array => new Uint8Array(32).fill(i)

function device(i: number): DeviceRow {
  return { writer: keyOf(i), device: keyOf(i), identity: keyOf(i), box: createBoxKeyPair().publicKey, position: 0 }
}

test('what was read before a removal is told of is read again, and nothing is written under the epoch that the removed have', async () => {
  const [own, other] = [device(1), device(2)]
  const { draft } = draftRotation(keyOf(9), [own, other], 0, 'full', [])
  const op = encodeOp({ type: OpType.rotate, sentAt: 0, payload: draft.payload! })
  const epoch: EpochRow = { id: keyOf(3), writer: own.writer, lamport: 1, position: 0, op }
  let present = [own, other]
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  let asked = (): void => undefined
  const isAsked = new Promise<void>((resolve) => (asked = resolve))
  const view = {
    epochs: async () => [epoch],
    grantsOf: async () => [],
    room: async () => ({ history: HISTORY.full }),
    async all() {
      const now = present
      asked()
      await opened
      return now
    }
  } as unknown as RoomView
  const key = async (): Promise<Uint8Array> => keyOf(4)
  const epochKeys = { key, stateKey: key } as unknown as EpochKeys
  const keyring = createKeyring({ room: keyOf(9), view, epochKeys, isChanging: () => false })

  const planning = keyring.plan()
  await isAsked
  // Applied, and told of, while the answer from before is on its way.
  present = [own]
  keyring.changed()
  open()
  for (const plan of [await planning, await keyring.plan()]) {
    expect(plan.drafts.length).toBe(1)
    expect(plan.epoch([keyOf(5)]).id).toEqual(keyOf(5))
  }
})

import { expect, test } from 'vitest'
import type { EpochKeys } from '../src/internal/epoch-keys.js'
import { createKeyring, HISTORY } from '../src/internal/keyring.js'
import type { Roster } from '../src/internal/roster.js'
import type { EpochRow, RoomView } from '../src/internal/view.js'

// White box: a keyring alone, and the moment at which it is told what the room looks like.

const ROOM = new Uint8Array(32).fill(1)
const EPOCH: EpochRow = { id: new Uint8Array(32).fill(2), op: new Uint8Array(), writer: new Uint8Array(32).fill(3), lamport: 1, position: 0 }

/** Who has the epoch's key and is not in the room is `undefined` of {@link Roster.missingFrom}: a new epoch has to begin. */
type Answer = Awaited<ReturnType<Roster['missingFrom']>>

test('what was read before a removal is told of is read again, and nothing is written under the epoch that the removed have', async () => {
  const asked: ((answer: Answer) => void)[] = []
  let wake = (): void => undefined
  const roster: Roster = {
    missingFrom: () =>
      new Promise((resolve) => {
        asked.push(resolve)
        wake()
      }),
    devices: async () => new Map(),
    reset: () => undefined
  }
  const view = { epochs: async () => [EPOCH], room: async () => ({ history: HISTORY.full }) } as unknown as RoomView
  const key = async (): Promise<Uint8Array> => new Uint8Array(32).fill(4)
  const epochKeys = { key, stateKey: key } as unknown as EpochKeys
  const keyring = createKeyring({ room: ROOM, view, roster, epochKeys, isChanging: () => false })
  const question = (): Promise<void> => new Promise((resolve) => (wake = resolve))

  const first = question()
  const planning = keyring.plan()
  await first
  // Applied, and told of, while the answer from before is on its way: nobody lacks the key, and nobody has it who is out.
  keyring.changed()
  const second = question()
  asked[0]!([])
  await second
  asked[1]!(undefined)
  const plan = await planning
  expect(plan.drafts.length).toBe(1)
  expect(plan.epoch([new Uint8Array(32).fill(9)]).id).toEqual(new Uint8Array(32).fill(9))
})

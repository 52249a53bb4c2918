import { expect, test } from 'vitest'
import { createBoxKeyPair } from '../src/internal/crypto.js'
import type { EpochKeys } from '../src/internal/epoch-keys.js'
import { createKeyring, HISTORY } from '../src/internal/keyring.js'
import type { Draft } from '../src/internal/op-log.js'
import type { Roster } from '../src/internal/roster.js'
import { decodeStruct } from '../src/internal/structs.js'
import type { EpochRow, RoomView } from '../src/internal/view.js'

// White box: a keyring alone, and the moment at which it is told what the room looks like.

const ROOM = new Uint8Array(32).fill(1)
const EPOCH: EpochRow = { id: new Uint8Array(32).fill(2), op: new Uint8Array(), writer: new Uint8Array(32).fill(3), lamport: 1, position: 0 }

/** Who has the epoch's key and is not in the room is `undefined` of {@link Roster.missingFrom}: a new epoch has to begin. */
type Answer = Awaited<ReturnType<Roster['missingFrom']>>

test('an epoch whose maker did not know of somebody who has gone is not written under: others may have given them its key', async () => {
  const roster: Roster = { missingFrom: async () => [], devices: async () => new Map(), reset: () => undefined }
  const key = async (): Promise<Uint8Array> => new Uint8Array(32).fill(4)
  const epochKeys = { key, stateKey: key } as unknown as EpochKeys
  const planWith = async (known: number) => {
    const view = { epochs: async () => [{ ...EPOCH, removals: known }], async *eachEpoch() { yield* [{ ...EPOCH, removals: known }] }, room: async () => ({ history: HISTORY.full }), meta: async () => ({ authority: 9, removals: 2 }) }
    return createKeyring({ room: ROOM, writer: EPOCH.writer, view: view as unknown as RoomView, roster, epochKeys, isChanging: () => false }).plan()
  }
  expect((await planWith(2)).drafts).toEqual([])
  const { drafts } = await planWith(1)
  expect(drafts).toMatchObject([{ type: 'rotate' }])
  // And who makes the next one says what they know.
  expect(decodeStruct('rotate', (drafts[0] as Draft).payload!)).toMatchObject({ lamport: 2, removals: 2 })
})

test('who comes into a room with full history is given its key, and nobody is asked who else is there', async () => {
  const asked = (): never => {
    throw new Error('The devices of the room are read.')
  }
  const roster = { missingFrom: asked, devices: asked, reset: asked } as unknown as Roster
  const welcomeIn = async (history: number, known: Uint8Array | undefined) => {
    const key = async (): Promise<Uint8Array | undefined> => known
    const view = { epochs: async () => [EPOCH], async *eachEpoch() { yield* [EPOCH] }, room: async () => ({ history }), meta: async () => ({ authority: 1 }) } as unknown as RoomView
    const keyring = createKeyring({ room: ROOM, writer: EPOCH.writer, view, roster, epochKeys: { key, stateKey: key } as unknown as EpochKeys, isChanging: () => false })
    return keyring.welcome({ writer: new Uint8Array(32).fill(5), box: createBoxKeyPair().publicKey })
  }
  const key = new Uint8Array(32).fill(4)
  expect(await welcomeIn(HISTORY.full, key)).toMatchObject([{ type: 'grant', target: EPOCH.id }])
  // A new one has to begin, which those who are there are given too.
  expect(await welcomeIn(HISTORY['since-join'], key)).toBeUndefined()
  expect(await welcomeIn(HISTORY.full, undefined)).toBeUndefined()
})

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
  const view = { epochs: async () => [EPOCH], async *eachEpoch() { yield* [EPOCH] }, room: async () => ({ history: HISTORY.full }), meta: async () => ({ authority: 1 }) } as unknown as RoomView
  const key = async (): Promise<Uint8Array> => new Uint8Array(32).fill(4)
  const epochKeys = { key, stateKey: key } as unknown as EpochKeys
  const keyring = createKeyring({ room: ROOM, writer: EPOCH.writer, view, roster, epochKeys, isChanging: () => false })
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

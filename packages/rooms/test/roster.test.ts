import Corestore from 'corestore'
import { expect, onTestFinished, test, vi } from 'vitest'
import fc from 'fast-check'
import definition from '../spec/db/index.js'
import { createBoxKeyPair, randomBytes } from '../src/internal/crypto.js'
import type { UpstreamBee } from '../src/internal/guards/share-blocks.js'
import { draftRotation, HISTORY } from '../src/internal/keyring.js'
import { letIn } from '../src/internal/let-in.js'
import { encodeOp, OpType } from '../src/internal/op.js'
import { createRoster } from '../src/internal/roster.js'
import { openView, type DeviceRow, type EpochRow, type RoomView } from '../src/internal/view.js'
import { roleNumber } from '../src/roles.js'
import { admission, foundBy, startDevice, stranger } from './support-apply.js'
import { openMovable } from './support-movable.js'
import { temporaryFolder, toHex, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

// White box: a view alone, whose end is cut off and written anew as Autobase does it when the order changes.

const keyOf = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1)
const DEVICES = 8

async function openViews() {
  const store = new Corestore(await temporaryFolder())
  await store.ready()
  onTestFinished(() => store.close())
  let count = 0
  return async (): Promise<RoomView> => {
    const core = store.get({ name: `view ${count++}` })
    await core.ready()
    return openView({ get: () => core } as unknown as Parameters<typeof openView>[0])
  }
}

/** An epoch that begins with slots for some of the devices. */
function epochOf(number: number, author: number, recipients: readonly number[]): EpochRow {
  const devices = recipients.map((i) => ({ writer: keyOf(i), box: createBoxKeyPair().publicKey }))
  const { draft } = draftRotation(randomBytes(32), devices, 0, 'full', [])
  return { lamport: 1, id: keyOf(100 + number), writer: keyOf(author), position: 0, op: encodeOp({ type: OpType.rotate, sentAt: 0, payload: draft.payload! }) }
}

test('who is in a room and lacks its key is what the view says, whatever is cut off it and written anew', { timeout: 120_000 }, async () => {
  const open = await openViews()
  const device = fc.nat({ max: DEVICES - 1 })
  const slots = [[0, 1, 2], [0, 3, 4, 5]]
  const epochs = slots.map((recipients, i) => epochOf(i, 0, recipients))
  const step = fc.oneof(
    fc.record({ act: fc.constant('device' as const), device, removed: fc.boolean() }),
    fc.record({ act: fc.constant('forget' as const), device }),
    fc.record({ act: fc.constant('grant' as const), device, epoch: fc.nat({ max: 1 }), by: fc.nat({ max: 1 }) }),
    fc.record({ act: fc.constant('cut' as const), back: fc.nat({ max: 6 }) })
  )
  /** What is asked after a step: nothing, who is in, or who lacks the key of an epoch. */
  const ask = fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, fc.constant('devices' as const), fc.nat({ max: 1 }))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, ask), { minLength: 20, maxLength: 50 }), async (steps) => {
      const view = await open()
      const roster = createRoster(view)
      const lengths = [0]
      for (const [what, asked] of steps) {
        if (what.act === 'cut') {
          lengths.length = Math.max(1, lengths.length - what.back)
          await (view.db.core as unknown as { truncate(length: number): Promise<void> }).truncate(lengths.at(-1)!)
        } else {
          const writer = keyOf(what.device)
          if (what.act === 'device') await view.put('devices', { writer, device: writer, box: writer, identity: writer, position: 0, removed: what.removed })
          if (what.act === 'forget') await view.delete('devices', { writer } as never)
          if (what.act === 'grant') await view.put('grants', { epoch: epochs[what.epoch]!.id, writer, id: keyOf(200 + what.by), ephemeral: writer, sealed: writer })
          await view.db.flush()
          lengths.push(view.db.core.length)
        }
        if (asked === undefined) continue
        const devices = await view.all('devices')
        expect([...(await roster.devices()).values()].map(plain).toSorted()).toEqual(devices.map(plain).toSorted())
        if (asked === 'devices') continue
        const epoch = epochs[asked]!
        const missing = await roster.missingFrom(epoch)
        const present = devices.filter(({ removed }) => !removed).map(({ writer }) => toHex(writer))
        const holders = new Set([...slots[asked]!.map((i) => toHex(keyOf(i))), ...(await view.grantsOf(epoch.id)).map(({ writer }) => toHex(writer))])
        const isHeldOutside = [...holders].some((holder) => !present.includes(holder))
        const lacking = present.filter((writer) => !holders.has(writer))
        expect(missing?.map(({ writer }) => toHex(writer)).toSorted()).toEqual(isHeldOutside ? undefined : lacking.toSorted())
      }
      await view.db.close()
    }),
    { numRuns: 40 }
  )
})

function plain({ writer, removed }: DeviceRow): string {
  return `${toHex(writer)} ${removed === true}`
}

test('a view that is replaced by another while it is read is read again', async () => {
  const view = await (await openViews())()
  for (let i = 0; i < DEVICES; i++) await view.put('devices', { writer: keyOf(i), device: keyOf(i), box: keyOf(i), identity: keyOf(i), position: 0 })
  await view.db.flush()
  const roster = createRoster(view)
  const collection = definition.resolveCollection('@covey/devices') as unknown as { reconstruct(...args: unknown[]): unknown }
  const reconstruct = collection.reconstruct.bind(collection)
  let reads = 0
  vi.spyOn(collection, 'reconstruct').mockImplementation((...args) => {
    if (++reads === 2) roster.reset()
    return reconstruct(...args)
  })
  onTestFinished(() => void vi.restoreAllMocks())
  expect((await roster.devices()).size).toBe(DEVICES)
  expect(reads).toBe(2 * DEVICES)
  await roster.devices()
  expect(reads).toBe(2 * DEVICES)
  await view.db.close()
})

test('of a view that is cut off and written anew while it is read, nothing stays that is no more', { timeout: 60_000 }, async () => {
  const view = await (await openViews())()
  const put = async (i: number, removed: boolean): Promise<void> => {
    await view.put('devices', { writer: keyOf(i), device: keyOf(i), box: keyOf(i), identity: keyOf(i), position: 0, removed })
    await view.db.flush()
  }
  for (let i = 0; i < DEVICES; i++) await put(i, false)
  const roster = createRoster(view)
  const collection = definition.resolveCollection('@covey/devices') as unknown as { reconstruct(...args: unknown[]): unknown }
  const reconstruct = collection.reconstruct.bind(collection)
  let rewriting: Promise<void> | undefined
  vi.spyOn(collection, 'reconstruct').mockImplementation((...args) => {
    rewriting ??= (async () => {
      await (view.db.core as unknown as { truncate(length: number): Promise<void> }).truncate(3)
      for (let i = 0; i < 3; i++) await put(i, true)
    })()
    return reconstruct(...args)
  })
  onTestFinished(() => void vi.restoreAllMocks())
  await roster.devices()
  await rewriting
  const rows = [...(await roster.devices()).values()].map(plain).toSorted()
  expect(rows).toEqual((await view.all('devices')).map(plain).toSorted())
  expect(rows.filter((row) => row.endsWith('true')).length).toBe(3)
  await view.db.close()
})

async function movableView(store: Corestore, name: string) {
  const movable = await openMovable(store, name)
  return { movable, view: openView({ get: () => movable.session } as unknown as Parameters<typeof openView>[0]) }
}

test.each([4, 7, 20])('a view that moves to a core with %i rows, as with other indexers, is read as it is there', async (rows) => {
  const store = new Corestore(await temporaryFolder())
  await store.ready()
  onTestFinished(() => store.close())
  const [here, there] = [await movableView(store, 'here'), await movableView(store, 'there')]
  const put = async ({ view }: typeof here, i: number, removed: boolean): Promise<void> => {
    await view.put('devices', { writer: keyOf(i), device: keyOf(i), box: keyOf(i), identity: keyOf(i), position: 0, removed })
    await view.db.flush()
  }
  for (let i = 0; i < 6; i++) await put(here, i, false)
  const roster = createRoster(here.view)
  expect((await roster.devices()).size).toBe(6)
  // The other has removed somebody early.
  for (let i = 0; i < 3; i++) await put(there, i, false)
  await put(there, 2, true)
  for (let i = 3; i < rows; i++) await put(there, i, false)
  const expected = (await there.view.all('devices')).map(plain).toSorted()
  await here.movable.moveTo(there.movable)
  expect((await here.view.all('devices')).map(plain).toSorted()).toEqual(expected)
  expect([...(await roster.devices()).values()].map(plain).toSorted()).toEqual(expected)
})

test('what is read of a view that was replaced is given up where it does not come, and all questions are answered', async () => {
  const view = await (await openViews())()
  for (let i = 0; i < DEVICES; i++) await view.put('devices', { writer: keyOf(i), device: keyOf(i), box: keyOf(i), identity: keyOf(i), position: 0 })
  await view.db.flush()
  const roster = createRoster(view)
  // A block that nobody has any more.
  const never = new Promise<never>(() => undefined)
  const tree = view.db.db as unknown as UpstreamBee
  const snapshot = tree.snapshot.bind(tree)
  let asked = (): void => undefined
  const isAsked = new Promise<void>((resolve) => (asked = resolve))
  vi.spyOn(tree, 'snapshot').mockImplementationOnce((options) => {
    const one = snapshot(options)
    one.createReadStream = () => {
      asked()
      return { [Symbol.asyncIterator]: () => ({ next: () => never }) }
    }
    return one
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const answers = [roster.devices(), roster.devices()]
  await isAsked
  roster.reset()
  for (const answer of answers) expect((await answer).size).toBe(DEVICES)
  await view.db.close()
})

test('to let somebody in reads as many rows of devices and keys in a room of many as in one of few', { timeout: 120_000 }, async () => {
  const owner = await foundBy(await startDevice(net))
  expect((await owner.view.room())?.history).toBe(HISTORY.full)
  let reads = 0
  for (const name of ['@covey/devices', '@covey/grants']) {
    const collection = definition.resolveCollection(name) as unknown as { reconstruct(...args: unknown[]): unknown }
    const reconstruct = collection.reconstruct.bind(collection)
    vi.spyOn(collection, 'reconstruct').mockImplementation((...args) => {
      reads++
      return reconstruct(...args)
    })
  }
  onTestFinished(() => void vi.restoreAllMocks())
  const admit = async (): Promise<void> => {
    const { claim, identity } = await stranger(owner.base.discoveryKey!)
    const newcomer = { writer: claim.writer, box: identity.device.boxPublicKey }
    expect(await letIn(owner, newcomer, { type: 'admit', payload: admission(claim, roleNumber('member')) })).toBe(true)
  }
  // A view that is replaced, as it is once where the first indexer is named, is read anew, then or with the next who comes.
  let sinceReplaced = 2
  owner.base.on('reboot', () => (sinceReplaced = 0))
  /** The most that one of three reads. */
  const readsNow = async (): Promise<number> => {
    const each: number[] = []
    while (each.length < 3) {
      reads = 0
      await admit()
      if (sinceReplaced++ >= 2) each.push(reads)
    }
    return Math.max(...each)
  }
  for (let i = 0; i < 7; i++) await admit()
  const ofFew = await readsNow()
  for (let i = 0; i < 90; i++) await admit()
  const ofMany = await readsNow()
  expect(ofFew).toBeGreaterThan(0)
  expect((await owner.view.all('devices')).length).toBe(104)
  expect(ofMany).toBeLessThanOrEqual(ofFew + 5)
})

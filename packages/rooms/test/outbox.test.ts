import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { expect, onTestFinished, test } from 'vitest'
import { hash, randomBytes } from '../src/internal/crypto.js'
import { openOutbox, type Unsent } from '../src/internal/outbox.js'
import { temporaryFolder } from './support.js'

const KEY = randomBytes(32)
const idOf = (op: Uint8Array): Uint8Array => hash('test', op)

async function openCore(folder: string): Promise<{ core: Hypercore<unknown>; close: () => Promise<void> }> {
  const store = new Corestore(folder)
  const core = store.get({ name: 'own' })
  await core.ready()
  const close = () => store.close()
  onTestFinished(close)
  return { core: core as Hypercore<unknown>, close }
}

/** Ops of which each names the one before. */
function chain(...texts: string[]): Unsent[] {
  let previous: Uint8Array | undefined
  return texts.map((text) => {
    const bytes = new TextEncoder().encode(text)
    const op = { id: idOf(bytes), bytes, previous }
    previous = op.id
    return op
  })
}

const texts = (ops: readonly Unsent[]): string[] => ops.map(({ bytes }) => new TextDecoder().decode(bytes))

test('what was put is there after a restart, from where the core ends', async () => {
  const folder = await temporaryFolder()
  const { core, close } = await openCore(folder)
  const [one, two, three] = chain('one', 'two', 'three') as [Unsent, Unsent, Unsent]
  const outbox = await openOutbox(core, KEY, idOf)
  expect(outbox.isEmpty()).toBe(true)
  await Promise.all([outbox.put([one]), outbox.put([two, three])])
  await close()

  const again = await openCore(folder)
  const left = async (last: Uint8Array | undefined) => texts((await openOutbox(again.core, KEY, idOf)).after(last))
  expect(await left(undefined)).toEqual(['one', 'two', 'three'])
  expect(await left(one.id)).toEqual(['two', 'three'])
  // All of it is in the core, or the core has gone another way.
  expect(await left(three.id)).toEqual([])
  expect(await left(randomBytes(32))).toEqual([])
})

test('what was removed is written no more, and leaves the disk with the next', async () => {
  const folder = await temporaryFolder()
  const { core, close } = await openCore(folder)
  const [one, two] = chain('one', 'two') as [Unsent, Unsent]
  const outbox = await openOutbox(core, KEY, idOf)
  await outbox.put([one])
  outbox.remove([one])
  expect(outbox.isEmpty()).toBe(true)
  await outbox.put([two])
  await close()
  const again = await openCore(folder)
  const opened = await openOutbox(again.core, KEY, idOf)
  expect(opened.after(undefined)).toEqual([])
  expect(texts((await openOutbox(again.core, KEY, idOf)).after(one.id))).toEqual(['two'])
})

test('it has an end', async () => {
  const { core } = await openCore(await temporaryFolder())
  const outbox = await openOutbox(core, KEY, idOf)
  expect(outbox.hasRoom(262_144)).toBe(true)
  const [large] = chain('x'.repeat(200_000)) as [Unsent]
  await outbox.put([large])
  expect(outbox.hasRoom(62_144)).toBe(true)
  expect(outbox.hasRoom(62_145)).toBe(false)
  outbox.remove([large])
  expect(outbox.hasRoom(262_144)).toBe(true)
})

test('on the disk it is sealed, and what cannot be read is nothing', async () => {
  const { core } = await openCore(await temporaryFolder())
  const outbox = await openOutbox(core, KEY, idOf)
  await outbox.put(chain('a text that is told as sent'))
  const stored = (await core.getUserData('covey/outbox'))!
  expect(Buffer.from(stored).includes('a text that')).toBe(false)
  expect((await openOutbox(core, randomBytes(32), idOf)).isEmpty()).toBe(true)
  for (const damaged of [stored.subarray(0, 10), new Uint8Array(0), randomBytes(200)]) {
    await core.setUserData('covey/outbox', Buffer.from(damaged))
    expect((await openOutbox(core, KEY, idOf)).isEmpty()).toBe(true)
  }
})

test('a write that fails is told to who waits for it, and the next one succeeds', async () => {
  const { core } = await openCore(await temporaryFolder())
  const outbox = await openOutbox(core, KEY, idOf)
  const [one, two] = chain('one', 'two') as [Unsent, Unsent]
  const set = core.setUserData.bind(core)
  core.setUserData = () => Promise.reject(new Error('full'))
  await expect(outbox.put([one])).rejects.toThrow('full')
  core.setUserData = set
  await outbox.put([two])
  expect(texts((await openOutbox(core, KEY, idOf)).after(undefined))).toEqual(['one', 'two'])
})

import fc from 'fast-check'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Room } from '@covey/rooms'
import { makeHeader } from '../src/internal/bundle/seal.js'
import { openedOf, partedRoom, signedView, variant, viewHash } from './support-bundles.js'
import { allOf, codeOf, countingSignal, messagesOf, open, start, temporaryFolder, textsOf, toHex, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()
const desert = useLocalNetwork()

/** From whom to whom a stick goes, and whether it has only what the other lacks. */
const walk = fc.record({ from: fc.nat(2), to: fc.nat(2), isSince: fc.boolean() })
const round = fc.record({ writes: fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5)), walks: fc.array(walk, { maxLength: 5 }) })
/** How often everything is carried everywhere: a device may say something because of what it has just read. */
const MAX_ROUNDS = 4

/** Carries until all have the same view. */
async function untilSame(peers: readonly TestPeer[], id: string, carryAll: () => Promise<void>): Promise<void> {
  let hashes: string[] = []
  for (let i = 0; i < MAX_ROUNDS && new Set(hashes).size !== 1; i++) {
    await carryAll()
    hashes = await Promise.all(peers.map((peer) => viewHash(peer, id)))
  }
  expect(new Set(hashes).size).toBe(1)
}

/** Brings everything everywhere, whatever came before. */
const RING = [0, 1, 2, 0, 1].map((from) => ({ from, to: (from + 1) % 3, isSince: false }))

test('three who never meet come to one room, in whatever order bundles are carried', { timeout: 120_000 }, async () => {
  const stick = await temporaryFolder()
  const peers = await Promise.all(['Alice', 'Bob', 'Carol'].map((name) => start(net, name)))
  const [{ id }] = (await partedRoom(...peers)) as [Room, ...Room[]]
  const rooms = peers.map(({ rooms }) => rooms.get(id)!)
  const written: string[] = []

  async function carry({ from, to, isSince }: { from: number; to: number; isSince: boolean }): Promise<void> {
    const path = join(stick, `${from} to ${to}`)
    await rooms[from]!.exportBundle(path, isSince ? { since: await rooms[to]!.bundleSummary() } : {})
    const { room, skipped } = await peers[to]!.rooms.importBundle(path)
    expect(room).toBe(rooms[to])
    expect(skipped).toBe(0)
  }

  await fc.assert(
    fc.asyncProperty(round, async ({ writes, walks }) => {
      for (const [peer, count] of writes.entries()) {
        for (let i = 0; i < count; i++) {
          const text = `${written.length} of ${peer}`
          written.push(text)
          const { id: sent } = await rooms[peer]!.send(text)
          if (i % 2 === 1) await rooms[peer]!.react(sent, '🫖')
        }
      }
      for (const step of walks) await carry(step)
      await untilSame(peers, id, async () => {
        for (const step of RING) await carry(step)
      })
      const texts = await Promise.all(rooms.map((room) => textsOf(room)))
      expect(texts[0]!.toSorted()).toEqual(written.toSorted())
      expect(texts[1]).toEqual(texts[0])
      expect(texts[2]).toEqual(texts[0])
    }),
    { numRuns: 6, endOnFailure: true }
  )
  // What the owner's device signs travels in its log, so that the others have the same signed view.
  const lengths = await Promise.all(peers.map(async (peer) => (await signedView(peer, id)).length))
  const least = Math.min(...lengths)
  expect(least).toBeGreaterThan(0)
  const signed = await Promise.all(peers.map((peer) => signedView(peer, id, least)))
  expect(new Set(signed.map(({ hash }) => hash)).size).toBe(1)
})

test('who is away reads what a stick brings with nobody there, of members also who came meanwhile', { timeout: 60_000 }, async () => {
  const path = join(await temporaryFolder(), 'tea.bundle')
  const [alice, bob] = await Promise.all([start(net, 'Alice'), start(net, 'Bob')])
  const hers = await alice.rooms.create({ name: 'Tea' })
  const { id } = await bob.rooms.join(await hers.createInvite())
  await bob.close()
  const carols: Room[] = []
  for (const name of ['Carol', 'Dave', 'Erin']) {
    const newcomer = await start(net, name)
    const room = await newcomer.rooms.join(await hers.createInvite())
    carols.push(room)
    await room.send(`hello of ${name}`)
    await allOf(hers, [`hello of ${name}`])
  }
  await hers.send('all are here')
  await hers.edit((await hers.send('writen')).id, 'written')
  await hers.exportBundle(path)

  const away = await open(bob.person, desert)
  const { room, blocks, skipped } = await away.rooms.importBundle(path)
  expect(blocks).toBeGreaterThan(5)
  expect(skipped).toBe(0)
  expect(room.id).toBe(id)
  expect(await textsOf(room)).toEqual(await textsOf(hers))
  expect((await room.members()).length).toBe(5)
  // And answers, for who has the rest already.
  await room.send('so I hear')
  const answer = `${path}.answer`
  const { summary } = await away.rooms.importBundle(path)
  const { blocks: answered } = await room.exportBundle(answer, { since: summary })
  expect(answered).toBeLessThan(5)
  await alice.node.suspend()
  expect(await alice.rooms.importBundle(answer)).toMatchObject({ blocks: answered, skipped: 0 })
  expect((await textsOf(hers)).at(-1)).toBe('so I hear')
  await untilSame([alice, away], id, async () => {
    await hers.exportBundle(path, { since: await room.bundleSummary() })
    await away.rooms.importBundle(path)
    await room.exportBundle(path, { since: await hers.bundleSummary() })
    await alice.rooms.importBundle(path)
  })
})

test('who has the view of a room, and not its log, is brought what comes after it', { timeout: 60_000 }, async () => {
  const path = join(await temporaryFolder(), 'tea.bundle')
  const [alice, bob] = await Promise.all([start(net, 'Alice'), start(net, 'Bob')])
  const hers = await alice.rooms.create({ name: 'Tea' })
  const before = Array.from({ length: 20 }, (_, i) => `before ${i}`)
  for (const text of before) await hers.send(text)
  const his = await bob.rooms.join(await hers.createInvite())
  await allOf(his, before)
  await Promise.all([alice.node.suspend(), bob.node.suspend()])
  const copy = openedOf(bob, his.id).base.store.get({ key: openedOf(alice, his.id).base.local.key, active: false })
  await copy.ready()
  // As a fast-forward leaves it: the room has been read, and its log is not here.
  await copy.clear(0, copy.length)
  expect(copy.contiguousLength).toBe(0)
  await copy.close()
  await hers.send('after')
  await hers.exportBundle(path, { since: await his.bundleSummary() })
  expect(await bob.rooms.importBundle(path)).toMatchObject({ skipped: 0 })
  expect((await textsOf(his)).at(-1)).toBe('after')
  // What he carries on begins there.
  const carried = await his.exportBundle(path)
  expect(carried.blocks).toBeLessThan(before.length)
  expect(await alice.rooms.importBundle(path)).toMatchObject({ skipped: 0 })
})

async function pair(): Promise<{ alice: TestPeer; bob: TestPeer; hers: Room; his: Room; path: string }> {
  const [alice, bob] = await Promise.all([start(net, 'Alice'), start(net, 'Bob')])
  const [hers, his] = (await partedRoom(alice, bob)) as [Room, Room]
  return { alice, bob, hers, his, path: join(await temporaryFolder(), 'tea.bundle') }
}

test('a bundle has only what the other lacks, and what is there already is not written again', { timeout: 60_000 }, async () => {
  const { bob, hers, his, path } = await pair()
  for (let i = 0; i < 40; i++) await hers.send(`first ${i}`)
  await hers.exportBundle(`${path}1`)
  for (let i = 0; i < 40; i++) await hers.send(`second ${i}`)
  const whole = await hers.exportBundle(`${path}2`)
  const since = await his.bundleSummary()
  await bob.rooms.importBundle(`${path}1`)
  // One from before and one from within what a bundle has.
  const part = await hers.exportBundle(`${path}3`, { since })
  const rest = await hers.exportBundle(`${path}4`, { since: await his.bundleSummary() })
  expect(rest.blocks).toBeLessThan(part.blocks)
  expect(part.blocks).toBeLessThanOrEqual(whole.blocks)
  expect(rest.bytes).toBeLessThan(whole.bytes)
  expect(await bob.rooms.importBundle(`${path}3`)).toMatchObject({ blocks: rest.blocks, skipped: 0 })
  for (const older of [1, 2, 4, 3]) expect(await bob.rooms.importBundle(`${path}${older}`)).toMatchObject({ blocks: 0, skipped: 0 })
  expect((await textsOf(his)).length).toBe(80)
  expect(await hers.exportBundle(`${path}5`, { since: await his.bundleSummary() })).toMatchObject({ blocks: 0 })
})

test('what is cut short or damaged is refused, loses nothing, and is made good by the whole', { timeout: 120_000 }, async () => {
  const { bob, hers, his, path } = await pair()
  for (let i = 0; i < 30; i++) await hers.send('x'.repeat(5_000) + i)
  await hers.exportBundle(path)
  const bytes = new Uint8Array(await readFile(path))
  const ends = [0, 1, 60, 61, 64, 100, 400, ...Array.from({ length: 12 }, (_, i) => Math.floor((bytes.length * (i + 1)) / 13)), bytes.length - 1]
  for (const end of ends) {
    expect(await codeOf(async () => bob.rooms.importBundle(await variant(path, bytes.subarray(0, end)))), `cut at ${end}`).toBe('BUNDLE_MALFORMED')
  }
  for (const at of [0, 13, 46, 61, 63, 64, 70, Math.floor(bytes.length / 2), bytes.length - 1]) {
    const flipped = bytes.slice()
    flipped[at]! ^= 1
    const code = at >= 13 && at < 61 ? 'BUNDLE_FOREIGN' : 'BUNDLE_MALFORMED'
    expect(await codeOf(async () => bob.rooms.importBundle(await variant(path, flipped))), `flipped at ${at}`).toBe(code)
  }
  const later = bytes.slice()
  later[12] = 2
  expect(await codeOf(async () => bob.rooms.importBundle(await variant(path, later)))).toBe('BUNDLE_UNSUPPORTED')
  expect(await bob.rooms.importBundle(path)).toMatchObject({ skipped: 0 })
  expect((await textsOf(his)).length).toBe(30)
})

test('a bundle is for the room that it is of, and tells nobody else which that is', { timeout: 60_000 }, async () => {
  const { alice, bob, hers, his, path } = await pair()
  await hers.send('a word')
  const other = await alice.rooms.create({ name: 'Coffee' })
  await other.exportBundle(path)
  expect(await codeOf(() => bob.rooms.importBundle(path))).toBe('BUNDLE_FOREIGN')
  expect(await codeOf(async () => hers.exportBundle(path, { since: await other.bundleSummary() }))).toBe('BUNDLE_MALFORMED')
  expect(await codeOf(() => hers.exportBundle(path, { since: Uint8Array.of(9) }))).toBe('BUNDLE_UNSUPPORTED')
  expect(await codeOf(() => hers.exportBundle(path, { since: new Uint8Array() }))).toBe('BUNDLE_MALFORMED')
  // Nothing of a bundle is the same in two of one room, but for what all bundles begin with.
  await hers.exportBundle(`${path}1`)
  await hers.exportBundle(`${path}2`)
  const [one, two] = await Promise.all([readFile(`${path}1`), readFile(`${path}2`)])
  const shared = new Set(windowsOf(one.subarray(13)))
  expect(windowsOf(two.subarray(13)).some((window) => shared.has(window))).toBe(false)
  const { base } = openedOf(bob, his.id)
  for (const known of [base.key!, base.discoveryKey!, base.local.key, openedOf(alice, hers.id).base.local.key]) expect(one.includes(toHex(known), 0, 'hex')).toBe(false)
  expect(one.subarray(0, 13)).toEqual(Buffer.from(makeHeader(base.encryptionKey!).bytes.subarray(0, 13)))
})

function windowsOf(bytes: Uint8Array): string[] {
  return Array.from({ length: bytes.length - 8 }, (_, i) => Buffer.from(bytes.subarray(i, i + 8)).toString('hex'))
}

test('a file is whole or not there, and failures have codes', { timeout: 60_000 }, async () => {
  const { bob, hers, path } = await pair()
  const folder = join(path, '..')
  await hers.send('a word')
  expect(await codeOf(() => hers.exportBundle(join(folder, 'nowhere', 'x')))).toBe('BUNDLE_NOT_WRITTEN')
  await mkdir(join(folder, 'full', 'x'), { recursive: true })
  expect(await codeOf(() => hers.exportBundle(join(folder, 'full')))).toBe('BUNDLE_NOT_WRITTEN')
  expect(await codeOf(() => bob.rooms.importBundle(path))).toBe('BUNDLE_UNREADABLE')
  expect(await codeOf(() => bob.rooms.importBundle(folder))).toBe('BUNDLE_UNREADABLE')
  for (const bad of [{ since: 'x' }, { signal: 1 }, { extra: 1 }]) expect(await codeOf(() => hers.exportBundle(path, bad as never))).toBe('TypeError')
  for (const bad of ['', 7]) expect(await codeOf(() => bob.rooms.importBundle(bad as string))).toBe('TypeError')
  expect(await readdir(folder)).toEqual(['full'])
  await writeFile(path, 'older')
  await hers.exportBundle(path)
  expect(await readdir(folder)).toEqual(['full', 'tea.bundle'])
  await bob.rooms.importBundle(path)
  await hers.close()
  expect(await codeOf(() => hers.exportBundle(path))).toBe('ROOM_CLOSED')
  await bob.close()
  expect(await codeOf(() => bob.rooms.importBundle(path))).toBe('ROOM_CLOSED')
})

test('an import that was stopped, or runs twice at once, is gone on with', { timeout: 60_000 }, async () => {
  const { bob, hers, his, path } = await pair()
  for (let i = 0; i < 200; i++) await hers.send('x'.repeat(4_000) + i)
  const { blocks } = await hers.exportBundle(path)
  const { controller, signal, listenerCount } = countingSignal()
  let asked = 0
  const stopping = new Proxy(signal, {
    get(target, name) {
      // Stopped in the middle, by how often it was looked whether it is.
      if (name === 'aborted' && ++asked === 12) controller.abort(new Error('the stick was pulled'))
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
  await expect(bob.rooms.importBundle(path, { signal: stopping })).rejects.toThrow('the stick was pulled')
  expect(listenerCount()).toBe(0)
  const results = await Promise.all([bob.rooms.importBundle(path), bob.rooms.importBundle(path)])
  expect(results.every(({ skipped }) => skipped === 0)).toBe(true)
  // Whichever was first; of the other nothing was new.
  const [none, rest] = results.map((result) => result.blocks).toSorted((a, b) => a - b) as [number, number]
  expect(none).toBe(0)
  expect(rest).toBeLessThanOrEqual(blocks)
  expect((await messagesOf(his)).length).toBe(200)
  await expect(hers.exportBundle(path, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
})

import { execFileSync } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { BLOCK_BYTES, type SharedFile } from '@covey/files'
import { codeOf, collect, connect, digest, digestOf, startPeer, until, useLocalNetwork, writeRandom, type Peer } from './support.js'

const local = useLocalNetwork()
const SIZE = 20 * BLOCK_BYTES + 5
const HOUR_MS = 3_600_000

describe('what is not to be kept', () => {
  it('is gone when it has been read, is given to nobody, and can be read again', async () => {
    const [alice, bob, carol] = [await startPeer(local), await startPeer(local, { holding: 'none' }), await startPeer(local)]
    await connect(bob, alice, carol)
    const { file, bytes } = await share(alice, bob)
    const stream = file.stream()[Symbol.asyncIterator]()
    await stream.next()
    expect((await file.progress()).receivedBytes).toBeGreaterThan(0)
    await stream.return?.()
    expect(await keptBy(bob)).toEqual([])
    for (let i = 0; i < 2; i++) {
      expect(digest(await file.bytes({ maxBytes: SIZE }))).toBe(digest(bytes))
      expect(await file.progress()).toMatchObject({ state: 'idle', receivedBytes: 0, totalBytes: SIZE })
      expect(await keptBy(bob)).toEqual([])
    }
    await alice.close()
    const wanted = carol.files.open(file.content)
    const reading = codeOf(() => wanted.bytes({ maxBytes: SIZE, signal: AbortSignal.timeout(1_500) }))
    expect((await until(wanted, ({ state }) => state === 'waiting')).holders).toBe(0)
    expect(await reading).toBe(23)
  })

  it('stays where it was saved, and nothing else does, nor of what was not saved whole', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local, { holding: 'none' })]
    await connect(bob, alice)
    const { file, bytes } = await share(alice, bob)
    const [saved, other] = await Promise.all([file.saveTo(bob.desk), file.saveTo(bob.desk, { name: 'other' })])
    expect([await digestOf(saved), await digestOf(other)]).toEqual([digest(bytes), digest(bytes)])
    expect(await keptBy(bob)).toEqual([])
    expect((await file.progress()).receivedBytes).toBe(0)

    await alice.close()
    const stopped = new AbortController()
    const saving = codeOf(() => file.saveTo(bob.desk, { name: 'never', signal: stopped.signal }))
    await until(file, ({ state }) => state === 'waiting')
    stopped.abort(Object.assign(new Error('enough'), { code: 'enough' }))
    expect(await saving).toBe('enough')
    expect((await readdir(bob.desk)).sort()).toEqual(['film', 'other'])
    expect(await keptBy(bob)).toEqual([])
  })

  it('is nothing of what this device shares', async () => {
    const alice = await startPeer(local, { holding: 'none' })
    const file = await alice.files.share(new Uint8Array(SIZE))
    await until(file, ({ state }) => state === 'whole')
    expect((await collect(file.stream())).length).toBe(SIZE)
    expect(await file.progress()).toMatchObject({ state: 'whole', receivedBytes: SIZE })
  })

  it('is kept for as long as somebody reads it', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { file } = await share(alice, bob, 'tea')
    const [one, other] = [file.stream()[Symbol.asyncIterator](), file.stream()[Symbol.asyncIterator]()]
    await Promise.all([one.next(), other.next()])
    await bob.files.setHolding('tea', 'none')
    await one.return?.()
    expect((await file.progress()).receivedBytes).toBeGreaterThan(0)
    await other.return?.()
    expect(await keptBy(bob)).toEqual(['holdings'])
  })
})

describe('what is kept for a time', () => {
  it('is gone when that is over', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local, { holding: { forMs: 3_000 } })]
    await connect(bob, alice)
    const { file } = await share(alice, bob)
    await file.bytes({ maxBytes: SIZE })
    expect(await keptBy(bob)).not.toEqual([])
    await expect.poll(() => keptBy(bob), { timeout: 20_000 }).toEqual([])
  })

  it('is counted from when it was used, over restarts', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local, { holding: { forMs: HOUR_MS } })]
    await connect(bob, alice)
    const { file } = await share(alice, bob)
    await file.bytes({ maxBytes: SIZE })
    const again = await bob.restart()
    expect((await again.files.get(file.id)!.progress()).state).toBe('whole')
    await again.close()
    const later = Date.now() + HOUR_MS
    const now = vi.spyOn(Date, 'now').mockImplementation(() => later)
    const last = await again.restart().finally(() => now.mockRestore())
    expect(await keptBy(last)).toEqual([])
    expect((await last.files.get(file.id)!.progress()).receivedBytes).toBe(0)
  })
})

describe('what is offered in several groups', () => {
  it('is kept as the one says that keeps it for longest, over restarts', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local, { holding: 'none' })]
    await connect(bob, alice)
    const { file } = await share(alice, bob, 'tea')
    bob.files.open(file.content, { group: 'work' })
    await bob.files.setHolding('work', 'keep')
    await bob.files.setHolding('other', { forMs: 5 })
    await file.bytes({ maxBytes: SIZE })
    const again = await bob.restart()
    expect(['tea', 'work', 'other'].map((group) => again.files.holdingOf(group))).toEqual(['none', 'keep', { forMs: 5 }])
    const kept = again.files.get(file.id)!
    expect((await kept.progress()).state).toBe('whole')
    // Of a group that it is not in.
    await again.files.setHolding('other', 'none')
    expect((await kept.progress()).state).toBe('whole')
    await again.files.setHolding('work', null)
    expect(again.files.holdingOf('work')).toBe('none')
    expect((await kept.progress()).receivedBytes).toBe(0)
    expect(await keptBy(again)).toEqual(['holdings'])
  })

  it('is kept where it is not known any more what they say, and that is told of', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local, { holding: 'none' })]
    await connect(bob, alice)
    const { file } = await share(alice, bob, 'tea')
    await bob.files.setHolding('tea', 'keep')
    await file.bytes({ maxBytes: SIZE })
    await bob.close()
    await writeFile(join(bob.folder, 'files', 'holdings'), 'spoilt')
    const again = await bob.restart()
    expect((await again.files.once('error')).code).toBe('STORAGE_FAILED')
    expect((await again.files.get(file.id)!.progress()).state).toBe('whole')
  })
})

it('forgetting gives the room on the disk back', async () => {
  const [alice, bob] = [await startPeer(local), await startPeer(local)]
  await connect(bob, alice)
  const before = [diskOf(alice), diskOf(bob)]
  const own = await alice.files.share(new Uint8Array(64 * BLOCK_BYTES).fill(7))
  const file = bob.files.open(own.content)
  await file.bytes({ maxBytes: 64 * BLOCK_BYTES })
  await until(own, ({ state }) => state === 'whole')
  for (const [index, peer] of [alice, bob].entries()) expect(diskOf(peer) - before[index]!).toBeGreaterThan(64 * BLOCK_BYTES * 0.99)
  await Promise.all([own.forget(), file.forget()])
  for (const [index, peer] of [alice, bob].entries()) expect(diskOf(peer) - before[index]!).toBeLessThan(64 * BLOCK_BYTES * 0.02)
})

it('forgetting is for good, also where somebody still reads', async () => {
  const [alice, bob] = [await startPeer(local), await startPeer(local, { holding: { forMs: HOUR_MS } })]
  await connect(bob, alice)
  const own = await alice.files.share(new Uint8Array(40 * BLOCK_BYTES))
  const file = bob.files.open(own.content)
  const stream = file.stream()[Symbol.asyncIterator]()
  await stream.next()
  await Promise.all([file.forget(), file.forget()])
  await file.forget()
  const readOn = async (): Promise<void> => {
    while (!(await stream.next()).done);
  }
  expect(await codeOf(readOn)).toBe('FILE_FORGOTTEN')
  expect(await keptBy(bob)).toEqual([])
})

it('what is no holding is refused', async () => {
  const bob = await startPeer(local)
  for (const holding of ['always', 5, undefined, {}, { forMs: 0 }, { forMs: 1.5 }, { forMs: 5, other: 1 }]) {
    expect(await codeOf(() => bob.files.setHolding('tea', holding as never))).toBe('TypeError')
  }
  for (const group of ['', 'x'.repeat(256), 5]) expect(await codeOf(() => bob.files.setHolding(group as never, 'keep'))).toBe('TypeError')
  expect(await codeOf(() => startPeer(local, { holding: 'always' as never }))).toBe('TypeError')
  expect(bob.files.holdingOf('tea')).toBe('keep')
  await bob.close()
  expect(await codeOf(() => bob.files.setHolding('tea', 'none'))).toBe('FILES_CLOSED')
})

/** A file of random bytes that the one shares, as the other sees it. */
async function share(from: Peer, to: Peer, group?: string): Promise<{ file: SharedFile; bytes: Uint8Array }> {
  const { path, bytes } = await writeRandom(from, 'film', SIZE)
  const { content } = await from.files.share(path)
  return { file: to.files.open(content, group === undefined ? {} : { group }), bytes }
}

/** What is in the folder of the files. */
async function keptBy(peer: Peer): Promise<string[]> {
  return readdir(join(peer.folder, 'files'))
}

/** How much room a peer's folder takes on the disk, in bytes. */
function diskOf(peer: Peer): number {
  return 1024 * Number.parseInt(execFileSync('du', ['-sk', peer.folder], { encoding: 'utf8' }), 10)
}

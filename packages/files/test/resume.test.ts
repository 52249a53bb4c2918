import { spawnSync } from 'node:child_process'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { BLOCK_BYTES } from '@covey/files'
import { codeOf, collect, connect, digest, digestOf, startPeer, temporaryFolder, until, useLocalNetwork, writeRandom } from './support.js'

const local = useLocalNetwork()
const BLOCKS = 24
const SIZE = BLOCKS * BLOCK_BYTES

describe('saving', () => {
  it('goes on where it was, after a restart, with the source away meanwhile', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'film', SIZE)
    const shared = await alice.files.share(path)
    await until(shared, ({ state }) => state === 'whole')
    // A third of it is there, and then the source is gone.
    const before = bob.files.open(shared.content)
    await collect(before.stream({ end: SIZE / 3 }))
    await alice.close()
    const stopped = new AbortController()
    const saving = codeOf(() => before.saveTo(bob.desk, { signal: stopped.signal }))
    while ((await readdir(bob.desk)).length === 0) await before.once('progress')
    const waiting = await until(before, ({ state }) => state === 'waiting')
    expect(waiting).toMatchObject({ holders: 0, receivedBytes: SIZE / 3, totalBytes: SIZE })
    stopped.abort(Object.assign(new Error('enough'), { code: 'enough' }))
    expect(await saving).toBe('enough')
    expect(await readdir(bob.desk)).toEqual([`.${before.id}.covey-part`])

    const [aliceAgain, bobAgain] = [await alice.restart(), await bob.restart()]
    const after = bobAgain.files.get(before.id)!
    expect(await after.progress()).toMatchObject({ state: 'idle', receivedBytes: SIZE / 3 })
    let received = 0
    const done = after.saveTo(bobAgain.desk)
    after.on('progress', ({ receivedBytes }) => (received = Math.max(received, receivedBytes)))
    await connect(bobAgain, aliceAgain)
    expect(await digestOf(await done)).toBe(digest(bytes))
    expect(await readdir(bob.desk)).toEqual(['film'])
    expect(received).toBe(SIZE)
  })

  it.for(['the same disk', 'another disk'])('goes on in another folder, on %s, with what has arrived', async (disk, { skip }) => {
    const other = await temporaryFolder()
    if (disk === 'another disk') {
      if (spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', other]).status !== 0) skip('another disk cannot be mounted here')
      onTestFinished(() => void spawnSync('umount', ['-l', other]))
    }
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'film', SIZE)
    const file = bob.files.open((await alice.files.share(path)).content)
    await collect(file.stream({ end: SIZE / 3 }))
    await alice.close()
    for (const folder of [bob.desk, other]) {
      const stopped = new AbortController()
      const saving = codeOf(() => file.saveTo(folder, { signal: stopped.signal }))
      while ((await readdir(folder)).length === 0) await file.once('progress')
      expect(await until(file, ({ state }) => state === 'waiting')).toMatchObject({ receivedBytes: SIZE / 3 })
      stopped.abort(Object.assign(new Error('enough'), { code: 'enough' }))
      expect(await saving).toBe('enough')
      expect(await readdir(folder)).toEqual([`.${file.id}.covey-part`])
    }
    expect(await readdir(bob.desk)).toEqual([])
    await connect(bob, await alice.restart())
    expect(await digestOf(await file.saveTo(other))).toBe(digest(bytes))
    expect(await readdir(other)).toEqual(['film'])
  })

  it('where what has arrived is gone, fetches it again', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'film', SIZE)
    const file = bob.files.open((await alice.files.share(path)).content)
    await collect(file.stream({ end: SIZE / 3 }))
    const gone = await temporaryFolder()
    const stopped = new AbortController()
    await alice.close()
    const saving = codeOf(() => file.saveTo(gone, { signal: stopped.signal }))
    while ((await readdir(gone)).length === 0) await file.once('progress')
    stopped.abort(Object.assign(new Error('enough'), { code: 'enough' }))
    expect(await saving).toBe('enough')
    await rm(gone, { recursive: true })
    await connect(bob, await alice.restart())
    expect(await digestOf(await file.saveTo(bob.desk))).toBe(digest(bytes))
  })

  it('fetches again what somebody has spoilt of what was there', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'film', SIZE)
    const { content } = await alice.files.share(path)
    const file = bob.files.open(content)
    await collect(file.stream({ end: SIZE / 2 }))
    await alice.close()
    const stopped = new AbortController()
    const saving = codeOf(() => file.saveTo(bob.desk, { signal: stopped.signal }))
    while ((await readdir(bob.desk)).length === 0) await file.once('progress')
    stopped.abort(Object.assign(new Error('enough'), { code: 'enough' }))
    expect(await saving).toBe('enough')
    const [part] = await readdir(bob.desk)
    const spoilt = await readFile(join(bob.desk, part!))
    spoilt.fill(7, BLOCK_BYTES, BLOCK_BYTES + 100)
    await writeFile(join(bob.desk, part!), spoilt)
    await connect(bob, await alice.restart())
    expect(await digestOf(await file.saveTo(bob.desk, { name: 'again' }))).toBe(digest(bytes))
  })

  it('overwrites nothing, and leaves nothing behind', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const file = bob.files.open((await alice.files.share(Buffer.from('new'), { name: '../a.txt' })).content)
    await writeFile(join(bob.desk, '_a.txt'), 'old')
    expect(await file.saveTo(bob.desk)).toBe(join(bob.desk, '_a (2).txt'))
    expect(await file.saveTo(bob.desk)).toBe(join(bob.desk, '_a (3).txt'))
    expect(await readFile(join(bob.desk, '_a.txt'), 'utf8')).toBe('old')
    expect((await readdir(bob.desk)).sort()).toEqual(['_a (2).txt', '_a (3).txt', '_a.txt'])
    expect(await codeOf(() => file.saveTo(join(bob.desk, 'nowhere')))).toBe('FILE_NOT_FOUND')
    expect(await codeOf(() => file.saveTo(join(bob.desk, '_a.txt')))).toBe('FILE_NOT_FOUND')
  })
})

describe('sharing', () => {
  it('goes on after a restart in the middle of reading', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    const { path, bytes } = await writeRandom(alice, 'film', 8 * SIZE)
    const shared = await alice.files.share(path)
    const again = await alice.restart()
    await connect(bob, again)
    expect(digest(await bob.files.open(shared.content).bytes({ maxBytes: 8 * SIZE }))).toBe(digest(bytes))
  })
})

describe('several holders', () => {
  it('give at the same time', async () => {
    const [alice, bob, carol] = [await startPeer(local), await startPeer(local), await startPeer(local)]
    await connect(alice, bob, carol)
    const { path, bytes } = await writeRandom(alice, 'film', SIZE)
    const { content, id } = await alice.files.share(path)
    await bob.files.open(content).bytes({ maxBytes: SIZE })
    await connect(bob, carol)
    const file = carol.files.open(content)
    const seen = until(file, ({ holders }) => holders === 2)
    expect(digest(await file.bytes({ maxBytes: SIZE }))).toBe(digest(bytes))
    expect((await seen).holders).toBe(2)
    expect(bob.files.get(id)).toBeDefined()
  })
})

describe('forgetting', () => {
  it('gives the room on the disk back, and the file to nobody any more', async () => {
    const [alice, bob, carol] = [await startPeer(local), await startPeer(local), await startPeer(local)]
    await connect(bob, alice, carol)
    const { path } = await writeRandom(alice, 'film', SIZE)
    const { content, id } = await alice.files.share(path)
    const file = bob.files.open(content)
    await file.bytes({ maxBytes: SIZE })
    const folder = join(bob.folder, 'files')
    // A record that is just being replaced is there twice.
    expect((await readdir(folder)).filter((name) => !name.endsWith('.new')).sort()).toEqual([id, `${id}.record`])
    await file.forget()
    expect(await readdir(folder)).toEqual([])
    expect(bob.files.list()).toEqual([])
    expect(await codeOf(() => file.bytes({ maxBytes: SIZE }))).toBe('FILE_FORGOTTEN')
    await alice.close()
    const wanted = carol.files.open(content)
    const reading = codeOf(() => wanted.bytes({ maxBytes: SIZE, signal: AbortSignal.timeout(1_500) }))
    expect((await until(wanted, ({ state }) => state === 'waiting')).holders).toBe(0)
    expect(await reading).toBe(23)
  })

  it('leaves nothing of what is still coming, and the file can be had again at once', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'film', 6 * SIZE)
    const { content } = await alice.files.share(path)
    const file = bob.files.open(content)
    const saving = codeOf(() => file.saveTo(bob.desk))
    while ((await file.progress()).receivedBytes === 0) await file.once('progress')
    await file.forget()
    expect(await saving).toBe('FILE_FORGOTTEN')
    expect(await readdir(bob.desk)).toEqual([])
    const again = bob.files.open(content)
    expect(await digestOf(await again.saveTo(bob.desk))).toBe(digest(bytes))
    expect(await readdir(bob.desk)).toEqual(['film'])
  })
})

import { spawnSync } from 'node:child_process'
import { chmod, mkdir, open, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fileContent, folderContent, MAX_FILE_BYTES, type Folder, type FolderChange, type Peer, type Room } from 'covey'
import { codeOf, start, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const MIB = 2 ** 20

async function roomWith(): Promise<{ peer: Peer; room: Room; folder: Folder; desk: string }> {
  const peer = await start({ network: net.network, name: 'Mallory', storage: await temporaryFolder() })
  const room = await peer.rooms.create({ name: 'Tea' })
  return { peer, room, folder: await room.files.folder('Photos'), desk: await temporaryFolder() }
}

/** An offer of a file that this peer has. */
async function offerOf(peer: Peer, text: string): Promise<NonNullable<FolderChange['offer']>> {
  return fileContent.read((await peer.files.share(new TextEncoder().encode(text))).content)!
}

/** What is in a directory and below, hidden or not. */
async function allIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1)).sort()
}

describe('what a member writes to a folder', () => {
  it('is left out where its path is not safe, and the rest of the message counts', async () => {
    const { peer, room, folder, desk } = await roomWith()
    const offer = await offerOf(peer, 'x')
    const paths = ['../up', '/etc/passwd', 'a/../../b', '.bashrc', 'a/.git/hooks/x', 'C:\\x', 'nul', 'a\u202Egnp', 'x'.repeat(300), '', 'a//b', 'é'.normalize('NFD'), 'd/'.repeat(40) + 'x']
    const changes = [...paths, 'good.txt'].map((path) => ({ path, replaces: [], offer }))
    await room.send(folderContent.create({ name: 'Photos', changes }))
    while ((await folder.entries()).length === 0) await folder.once('change')
    expect((await folder.entries()).map(({ path }) => path)).toEqual(['good.txt'])
    const mirror = await folder.mirror(desk, { watch: false })
    await mirror.sync()
    expect(await allIn(desk)).toEqual(['good.txt'])
  })

  it('is nothing where it is malformed, and stops nobody', async () => {
    const { room, folder } = await roomWith()
    const { type, version, data } = folderContent.create({ name: 'Photos', changes: [{ path: 'a', replaces: [] }] })
    for (const bytes of [new Uint8Array(0), data.subarray(0, 5), new Uint8Array(1_000).fill(255), new Uint8Array(80 * 1_024)]) {
      await room.send({ type, version, data: bytes })
    }
    await room.send({ type, version: version + 1, data })
    await folder.put('b', new Uint8Array(1))
    expect((await folder.entries()).map(({ path }) => path)).toEqual(['b'])
    expect(await folder.history('a')).toEqual([])
  })

  it('replaces nothing at another path, and nothing that it cannot name', async () => {
    const { peer, room, folder } = await roomWith()
    const { id } = await folder.put('mine.txt', new Uint8Array(1))
    const replaces = [{ message: id.split('.')[0]!, index: 0 }]
    const offer = await offerOf(peer, 'x')
    await room.send(folderContent.create({ name: 'Photos', changes: [{ path: 'other.txt', replaces, offer }] }))
    await room.send(folderContent.create({ name: 'Elsewhere', changes: [{ path: 'mine.txt', replaces }] }))
    while ((await folder.entries()).length < 2) await folder.once('change')
    expect((await folder.entries()).map((entry) => [entry.path, entry.conflicts.length])).toEqual([['mine.txt', 0], ['other.txt', 0]])
  })

  it('fills no directory with conflicts', async () => {
    const { peer, room, folder, desk } = await roomWith()
    const offers = await Promise.all(Array.from({ length: 30 }, (_, i) => offerOf(peer, `tea ${i}`)))
    await room.send(folderContent.create({ name: 'Photos', changes: offers.map((offer) => ({ path: 'tea.txt', replaces: [], offer })) }))
    while ((await folder.entries()).length === 0) await folder.once('change')
    expect((await folder.entries())[0]!.conflicts).toHaveLength(29)
    const mirror = await folder.mirror(desk, { watch: false })
    const skipped = mirror.once('skip')
    await mirror.sync()
    expect(await skipped).toEqual({ path: 'tea.txt', code: 'PATH_TAKEN' })
    const files = await allIn(desk)
    expect(files).toHaveLength(17)
    expect(files.filter((name) => name.includes('(conflict, Mallory, '))).toHaveLength(16)
  })

  it('finds its place taken, and takes another: nothing is overwritten', async () => {
    const { folder, desk } = await roomWith()
    await mkdir(join(desk, 'tea'))
    await writeFile(join(desk, 'tea/mine'), 'mine')
    await writeFile(join(desk, 'cake'), 'mine')
    await folder.put('tea', new TextEncoder().encode('theirs'))
    await folder.put('cake/theirs', new TextEncoder().encode('theirs'))
    const mirror = await folder.mirror(desk, { watch: false, direction: 'to-directory' })
    const skipped = mirror.once('skip')
    await mirror.sync()
    expect(await skipped).toEqual({ path: 'cake/theirs', code: 'PATH_TAKEN' })
    expect(await readFile(join(desk, 'tea/mine'), 'utf8')).toBe('mine')
    expect(await readFile(join(desk, 'cake'), 'utf8')).toBe('mine')
    const [beside] = (await allIn(desk)).filter((name) => name.startsWith('tea ('))
    expect(await readFile(join(desk, beside!), 'utf8')).toBe('theirs')
    const before = await allIn(desk)
    await mirror.sync()
    expect(await allIn(desk)).toEqual(before)
  })
})

describe('a directory comes to rest, puts nothing, and says what it leaves out', () => {
  const long = `${'d'.repeat(200)}/`.repeat(5) + 'x'.repeat(15)
  it.each([
    ['where one file is at two paths', ['a.txt', 'b.txt'], [1, 1], [], 'b.txt'],
    ['where one file is twice at one path', ['tea.txt', 'tea.txt'], [1, 1], [], 'tea.txt'],
    ['where the names of conflicts are ignored', ['tea.txt', 'tea.txt'], [1, 2], ['*(conflict*'], 'tea.txt'],
    ['where a path is too long for a conflict', [long, long], [1, 2], [], long]
  ])('%s', async (_, paths, contents, ignore, left) => {
    const { peer, room, folder, desk } = await roomWith()
    const offers = [await offerOf(peer, '1'), await offerOf(peer, '2')]
    await room.send(folderContent.create({ name: 'Photos', changes: paths.map((path, i) => ({ path, replaces: [], offer: offers[contents[i]! - 1]! })) }))
    while ((await folder.entries()).length === 0) await folder.once('change')
    const before = await folder.entries()
    const mirror = await folder.mirror(desk, { watch: false, ignore })
    const skipped: unknown[] = []
    mirror.on('skip', (skip) => void skipped.push(skip))
    await mirror.sync({ signal: AbortSignal.timeout(20_000) })
    expect(await allIn(desk)).toEqual([paths[0]])
    expect(skipped).toEqual([{ path: left, code: 'PATH_TAKEN' }])
    expect(await folder.entries()).toEqual(before)
  })

  it('with the own file of a user where another is left out', async () => {
    const { peer, room, folder, desk } = await roomWith()
    const offer = await offerOf(peer, 'x')
    await room.send(folderContent.create({ name: 'Photos', changes: ['a.txt', 'b.txt'].map((path) => ({ path, replaces: [], offer })) }))
    while ((await folder.entries()).length < 2) await folder.once('change')
    await writeFile(join(desk, 'b.txt'), 'y')
    await utimes(join(desk, 'b.txt'), 0, 0)
    const mirror = await folder.mirror(desk, { watch: false })
    await mirror.sync({ signal: AbortSignal.timeout(20_000) })
    expect(await allIn(desk)).toEqual(['a.txt', 'b.txt'])
    expect(await readFile(join(desk, 'b.txt'), 'utf8')).toBe('y')
  })
})

describe('a directory', () => {
  it('on a disk that does not tell case apart has each file once', async () => {
    const { folder, desk } = await roomWith()
    await mkdir(join(desk, 'dir'))
    await writeFile(join(desk, 'dir/tea.txt'), 'green')
    const mirror = await folder.mirror(desk, { watch: false })
    await mirror.sync()
    // The file is found by both names then, and listed by the new one.
    await rename(join(desk, 'dir'), join(desk, 'Dir'))
    await symlink('Dir', join(desk, 'dir'))
    await mirror.sync()
    expect((await folder.entries()).map(({ path }) => path)).toEqual(['dir/tea.txt'])
    expect(await allIn(desk)).toEqual(['Dir/tea.txt'])
    await writeFile(join(desk, 'Dir/tea.txt'), 'black tea')
    await mirror.sync()
    await mirror.sync()
    expect((await folder.entries()).every(({ conflicts }) => conflicts.length === 0)).toBe(true)
  })

  it('whose file changes while it is read has it put when it is whole', async () => {
    const { folder, desk } = await roomWith()
    const path = join(desk, 'film.bin')
    await writeFile(path, new Uint8Array(64 * MIB))
    const mirror = await folder.mirror(desk, { watch: false })
    const skipped = mirror.once('skip')
    const syncing = mirror.sync()
    const growing = (async () => {
      const file = await open(path, 'a')
      for (let isSkipped = false; !isSkipped; ) {
        await file.write(new Uint8Array(1_000))
        isSkipped = await Promise.race([skipped.then(() => true), new Promise<false>((resolve) => void setImmediate(resolve, false))])
      }
      await file.close()
    })()
    expect(await skipped).toEqual({ path: 'film.bin', code: 'FILE_CHANGED' })
    await growing
    await syncing
    await mirror.sync()
    const [entry] = await folder.entries()
    expect(entry!.size).toBe((await readFile(path)).length)
    expect(await folder.history('film.bin')).toHaveLength(1)
  })

  it('that cannot be read in part has nothing of that removed', async ({ skip }) => {
    const { folder, desk } = await roomWith()
    await mkdir(join(desk, 'sub'))
    await writeFile(join(desk, 'sub/tea.txt'), 'green')
    const mirror = await folder.mirror(desk, { watch: false })
    await mirror.sync()
    await chmod(join(desk, 'sub'), 0)
    onTestFinished(() => chmod(join(desk, 'sub'), 0o700))
    if ((await readdir(join(desk, 'sub')).catch(() => undefined)) !== undefined) skip('this user may read everything')
    await mirror.sync()
    expect((await folder.entries()).map(({ path }) => path)).toEqual(['sub/tea.txt'])
  })

  it('on a full disk keeps what it has, and goes on when there is room', async ({ skip }) => {
    const { folder } = await roomWith()
    const small = await temporaryFolder()
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small]).status !== 0) skip('a small disk cannot be mounted here')
    onTestFinished(() => void spawnSync('umount', ['-l', small]))
    await writeFile(join(small, '.ballast'), new Uint8Array(6 * MIB))
    await folder.put('film.bin', new Uint8Array(4 * MIB).fill(7))
    const mirror = await folder.mirror(small, { watch: false })
    const told = mirror.once('error')
    expect(await codeOf(() => mirror.sync())).toBe('STORAGE_FULL')
    expect((await told).code).toBe('STORAGE_FULL')
    expect(await allIn(small)).toEqual(['.ballast'])
    await rm(join(small, '.ballast'))
    await mirror.sync()
    expect(await allIn(small)).toEqual(['film.bin'])
    expect((await readFile(join(small, 'film.bin'))).equals(new Uint8Array(4 * MIB).fill(7))).toBe(true)
  })

  it('may say that a file is of any size: who waits for it stands still in nothing else', async () => {
    const { peer, room, folder, desk } = await roomWith()
    const offer = { ...(await offerOf(peer, 'x')), size: MAX_FILE_BYTES }
    await room.send(folderContent.create({ name: 'Photos', changes: [{ path: 'film', replaces: [], offer }] }))
    while ((await folder.entries()).length === 0) await folder.once('change')
    let longestMs = 0
    let last = performance.now()
    const timer = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last)
      last = performance.now()
    }, 10)
    const mirror = await folder.mirror(desk, { watch: false })
    await expect(mirror.sync({ signal: AbortSignal.timeout(3_000) })).rejects.toThrow()
    clearInterval(timer)
    expect(longestMs).toBeLessThan(1_500)
  })
})

import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Folder, type Mirror, type Peer, type Room } from 'covey'
import { codeOf, start, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

interface Member {
  readonly peer: Peer
  readonly room: Room
  readonly folder: Folder
  readonly storage: string
  readonly desk: string
}

/** Members of one room, who are connected. */
async function members(...names: string[]): Promise<Member[]> {
  const all: Member[] = []
  for (const name of names) {
    const storage = await temporaryFolder()
    const peer = await start({ network: net.network, name, storage })
    const room = all.length === 0 ? await peer.rooms.create({ name: 'Tea' }) : await peer.rooms.join(await all[0]!.room.createInvite())
    all.push({ peer, room, folder: await room.files.folder('Photos'), storage, desk: await temporaryFolder() })
  }
  return all
}

/** Resolves when what is in the folder is so. */
async function until(folder: Folder, isIt: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const changed = folder.once('change')
    if (await isIt()) return
    await changed
  }
}

async function untilAt(folder: Folder, ...paths: string[]): Promise<void> {
  await until(folder, async () => (await folder.entries()).map(({ path }) => path).join() === paths.join())
}

async function textAt(folder: Folder, path: string, version?: string): Promise<string> {
  const file = await folder.get(path, { ...(version !== undefined && { version }) })
  return Buffer.from(await file.bytes({ maxBytes: 1_000_000, signal: AbortSignal.timeout(30_000) })).toString()
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What is in a directory, by paths; hidden files are left out. */
async function treeOf(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(directory.length + 1)
    if (entry.isFile() && !path.startsWith('.')) found[path] = await readFile(join(directory, path), 'utf8')
  }
  return found
}

describe('a folder of a room', () => {
  it('has what its members put, with what was there before', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    const first = await alice.folder.put('2026/tea.txt', bytes('green'), { type: 'text/plain' })
    await untilAt(bob.folder, '2026/tea.txt')
    expect(await bob.folder.entries()).toEqual([{ ...first, conflicts: [] }])
    expect(first).toMatchObject({ path: '2026/tea.txt', author: alice.peer.identity.id, authorName: 'Alice', isRemoved: false, type: 'text/plain', size: 5 })
    expect(await textAt(bob.folder, '2026/tea.txt')).toBe('green')

    const second = await bob.folder.put('2026/tea.txt', bytes('black'))
    await until(alice.folder, async () => (await alice.folder.history('2026/tea.txt')).length === 2)
    expect(await textAt(alice.folder, '2026/tea.txt')).toBe('black')
    expect(await textAt(alice.folder, '2026/tea.txt', first.id)).toBe('green')
    await alice.folder.remove('2026/tea.txt')
    await untilAt(bob.folder)
    expect((await bob.folder.history('2026/tea.txt')).map(({ id, isRemoved }) => [id, isRemoved])).toEqual([
      [expect.any(String), true],
      [second.id, false],
      [first.id, false]
    ])
    expect(await codeOf(() => bob.folder.get('2026/tea.txt'))).toBe('FOLDER_ENTRY_NOT_FOUND')
    expect(await codeOf(() => bob.folder.remove('2026/tea.txt'))).toBe('FOLDER_ENTRY_NOT_FOUND')
    expect(await (await bob.room.files.folder('Music')).entries()).toEqual([])
  })

  it('keeps what two have put at once, and all decide alike which is the entry', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    await alice.peer.suspend()
    const [mine, theirs] = [await alice.folder.put('tea.txt', bytes('green')), await bob.folder.put('tea.txt', bytes('black'))]
    await alice.peer.resume()
    for (const { folder } of [alice, bob]) await until(folder, async () => (await folder.entries())[0]?.conflicts.length === 1)
    const [seen, same] = [await alice.folder.entries(), await bob.folder.entries()]
    expect(seen).toEqual(same)
    expect([seen[0]!.id, seen[0]!.conflicts[0]!.id].sort()).toEqual([mine.id, theirs.id].sort())
    await bob.folder.put('tea.txt', bytes('both'))
    await until(alice.folder, async () => (await alice.folder.entries())[0]?.conflicts.length === 0)
    expect(await textAt(alice.folder, 'tea.txt')).toBe('both')
    expect(await alice.folder.history('tea.txt')).toHaveLength(3)
  })

  it('is there after a restart, and takes back what was deleted', async () => {
    const [alice] = (await members('Alice')) as [Member]
    const { network } = net
    await alice.folder.put('keep.txt', bytes('kept'))
    const gone = await alice.folder.put('gone.txt', bytes('gone'))
    await alice.peer.close()
    const again = await start({ network, storage: alice.storage })
    const folder = await again.rooms.list()[0]!.files.folder('Photos')
    expect((await folder.entries()).map(({ path }) => path)).toEqual(['gone.txt', 'keep.txt'])
    expect(await textAt(folder, 'keep.txt')).toBe('kept')
    const taken = folder.once('change')
    await again.rooms.list()[0]!.delete(gone.id.split('.')[0]!)
    expect((await taken).path).toBe('gone.txt')
    await again.close()
    const last = await start({ network, storage: alice.storage })
    const left = await last.rooms.list()[0]!.files.folder('Photos')
    await untilAt(left, 'keep.txt')
    expect(await left.history('gone.txt')).toEqual([])
  })

  it('is the same when what was written down of it is damaged', async () => {
    const [alice] = (await members('Alice')) as [Member]
    const { network } = net
    for (const path of ['a', 'b', 'c']) await alice.folder.put(path, bytes(path))
    await alice.peer.close()
    const again = await start({ network, storage: alice.storage })
    await again.rooms.list()[0]!.files.folder('Photos')
    await again.close()
    const journal = join(alice.storage, 'files/folders', `${alice.room.id}.folders`)
    const whole = await readFile(journal)
    const damaged = [whole.subarray(0, -10), Buffer.concat([whole, Buffer.alloc(50, 255)]), whole.map((byte, i) => (i === 300 ? byte ^ 1 : byte)), Buffer.alloc(0)]
    for (const written of damaged) {
      await writeFile(journal, written)
      const peer = await start({ network, storage: alice.storage })
      const told: string[] = []
      peer.files.on('error', ({ code }) => void told.push(code))
      const folder = await peer.rooms.list()[0]!.files.folder('Photos')
      expect((await folder.entries()).map(({ path }) => path)).toEqual(['a', 'b', 'c'])
      await peer.close()
      expect(told).toEqual(written.length === whole.length ? ['STORAGE_FAILED'] : [])
    }
  })

  it('is not changed by the edit of a message', async () => {
    const [alice] = (await members('Alice')) as [Member]
    const { id } = await alice.folder.put('tea.txt', bytes('green'))
    await alice.room.edit(id.split('.')[0]!, 'nothing')
    await alice.peer.close()
    const again = await start({ network: net.network, storage: alice.storage })
    const folder = await again.rooms.list()[0]!.files.folder('Photos')
    expect((await folder.entries()).map(({ path }) => path)).toEqual(['tea.txt'])
  })

  it('refuses paths and names that are none, and what the room does not take', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    for (const path of ['', '/a', 'a/', '../a', 'a/../b', 'a//b', '.hidden', 'a/.git/b', 'C:', 'a\\b', 'nul', 'a\0b', 'a ', 'x'.repeat(300), 'a/'.repeat(40) + 'b', 'e\u0301']) {
      expect(await codeOf(() => alice.folder.put(path, bytes('x')))).toBe('TypeError')
      expect(await codeOf(() => alice.folder.get(path))).toBe('TypeError')
    }
    expect(await codeOf(() => alice.room.files.folder(''))).toBe('TypeError')
    expect(await codeOf(() => alice.folder.put('a', join(alice.desk, 'none')))).toBe('FILE_NOT_FOUND')
    await alice.room.setRole(bob.peer.identity.id, 'reader')
    while ((await bob.room.info()).role !== 'reader') await bob.room.once('update')
    const before = bob.peer.files.list().length
    expect(await codeOf(() => bob.folder.put('a', bytes('x')))).toBe('ROOM_FORBIDDEN')
    expect(bob.peer.files.list()).toHaveLength(before)
    await alice.peer.close()
    expect(await codeOf(() => alice.room.files.folder('Photos'))).toBe('FILES_CLOSED')
    expect(await codeOf(() => alice.folder.put('a', bytes('x')))).toBe('FILES_CLOSED')
  })
})

describe('a mirror', () => {
  /** Looks at one, and then at the other, when they know the same. */
  async function step(from: Mirror, to: Mirror, folder: Folder, ...paths: string[]): Promise<void> {
    await from.sync()
    await untilAt(folder, ...paths)
    await to.sync({ signal: AbortSignal.timeout(60_000) })
  }

  it('brings a directory to others, and back, with its changes and removals', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    await mkdir(join(alice.desk, '2026'))
    await writeFile(join(alice.desk, '2026/tea.txt'), 'green')
    await writeFile(join(alice.desk, 'cake.txt'), 'cake')
    const [a, b] = [await alice.folder.mirror(alice.desk, { watch: false }), await bob.folder.mirror(bob.desk, { watch: false })]
    await step(a, b, bob.folder, '2026/tea.txt', 'cake.txt')
    expect(await treeOf(bob.desk)).toEqual({ '2026/tea.txt': 'green', 'cake.txt': 'cake' })

    await writeFile(join(bob.desk, '2026/tea.txt'), 'black tea')
    await rm(join(bob.desk, 'cake.txt'))
    await step(b, a, alice.folder, '2026/tea.txt')
    await until(alice.folder, async () => (await alice.folder.history('2026/tea.txt')).length === 2)
    await a.sync()
    expect(await treeOf(alice.desk)).toEqual({ '2026/tea.txt': 'black tea' })
    expect(await treeOf(join(alice.desk, '.covey/replaced'))).toEqual({ '2026/tea.txt': 'green', 'cake.txt': 'cake' })
    // What was replaced is given from where it was put.
    const [, first] = await bob.folder.history('2026/tea.txt')
    expect(await textAt(bob.folder, '2026/tea.txt', first!.id)).toBe('green')
    expect(await alice.folder.history('2026/tea.txt')).toHaveLength(2)
  })

  it('goes on after a restart without putting or fetching anything again, and sees what was done meanwhile', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    for (const name of ['a', 'b', 'c']) await writeFile(join(alice.desk, name), name)
    const [a, b] = [await alice.folder.mirror(alice.desk, { watch: false }), await bob.folder.mirror(bob.desk, { watch: false })]
    await step(a, b, bob.folder, 'a', 'b', 'c')
    await alice.peer.close()
    await bob.peer.close()
    await writeFile(join(bob.desk, 'a'), 'changed')
    await rm(join(bob.desk, 'b'))
    const again = await start({ network: net.network, storage: bob.storage })
    const folder = await again.rooms.list()[0]!.files.folder('Photos')
    const mirror = await folder.mirror(bob.desk, { watch: false })
    const changes: string[] = []
    mirror.on('change', ({ path, to, kind }) => void changes.push(`${kind} ${path} ${to}`))
    await mirror.sync({ signal: AbortSignal.timeout(60_000) })
    expect(changes.sort()).toEqual(['put a folder', 'removed b folder'])
    expect((await folder.entries()).map(({ path, conflicts }) => [path, conflicts.length])).toEqual([['a', 0], ['c', 0]])
  })

  it('makes a conflict copy with the name of its author, and overwrites nothing', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    await writeFile(join(alice.desk, 'tea.txt'), 'green')
    await writeFile(join(bob.desk, 'tea.txt'), 'black tea')
    await writeFile(join(alice.desk, 'same.txt'), 'same')
    await writeFile(join(bob.desk, 'same.txt'), 'same')
    const [a, b] = [await alice.folder.mirror(alice.desk, { watch: false }), await bob.folder.mirror(bob.desk, { watch: false })]
    await step(a, b, bob.folder, 'same.txt', 'tea.txt')
    await until(alice.folder, async () => (await alice.folder.entries({ prefix: 'tea' }))[0]?.conflicts.length === 1)
    await a.sync()
    const [at, bt] = [await treeOf(alice.desk), await treeOf(bob.desk)]
    expect(at).toEqual(bt)
    expect(Object.values(at).sort()).toEqual(['black tea', 'green', 'same'])
    const [same, tea] = await alice.folder.entries()
    expect(same!.conflicts).toEqual([])
    const copy = Object.keys(at).find((name) => name.includes('conflict'))!
    expect(copy).toContain(`tea (conflict, ${tea!.conflicts[0]!.authorName}, `)

    // Who deletes the copy has decided.
    await rm(join(bob.desk, copy))
    await b.sync()
    await until(alice.folder, async () => (await alice.folder.entries({ prefix: 'tea' }))[0]?.conflicts.length === 0)
    await a.sync()
    expect(Object.keys(await treeOf(alice.desk))).toEqual(['same.txt', 'tea.txt'])
    expect(Object.keys(await treeOf(join(alice.desk, '.covey/replaced')))).toEqual([copy])
  })

  it('keeps what was edited on both sides at once', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    await writeFile(join(alice.desk, 'tea.txt'), 'green')
    const [a, b] = [await alice.folder.mirror(alice.desk, { watch: false }), await bob.folder.mirror(bob.desk, { watch: false })]
    await step(a, b, bob.folder, 'tea.txt')
    await writeFile(join(alice.desk, 'tea.txt'), 'white tea')
    await writeFile(join(bob.desk, 'tea.txt'), 'black')
    await a.sync()
    await until(bob.folder, async () => (await bob.folder.history('tea.txt')).length === 2)
    await b.sync()
    await until(alice.folder, async () => (await alice.folder.history('tea.txt')).length === 3)
    await a.sync()
    expect(await treeOf(alice.desk)).toEqual(await treeOf(bob.desk))
    expect(Object.values(await treeOf(alice.desk)).sort()).toEqual(['black', 'white tea'])
  })

  it('does not put what was taken back again, and brings back what it replaced', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    await writeFile(join(alice.desk, 'tea.txt'), 'green')
    const [a, b] = [await alice.folder.mirror(alice.desk, { watch: false }), await bob.folder.mirror(bob.desk, { watch: false })]
    await step(a, b, bob.folder, 'tea.txt')
    await writeFile(join(bob.desk, 'tea.txt'), 'not tea')
    await writeFile(join(bob.desk, 'spam.txt'), 'spam')
    await b.sync()
    await untilAt(alice.folder, 'spam.txt', 'tea.txt')
    await a.sync({ signal: AbortSignal.timeout(60_000) })
    expect(await treeOf(alice.desk)).toEqual({ 'spam.txt': 'spam', 'tea.txt': 'not tea' })

    const [spam] = await alice.folder.entries()
    await alice.room.delete(spam!.id.split('.')[0]!)
    for (const { folder } of [alice, bob]) await untilAt(folder, 'tea.txt')
    const skipped = b.once('skip')
    for (const mirror of [a, b, a]) await mirror.sync({ signal: AbortSignal.timeout(60_000) })
    expect((await alice.folder.entries()).map(({ path, author, conflicts }) => [path, author, conflicts.length])).toEqual([['tea.txt', alice.peer.identity.id, 0]])
    expect(await treeOf(alice.desk)).toEqual({ 'tea.txt': 'green' })
    expect(await treeOf(bob.desk)).toEqual({ 'spam.txt': 'spam', 'tea.txt': 'green' })
    expect(await skipped).toEqual({ path: 'spam.txt', code: 'FOLDER_ENTRY_NOT_FOUND' })
  })

  it('watches both sides', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    const [a, b] = [await alice.folder.mirror(alice.desk), await bob.folder.mirror(bob.desk)]
    const came = b.once('change')
    await writeFile(join(alice.desk, 'tea.txt'), 'green')
    expect(await came).toEqual({ path: 'tea.txt', to: 'directory', kind: 'put', file: join(bob.desk, 'tea.txt') })
    const gone = a.once('change')
    await rm(join(bob.desk, 'tea.txt'))
    expect(await gone).toEqual({ path: 'tea.txt', to: 'directory', kind: 'removed', file: join(alice.desk, '.covey/replaced/tea.txt') })
    await a.close()
    expect(await codeOf(() => a.sync())).toBe('FILES_CLOSED')
  })

  it('goes one way only, where it is told so, and leaves out what it is told', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    await mkdir(join(alice.desk, 'build/deep'), { recursive: true })
    for (const path of ['a.txt', 'a.tmp', 'build/deep/x', '.secret']) await writeFile(join(alice.desk, path), path)
    await writeFile(join(bob.desk, 'mine.txt'), 'mine')
    const a = await alice.folder.mirror(alice.desk, { watch: false, direction: 'to-folder', ignore: ['*.tmp', 'build'] })
    const b = await bob.folder.mirror(bob.desk, { watch: false, direction: 'to-directory' })
    await step(a, b, bob.folder, 'a.txt')
    expect(await treeOf(bob.desk)).toEqual({ 'a.txt': 'a.txt', 'mine.txt': 'mine' })
    await bob.folder.put('a.txt', bytes('theirs'))
    await rm(join(bob.desk, 'a.txt'))
    await until(alice.folder, async () => (await alice.folder.history('a.txt')).length === 2)
    await a.sync()
    await b.sync()
    expect((await treeOf(alice.desk))['a.txt']).toBe('a.txt')
    expect((await treeOf(bob.desk))['a.txt']).toBe('theirs')
  })

  it('does not follow links out of the directory, in or out', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    const outside = await temporaryFolder()
    await writeFile(join(outside, 'secret.txt'), 'secret')
    await symlink(join(outside, 'secret.txt'), join(bob.desk, 'link.txt'))
    await symlink(outside, join(bob.desk, 'out'))
    await alice.folder.put('out/evil.txt', bytes('evil'))
    await alice.folder.put('link.txt', bytes('other'))
    await untilAt(bob.folder, 'link.txt', 'out/evil.txt')
    const mirror = await bob.folder.mirror(bob.desk, { watch: false })
    const skipped: string[] = []
    mirror.on('skip', ({ path, code }) => void skipped.push(`${code} ${path}`))
    await mirror.sync({ signal: AbortSignal.timeout(60_000) })
    expect(skipped.sort()).toEqual(['PATH_IS_LINK link.txt', 'PATH_IS_LINK out', 'PATH_IS_LINK out/evil.txt'])
    expect(await readdir(outside)).toEqual(['secret.txt'])
    expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('secret')
    expect((await bob.folder.entries()).map(({ path }) => path)).toEqual(['link.txt', 'out/evil.txt'])
    expect(Object.values(await treeOf(bob.desk))).toEqual(['other'])
  })

  it('removes nothing from the folder when the directory vanishes, or is another', async () => {
    const [alice] = (await members('Alice')) as [Member]
    await writeFile(join(alice.desk, 'tea.txt'), 'green')
    const directory = join(alice.desk, '../', `${alice.desk.split('/').at(-1)}-disk`)
    await mkdir(directory)
    await writeFile(join(directory, 'tea.txt'), 'green')
    const mirror = await alice.folder.mirror(directory, { watch: false, copy: true })
    await mirror.sync()
    await rename(directory, join(alice.desk, 'taken'))
    expect(await codeOf(() => mirror.sync())).toBe('DIRECTORY_GONE')
    await mkdir(directory)
    expect(await codeOf(() => mirror.sync())).toBe('DIRECTORY_GONE')
    expect((await alice.folder.entries()).map(({ path }) => path)).toEqual(['tea.txt'])
    await mirror.close()
    const anew = await alice.folder.mirror(directory, { watch: false })
    await anew.sync({ signal: AbortSignal.timeout(60_000) })
    expect(await treeOf(directory)).toEqual({ 'tea.txt': 'green' })
    expect((await alice.folder.entries()).map(({ path }) => path)).toEqual(['tea.txt'])
    await rm(directory, { recursive: true })
  })

  it('waits for who has the files, until it is told not to, or closed', async () => {
    const [alice, bob] = (await members('Alice', 'Bob')) as [Member, Member]
    await alice.folder.put('tea.txt', bytes('green'))
    await untilAt(bob.folder, 'tea.txt')
    await alice.peer.close()
    const mirror = await bob.folder.mirror(bob.desk, { watch: false })
    const reason = new Error('no more')
    const stop = new AbortController()
    const first = mirror.sync({ signal: stop.signal })
    stop.abort(reason)
    await expect(first).rejects.toBe(reason)
    const second = codeOf(() => mirror.sync())
    await mirror.close()
    expect(await second).toBe('FILES_CLOSED')
    expect(await treeOf(bob.desk)).toEqual({})

    const again = await start({ network: net.network, storage: alice.storage })
    const anew = await bob.folder.mirror(bob.desk, { watch: false })
    await anew.sync({ signal: AbortSignal.timeout(60_000) })
    expect(await treeOf(bob.desk)).toEqual({ 'tea.txt': 'green' })
    await again.close()
  })

  it('is one at a time, and refuses what it cannot do', async () => {
    const [alice] = (await members('Alice')) as [Member]
    const { folder, desk } = alice
    expect(await codeOf(() => folder.mirror(join(desk, 'none')))).toBe('FILE_NOT_FOUND')
    await writeFile(join(desk, 'file'), '')
    expect(await codeOf(() => folder.mirror(join(desk, 'file')))).toBe('FILE_NOT_FOUND')
    for (const options of [{ direction: 'up' }, { ignore: [''] }, { ignore: 'x' }, { watch: 1 }, { copy: 'yes' }, { other: 1 }]) {
      expect(await codeOf(() => folder.mirror(desk, options as never))).toBe('TypeError')
    }
    const stop = new AbortController()
    const mirror = await folder.mirror(desk, { signal: stop.signal, watch: false })
    expect(await codeOf(() => folder.mirror(alice.storage))).toBe('FOLDER_MIRRORED')
    stop.abort()
    await mirror.close()
    await (await folder.mirror(desk, { watch: false })).close()
  })
})

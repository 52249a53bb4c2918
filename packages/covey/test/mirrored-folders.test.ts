import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Folder, Mirror } from 'covey'
import { codeOf, start, temporaryFolder, useLocalNetwork } from './support.js'
import { bytes, members, textAt, until, untilAt, type Member } from './support-folders.js'

const net = useLocalNetwork()

/** What is in a directory, by paths; hidden files are left out. */
async function treeOf(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name).slice(directory.length + 1)
    if (entry.isFile() && !path.startsWith('.')) found[path] = await readFile(join(directory, path), 'utf8')
  }
  return found
}

describe('a mirror', () => {
  /** Looks at one, and then at the other, when they know the same. */
  async function step(from: Mirror, to: Mirror, folder: Folder, ...paths: string[]): Promise<void> {
    await from.sync()
    await untilAt(folder, ...paths)
    await to.sync({ signal: AbortSignal.timeout(60_000) })
  }

  it('brings a directory to others, and back, with its changes and removals', async () => {
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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

  it('puts again what the room did not take, and does not think that it was taken back', async () => {
    const [alice] = (await members(net.network, 'Alice')) as [Member]
    await writeFile(join(alice.desk, 'tea.txt'), 'green')
    const mirror = await alice.folder.mirror(alice.desk, { watch: false })
    await mirror.sync()
    await writeFile(join(alice.desk, 'tea.txt'), 'black tea')
    await writeFile(join(alice.desk, 'new.txt'), 'new')
    await alice.room.close()
    expect(await codeOf(() => mirror.sync())).toBe('ROOM_CLOSED')
    await alice.peer.close()

    const again = await start({ network: net.network, storage: alice.storage })
    const folder = await again.rooms.list()[0]!.files.folder('Photos')
    const anew = await folder.mirror(alice.desk, { watch: false })
    await anew.sync({ signal: AbortSignal.timeout(30_000) })
    expect(await treeOf(alice.desk)).toEqual({ 'new.txt': 'new', 'tea.txt': 'black tea' })
    expect(await treeOf(join(alice.desk, '.covey/replaced'))).toEqual({})
    expect((await folder.entries()).map(({ path, conflicts }) => [path, conflicts.length])).toEqual([['new.txt', 0], ['tea.txt', 0]])
    expect(await textAt(folder, 'tea.txt')).toBe('black tea')
  })

  it('keeps nothing of what it could not put because the directory went', async () => {
    const [alice] = (await members(net.network, 'Alice')) as [Member]
    await writeFile(join(alice.desk, 'a small one'), 'tea')
    await writeFile(join(alice.desk, 'large one'), new Uint8Array(64 * 2 ** 20))
    const mirror = await alice.folder.mirror(alice.desk, { watch: false })
    const failed = codeOf(() => mirror.sync())
    while (alice.peer.files.list().length === 0) await new Promise((resolve) => setImmediate(resolve))
    await rm(join(alice.desk, '.covey'), { recursive: true })
    expect(await failed).toBe('DIRECTORY_GONE')
    expect(alice.peer.files.list()).toEqual([])
  })

  it('knows what lies where, also where what was fetched is not kept', async () => {
    const [alice] = (await members(net.network, 'Alice')) as [Member]
    const storage = await temporaryFolder()
    const desk = await temporaryFolder()
    const init = { network: net.network, name: 'Bob', storage, files: { holding: 'none' } } as const
    const bob = await start(init)
    const folder = await (await bob.rooms.join(await alice.room.createInvite())).files.folder('Photos')
    await writeFile(join(alice.desk, 'tea.txt'), 'green')
    await writeFile(join(alice.desk, 'cup.txt'), 'cup')
    const [a, b] = [await alice.folder.mirror(alice.desk, { watch: false }), await folder.mirror(desk, { watch: false })]
    await step(a, b, folder, 'cup.txt', 'tea.txt')
    expect(await treeOf(desk)).toEqual({ 'cup.txt': 'cup', 'tea.txt': 'green' })
    await bob.close()

    const again = await start(init)
    const same = await again.rooms.list()[0]!.files.folder('Photos')
    await rm(join(desk, 'cup.txt'))
    await writeFile(join(desk, 'tea.txt'), 'black tea')
    await (await same.mirror(desk, { watch: false })).sync({ signal: AbortSignal.timeout(30_000) })
    await untilAt(alice.folder, 'tea.txt')
    expect((await same.entries()).map(({ path, conflicts }) => [path, conflicts.length])).toEqual([['tea.txt', 0]])
    expect(await treeOf(desk)).toEqual({ 'tea.txt': 'black tea' })
  })

  it('watches both sides', async () => {
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice] = (await members(net.network, 'Alice')) as [Member]
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
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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
    const [alice] = (await members(net.network, 'Alice')) as [Member]
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

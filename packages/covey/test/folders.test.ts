import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeOf, start, useLocalNetwork } from './support.js'
import { bytes, members, textAt, until, untilAt, type Member } from './support-folders.js'

const net = useLocalNetwork()

describe('a folder of a room', () => {
  it('has what its members put, with what was there before', async () => {
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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

  it('keeps what was read of it as long as the room says', async () => {
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
    await alice.folder.put('tea.txt', bytes('green'))
    await untilAt(bob.folder, 'tea.txt')
    await bob.room.files.setHolding('none')
    const file = await bob.folder.get('tea.txt')
    expect(await textAt(bob.folder, 'tea.txt')).toBe('green')
    expect((await file.progress()).receivedBytes).toBe(0)
  })

  it('keeps what two have put at once, and all decide alike which is the entry', async () => {
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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

  it('has what somebody put while they were blocked, once they are not any more', async () => {
    // Who is blocked is not talked with; what they say comes by the others.
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob', 'Carol')) as [Member, Member, Member]
    const shown = alice.room.messages({ live: true })[Symbol.asyncIterator]()
    const next = shown.next()
    await alice.peer.contacts.block(bob.peer.identity.id)
    await bob.folder.put('tea.txt', bytes('green'))
    expect((await next).value).toMatchObject({ kind: 'blocked' })
    await shown.return?.()
    await alice.peer.close()
    const again = await start({ network: net.network, storage: alice.storage })
    const folder = await again.rooms.list()[0]!.files.folder('Photos')
    expect(await folder.entries()).toEqual([])
    await again.contacts.unblock(bob.peer.identity.id)
    await untilAt(folder, 'tea.txt')
  })

  it('is there after a restart, and takes back what was deleted', async () => {
    const [alice] = (await members(net.network, 'Alice')) as [Member]
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
    const [alice] = (await members(net.network, 'Alice')) as [Member]
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
    const [alice] = (await members(net.network, 'Alice')) as [Member]
    const { id } = await alice.folder.put('tea.txt', bytes('green'))
    await alice.room.edit(id.split('.')[0]!, 'nothing')
    await alice.peer.close()
    const again = await start({ network: net.network, storage: alice.storage })
    const folder = await again.rooms.list()[0]!.files.folder('Photos')
    expect((await folder.entries()).map(({ path }) => path)).toEqual(['tea.txt'])
  })

  it('refuses paths and names that are none, and what the room does not take', async () => {
    const [alice, bob] = (await members(net.network, 'Alice', 'Bob')) as [Member, Member]
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

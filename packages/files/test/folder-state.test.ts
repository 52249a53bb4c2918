import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { folderContent, isFolderPath, MAX_FOLDER_PATHS, MAX_FOLDER_VERSIONS, type FolderChange } from '@covey/files'
import { createIgnore } from '../src/internal/folder/ignore.js'
import { conflictPath } from '../src/internal/folder/path.js'
import { FolderState, parseVersionId } from '../src/internal/folder/state.js'

const offer = { signer: new Uint8Array(32).fill(1), key: new Uint8Array(32).fill(2), name: 'tea.txt', type: 'text/plain', size: 5 }
const messageId = (number: number): string => encodeZ32(Uint8Array.from({ length: 32 }, (_, i) => (i < 4 ? (number >>> (8 * i)) & 255 : (number * 7 + i) & 255)))
const source = (number: number) => ({ id: messageId(number), author: messageId(0), authorName: 'Alice', sentAt: 0 })

describe('the state of a folder', () => {
  const step = fc.record({ path: fc.constantFrom('a', 'b', 'c/d'), isRemoval: fc.boolean(), sees: fc.array(fc.nat(20), { maxLength: 4 }) })

  it('is the same in whatever order changes come, and however often', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.infiniteStream(fc.nat()), fc.array(fc.nat(19)), (steps, keys, withdrawn) => {
        const messages = steps.map(({ path, isRemoval, sees }, i) => {
          const replaces = sees.filter((seen) => seen < i).map((seen) => ({ message: messageId(seen + 1), index: 0 }))
          return { source: source(i + 1), changes: { name: 'x', changes: [{ path, replaces, ...(!isRemoval && { offer }) }] } }
        })
        const shuffled = messages.map((message) => ({ message, key: keys.next().value as number })).sort((a, b) => a.key - b.key)
        const [one, other, never] = [new FolderState(), new FolderState(), new FolderState()]
        for (const each of messages) one.apply(each.source, each.changes)
        for (const { message } of [...shuffled, ...shuffled]) other.apply(message.source, message.changes)
        const ids = new Set(withdrawn.map((number) => messageId(number + 1)))
        const compare = (a: FolderState, b: FolderState) => {
          for (const path of ['a', 'b', 'c/d']) expect(a.standing(path).map(({ id }) => id)).toEqual(b.standing(path).map(({ id }) => id))
        }
        compare(one, other)
        for (const id of ids) other.withdraw(id)
        for (const each of messages) if (!ids.has(each.source.id)) never.apply(each.source, each.changes)
        compare(other, never)
      }),
      { numRuns: 500 }
    )
  })

  it('keeps what stands, and of the rest the last', () => {
    const state = new FolderState()
    state.apply(source(1), { name: 'x', changes: [{ path: 'a', replaces: [], offer }] })
    for (let i = 2; i < 200; i++) {
      const replaces = i === 2 ? [] : [{ message: messageId(i - 1), index: 0 }]
      state.apply(source(i), { name: 'x', changes: [{ path: 'a', replaces, offer }] })
    }
    expect(state.files('a').map(({ message }) => message).sort()).toEqual([messageId(1), messageId(199)].sort())
    expect(state.versions('a')).toHaveLength(MAX_FOLDER_VERSIONS + 2)
    expect(parseVersionId(state.versions('a').at(-1)!.id)).toEqual({ message: messageId(199), index: 0 })
  })

  it('takes no more of a message at one path than somebody may have to say, and no removal of nothing', () => {
    const state = new FolderState()
    const many: FolderChange[] = Array.from({ length: 512 }, () => ({ path: 'a', replaces: [], offer }))
    expect(state.apply(source(1), { name: 'x', changes: many })).toEqual(['a'])
    expect(state.files('a')).toHaveLength(32)
    expect(state.apply(source(2), { name: 'x', changes: [{ path: 'a', replaces: [] }, { path: 'b', replaces: [] }] })).toEqual([])
    expect(state.paths()).toEqual(['a'])
  })

  it('takes each change in the same time, however many stand', () => {
    const state = new FolderState()
    const many: FolderChange[] = Array.from({ length: 32 }, () => ({ path: 'a', replaces: [], offer }))
    const tookMs = (from: number): number => {
      const startedAt = performance.now()
      for (let i = from; i < from + 500; i++) state.apply(source(i), { name: 'x', changes: many })
      return performance.now() - startedAt
    }
    const first = tookMs(1)
    for (let i = 1; i < 6; i++) tookMs(500 * i + 1)
    // Each looked at all that stand: the last of these took a dozen times as long as the first.
    expect(tookMs(3_001)).toBeLessThan(5 * first + 100)
  })

  it('has no more paths than it may', () => {
    const state = new FolderState()
    const changes: FolderChange[] = Array.from({ length: MAX_FOLDER_PATHS + 10 }, (_, i) => ({ path: `p${i}`, replaces: [], offer }))
    state.apply(source(1), { name: 'x', changes })
    expect(state.paths()).toHaveLength(MAX_FOLDER_PATHS)
    expect(state.isFull).toBe(true)
    expect(state.apply(source(2), { name: 'x', changes: [{ path: 'p0', replaces: [], offer }, { path: 'new', replaces: [], offer }] })).toEqual(['p0'])
  })
})

describe('the content of a change', () => {
  it('is these bytes', () => {
    const changes: FolderChange[] = [
      { path: '2026/tea.txt', replaces: [{ message: messageId(1), index: 3 }], offer },
      { path: 'cake.txt', replaces: [] }
    ]
    const content = folderContent.create({ name: 'Photos', changes })
    expect(folderContent.read(content)).toEqual({ name: 'Photos', changes })
    expect({ type: content.type, version: content.version, data: Buffer.from(content.data).toString('hex') }).toMatchInlineSnapshot(`
      {
        "data": "0650686f746f7302850c323032362f7465612e74787401010000000b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526030101010101010101010101010101010101010101010101010101010101010101010202020202020202020202020202020202020202020202020202020202020202077465612e7478740a746578742f706c61696e01050b0863616b652e7478740000",
        "type": "covey/folder",
        "version": 1,
      }
    `)
  })

  it('is read from any bytes without failing, and gives safe paths alone', () => {
    const good = folderContent.create({ name: 'x', changes: [{ path: 'a', replaces: [{ message: messageId(1), index: 0 }], offer }] }).data
    const mutated = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, value]) => good.map((byte, i) => (i === at ? value : byte)))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (data) => {
        const read = folderContent.read({ type: 'covey/folder', version: 1, data: Uint8Array.from(data) })
        for (const change of read?.changes ?? []) expect(change === undefined || isFolderPath(change.path)).toBe(true)
      }),
      { numRuns: 3_000 }
    )
  })

  it('leaves out a change of a kind that is not known, and reads the others', () => {
    const known = folderContent.create({ name: 'x', changes: [{ path: 'a', replaces: [] }, { path: 'b', replaces: [] }] })
    const data = Uint8Array.from(known.data)
    // The kind is the last byte of each.
    data[data.length - 1] = 9
    expect(folderContent.read({ ...known, data })?.changes).toEqual([{ path: 'a', replaces: [] }, undefined])
  })
})

it('a conflict copy has a name that is safe, whatever its author is called', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat(511), (name, index) => {
      expect(isFolderPath(conflictPath('a/tea.txt', name, `${messageId(index)}.${index}`))).toBe(true)
    })
  )
})

it('patterns name what they say, and take no time', () => {
  const cases: [pattern: string, path: string, isIgnored: boolean][] = [
    ['*.tmp', 'a.tmp', true], ['*.tmp', 'x/y/a.tmp', true], ['*.tmp', 'a.tmpx', false], ['build', 'x/build/y', true], ['build/', 'build/y', true],
    ['/build', 'build/y', true], ['/build', 'x/build', false], ['x/*.txt', 'x/a.txt', true], ['x/*.txt', 'x/y/a.txt', false], ['x/**/a', 'x/a', true],
    ['x/**/a', 'x/y/z/a', true], ['x/**/a', 'y/a', false], ['?at', 'cat', true], ['?at', 'at', false], ['**', 'any/thing', true], ['a*b*c', 'aXXbYYc', true],
    ['a*b*c', 'aXXcYYb', false], ['[a]', 'a', false], ['(a|a)*', 'aaa', false]
  ]
  for (const [pattern, path, is] of cases) expect([pattern, path, createIgnore([pattern])(path)]).toEqual([pattern, path, is])
  const slow = createIgnore([`${'*a'.repeat(120)}b`, `${'**/a/'.repeat(50)}b`])
  const startedAt = performance.now()
  expect(slow(Array.from({ length: 30 }, () => 'a'.repeat(30)).join('/'))).toBe(false)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})

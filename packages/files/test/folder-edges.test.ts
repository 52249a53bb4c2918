import { expect, it } from 'vitest'
import { createEvents } from '@covey/core'
import { FileError, folderContent, MAX_FOLDER_PATHS, type FolderChange, type FolderMessage, type FolderRoom } from '@covey/files'
import { MAX_FOLDERS } from '../src/constants.js'
import { createFolder, type FolderFiles } from '../src/internal/folder/create-folder.js'
import { Downloads, type DownloadsInit } from '../src/internal/folder/downloads.js'
import { RoomFolders } from '../src/internal/folder/room-folders.js'
import { FolderState } from '../src/internal/folder/state.js'
import { codeOf, connect, startPeer, until, useLocalNetwork } from './support.js'

const local = useLocalNetwork()
const offer = { signer: new Uint8Array(32).fill(1), key: new Uint8Array(32).fill(2), name: 'tea.txt', type: 'text/plain', size: 5 }
const person = { author: 'alice', authorName: 'Alice', sentAt: 0 }

it('a save that waits for its turn hears its signal, and the others keep theirs', async () => {
  const [alice, bob] = [await startPeer(local), await startPeer(local)]
  const { content } = await alice.files.share(new Uint8Array(100_000), { name: 'film' })
  const file = bob.files.open(content)
  // It is written down then, so that the first call has the first turn.
  await file.link()
  const first = file.saveTo(bob.desk)
  await until(file, ({ state }) => state === 'waiting')
  const reason = new Error('no more')
  const stop = new AbortController()
  const second = file.saveTo(bob.desk, { signal: stop.signal })
  const third = file.saveTo(bob.desk)
  stop.abort(reason)
  await expect(second).rejects.toBe(reason)
  await connect(bob, alice)
  expect(await Promise.all([first, third])).toEqual([`${bob.desk}/film`, `${bob.desk}/film (2)`])
})

it('a download that cannot even begin is told of', async () => {
  const state = new FolderState()
  state.apply({ ...person, id: 'm' }, { name: 'Photos', changes: [{ path: 'tea.txt', replaces: [], offer }] })
  const told: unknown[] = []
  const downloads = new Downloads({
    state,
    open() {
      throw new FileError('FILES_CLOSED', 'closed')
    },
    onerror: (error) => void told.push(error)
  } as Partial<DownloadsInit> as DownloadsInit)
  downloads.add(state.files('tea.txt')[0]!, 'tea.txt')
  expect(await codeOf(() => downloads.next())).toBe('FILES_CLOSED')
  expect(told).toHaveLength(1)
})

it('a folder that others fill while something is put says so, and keeps nothing of it', async () => {
  const state = new FolderState()
  const fill = (id: string, from: number, to: number): void => {
    const changes = Array.from({ length: to - from }, (_, i): FolderChange => ({ path: `${from + i}`, replaces: [], offer }))
    state.apply({ ...person, id }, { name: 'Photos', changes })
  }
  fill('many', 0, MAX_FOLDER_PATHS - 1)
  const folders = {
    folder: () => ({ state, events: createEvents() }),
    async send(name: string, changes: readonly FolderChange[]) {
      fill('another', MAX_FOLDER_PATHS - 1, MAX_FOLDER_PATHS)
      state.apply({ ...person, id: 'own' }, { name, changes })
      return 'own'
    }
  }
  let forgotten = 0
  const files = { share: async () => ({ record: { offer }, forget: async () => void forgotten++ }) }
  const folder = createFolder('Photos', folders as unknown as RoomFolders, files as unknown as FolderFiles)
  expect(await codeOf(() => folder.put('tea.txt', new Uint8Array(5)))).toBe('FOLDER_FULL')
  expect(forgotten).toBe(1)
})

it('folders whose messages were taken back take the place of no other', async () => {
  const offered = (name: string, id: string): FolderMessage => ({
    ...person, id, kind: 'content', edits: 0, content: folderContent.create({ name, changes: [{ path: 'a', replaces: [], offer }] })
  })
  const spam = Array.from({ length: MAX_FOLDERS }, (_, i) => offered(`Spam ${i}`, `${i}`))
  const log = [...spam, ...spam.map((message) => ({ ...message, kind: 'deleted' })), offered('Photos', 'real'), offered('Last', 'last')]
  const room = {
    async *messages({ live = false }) {
      if (live) yield* log
    },
    settled: async () => undefined,
    on: () => () => undefined
  }
  const errors: unknown[] = []
  const folders = new RoomFolders(room as Partial<FolderRoom> as FolderRoom, { entries: [] } as never, (error) => errors.push(error))
  const changed = folders.folder('Last').events.once('change')
  await folders.open()
  await changed
  expect(folders.folder('Photos').state.paths()).toEqual(['a'])
  expect(errors).toEqual([])
})

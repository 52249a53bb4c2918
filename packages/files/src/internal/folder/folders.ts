import { assertString } from '@covey/core'
import { MAX_FOLDER_NAME_BYTES } from '../../constants.js'
import { isFolderName } from '../../folder-content.js'
import type { Folder, FolderRoom } from '../../folder.js'
import { createFolder, type FolderFiles } from './create-folder.js'
import type { Journal } from './journal.js'
import { RoomFolders } from './room-folders.js'

/** The folders of all rooms in which one was asked for. */
export class Folders {
  readonly #files: FolderFiles
  readonly #openJournal: (room: string) => Promise<Journal>
  readonly #onerror: (error: unknown) => void
  readonly #rooms = new Map<string, { readonly room: FolderRoom; readonly opening: Promise<RoomFolders> }>()
  #isClosed = false

  constructor(files: FolderFiles, openJournal: (room: string) => Promise<Journal>, onerror: (error: unknown) => void) {
    this.#files = files
    this.#openJournal = openJournal
    this.#onerror = onerror
  }

  async folder(room: FolderRoom, name: string): Promise<Folder> {
    assertString(name, 'name', { minLength: 1, maxBytes: MAX_FOLDER_NAME_BYTES })
    if (!isFolderName(name)) throw new TypeError('name must be in NFC')
    this.#files.assertOpen()
    return createFolder(name, await this.#foldersOf(room), this.#files)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const mirrors = [...this.#files.mirrors.values()].flatMap((mirror) => (mirror === 'opening' ? [] : mirror))
    await Promise.all(mirrors.map((mirror) => mirror.close()))
    await Promise.all([...this.#rooms.values()].map(({ opening }) => closeOpened(opening)))
  }

  #foldersOf(room: FolderRoom): Promise<RoomFolders> {
    const known = this.#rooms.get(room.id)
    if (known?.room === room) return known.opening
    // A room that was left, and entered again, is another.
    const opening = (known === undefined ? Promise.resolve() : closeOpened(known.opening)).then(() => this.#open(room))
    this.#rooms.set(room.id, { room, opening })
    // One that did not open is tried again.
    opening.catch(() => {
      if (this.#rooms.get(room.id)?.opening === opening) this.#rooms.delete(room.id)
    })
    return opening
  }

  async #open(room: FolderRoom): Promise<RoomFolders> {
    const opened = new RoomFolders(room, await this.#openJournal(room.id), this.#onerror)
    await opened.open()
    if (this.#isClosed) await opened.close()
    return opened
  }
}

/** One that did not open was told of. */
async function closeOpened(opening: Promise<RoomFolders>): Promise<void> {
  const opened = await opening.catch(() => undefined)
  await opened?.close()
}

import { createEvents, isCoveyError, type Content, type EventEmitter } from '@covey/core'
import { MAX_FOLDERS } from '../../constants.js'
import { FileError } from '../../errors.js'
import { folderContent, type FolderChange } from '../../folder-content.js'
import type { FolderEvents, FolderMessage, FolderRoom } from '../../folder.js'
import type { Journal, JournalEntry } from './journal.js'
import { FolderState, type ChangeSource } from './state.js'

/** One folder, as the messages of the room have made it. */
export interface KnownFolder {
  readonly state: FolderState
  readonly events: EventEmitter<FolderEvents>
}

/** Of how many messages it is looked, when something has changed in the room, whether it has taken them back; of all when it is opened. */
const MAX_RECENT = 64
/** Not for each of many changes. */
const LOOK_MS = 1_000
/** How many messages that could not be read are remembered. */
const MAX_UNREADABLE = 1_024

/** The folders of one room: reads its messages once, and from then on those that come. */
export class RoomFolders {
  readonly room: FolderRoom
  readonly #journal: Journal
  readonly #onerror: (error: unknown) => void
  readonly #folders = new Map<string, KnownFolder>()
  /** The names that somebody here has asked for. */
  readonly #asked = new Set<string>()
  /** Which folder a message changes. */
  readonly #messages = new Map<string, string>()
  readonly #unreadable = new Set<string>()
  #recent: string[] = []
  #isClosed = false
  #looking: Promise<void> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined
  #stopListening: () => void = () => undefined

  constructor(room: FolderRoom, journal: Journal, onerror: (error: unknown) => void) {
    this.room = room
    this.#journal = journal
    this.#onerror = onerror
  }

  /** Resolves when all that is here of the room was read. */
  async open(): Promise<void> {
    for (const entry of this.#journal.entries) this.#replay(entry)
    const cursor = this.#journal.entries.flatMap((entry) => (entry.kind === 'cursor' ? entry.message : [])).at(-1)
    const since = await this.#catchUp(cursor).catch(async (error: unknown) => {
      if (cursor === undefined || !isCoveyError(error, 'MESSAGE_NOT_FOUND')) throw error
      // The room has another past than it had.
      await this.#journal.clear()
      this.#folders.forEach(({ state }) => this.#messages.forEach((_, message) => void state.withdraw(message)))
      this.#messages.clear()
      return this.#catchUp(undefined)
    })
    for await (const message of this.room.messages({ ...(since !== undefined && { since }) })) await this.#take(message)
    this.#stopListening = this.room.on('update', () => this.#look())
    this.#follow(since).catch((error: unknown) => this.#fail(error))
    this.#looking = this.#lookAtAll().catch((error: unknown) => this.#fail(error))
  }

  /** There is always a folder of a name, which may have nothing in it. */
  folder(name: string): KnownFolder {
    this.#asked.add(name)
    return this.#folder(name)
  }

  #folder(name: string): KnownFolder {
    const known = this.#folders.get(name)
    if (known !== undefined) return known
    const folder = { state: new FolderState(), events: createEvents<FolderEvents>() }
    this.#folders.set(name, folder)
    return folder
  }

  /** Writes changes to the room. @returns the id of the message. */
  async send(name: string, changes: readonly FolderChange[]): Promise<string> {
    if (this.#isClosed) throw new FileError('FILES_CLOSED', 'The files of this peer are closed.')
    const message = await this.room.send(folderContent.create({ name, changes }))
    await this.#take(message)
    return message.id
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopListening()
    clearTimeout(this.#timer)
    await this.#looking
  }

  /** Reads what has got a place that it keeps, and writes that down. @returns the last message of it. */
  async #catchUp(cursor: string | undefined): Promise<string | undefined> {
    const settled = await this.room.settled()
    if (settled === undefined || settled === cursor) return cursor
    const entries: JournalEntry[] = []
    for await (const message of this.room.messages({ ...(cursor !== undefined && { since: cursor }) })) {
      entries.push(...(await this.#take(message)))
      if (message.id !== settled) continue
      await this.#journal.append([...entries, { kind: 'cursor', message: settled }])
      return settled
    }
    return cursor
  }

  async #follow(since: string | undefined): Promise<void> {
    for await (const message of this.room.messages({ live: true, pending: false, ...(since !== undefined && { since }) })) {
      if (this.#isClosed) return
      await this.#take(message)
    }
  }

  /** @returns what is to be written down of the message, once it has its place. */
  async #take(message: FolderMessage): Promise<JournalEntry[]> {
    const { id, kind, author, authorName, sentAt } = message
    // Of somebody who is blocked nothing is shown, until they are not any more.
    if (kind === 'unreadable' || kind === 'blocked') {
      this.#unreadable.add(id)
      if (this.#unreadable.size > MAX_UNREADABLE) this.#unreadable.delete(this.#unreadable.values().next().value!)
      return [{ kind: 'unreadable', message: id }]
    }
    this.#unreadable.delete(id)
    if (kind === 'deleted') {
      this.#withdraw(id)
      return [{ kind: 'withdrawn', message: id }]
    }
    // What it said first: an edit of a message changes no folder.
    const content = message.edits > 0 ? (await this.room.edits(id))[0]?.content : message.content
    const source = { id, author, authorName, sentAt }
    return content !== undefined && this.#apply(source, content) ? [{ kind: 'change', source, content }] : []
  }

  #replay(entry: JournalEntry): void {
    if (entry.kind === 'change') this.#apply(entry.source, entry.content)
    else if (entry.kind === 'withdrawn') this.#withdraw(entry.message)
    else if (entry.kind === 'unreadable') this.#unreadable.add(entry.message)
    if (entry.kind === 'change' || entry.kind === 'withdrawn') this.#unreadable.delete(entry.kind === 'change' ? entry.source.id : entry.message)
  }

  /** @returns whether it changes a folder. */
  #apply(source: ChangeSource, content: Content): boolean {
    const changes = folderContent.read(content)
    if (changes === undefined) return false
    if (!this.#folders.has(changes.name) && this.#folders.size >= MAX_FOLDERS) return false
    const { state, events } = this.#folder(changes.name)
    if (!this.#messages.has(source.id)) this.#recent = [...this.#recent.slice(1 - MAX_RECENT), source.id]
    this.#messages.set(source.id, changes.name)
    for (const path of state.apply(source, changes)) void events.emit('change', { path })
    return true
  }

  #withdraw(message: string): void {
    const name = this.#messages.get(message)
    if (name === undefined) return
    this.#messages.delete(message)
    const { state, events } = this.#folder(name)
    for (const path of state.withdraw(message)) void events.emit('change', { path })
    // What members put and took back again leaves no place taken.
    if (state.isEmpty && !this.#asked.has(name)) this.#folders.delete(name)
  }

  /** Looks at what may be other than it was, a little later, with what else comes until then. */
  #look(): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#looking = this.#looking.then(() => this.#lookAgain()).catch((error: unknown) => this.#fail(error))
    }, LOOK_MS)
  }

  async #lookAgain(): Promise<void> {
    for (const id of [...this.#recent, ...[...this.#unreadable].slice(-MAX_RECENT)]) await this.#lookAt(id)
  }

  /** What was written down may have been deleted since, or can be read now. */
  async #lookAtAll(): Promise<void> {
    for (const id of [...this.#messages.keys(), ...this.#unreadable]) {
      const wasKnown = this.#messages.has(id)
      await this.#lookAt(id)
      if (wasKnown && !this.#messages.has(id)) await this.#journal.append([{ kind: 'withdrawn', message: id }])
    }
  }

  /** What a room that was closed does not do is no failure. */
  #fail(error: unknown): void {
    if (!this.#isClosed && !isCoveyError(error, 'ROOM_CLOSED')) this.#onerror(error)
  }

  async #lookAt(id: string): Promise<void> {
    if (this.#isClosed) return
    const message = await this.room.message(id)
    if (message === undefined) this.#withdraw(id)
    else if (message.kind === 'deleted' || !this.#messages.has(id)) await this.#take(message)
  }
}

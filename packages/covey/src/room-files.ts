import { assertOptions, assertSignal, isCoveyError, raceSignal, throwIfAborted } from '@covey/core'
import { fileContent, type Files, type FileSource, type Folder, type Holding, type SharedFile, type ShareOptions } from '@covey/files'
import type { FileCores } from '@covey/files/internal'
import type { Message, Room, SendOptions } from '@covey/rooms'

/** How {@link RoomFiles.share} shares, and sends. */
export interface ShareInRoomOptions extends ShareOptions, Pick<SendOptions, 'replyTo' | 'thread'> {
  /**
   * Whether the mirrors of the room, and the peer's, are to hold the file, so that members get it while this device is
   * away. Default: by its size, as `mirrorFiles` of `createPeer` says.
   */
  readonly mirror?: boolean
}

/** A file, and the message that offers it. */
export interface FileMessage {
  readonly message: Message
  readonly file: SharedFile
}

/** The files of one room. */
export interface RoomFiles {
  /**
   * Shares a file as `peer.files.share` does, and offers it by a message, so that the members, and nobody else, can have it.
   * Resolves when the message is durable on this device; the source may still be read then. Where the room does not
   * take the message, the file is forgotten.
   *
   * @throws {FileError} FILE_NOT_FOUND, FILE_UNREADABLE, FILE_IS_FOLDER, STORAGE_…, FILES_CLOSED
   * @throws {RoomError} what sending a message fails with
   * @throws the signal's `reason` when it is aborted; what was handed to the room by then is sent.
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer({ storage: './alice', name: 'Alice' })
   * const room = await alice.rooms.create({ name: 'Tea' })
   * const { file } = await room.files.share('./film.mp4', { type: 'video/mp4' })
   * file.on('changed', ({ path }) => console.log(`${path} is not what it was`))
   * ```
   */
  share(source: FileSource, options?: ShareInRoomOptions): Promise<FileMessage>
  /**
   * The file that a message offers, or `undefined` where it offers none, or none that this version can read. Nothing is
   * fetched before something is asked of it. Whoever may send to the room can have chosen all that it says of itself.
   *
   * @throws {FileError} FILES_CLOSED
   */
  of(message: Pick<Message, 'content'>): SharedFile | undefined
  /** How long this device keeps what it has fetched of the room's files, and gives it to others. Default: the peer's. */
  readonly holding: Holding
  /**
   * Says so, from now on and over restarts; with `null`, as the peer does everywhere. What is here is dealt with
   * accordingly when it resolves. A file that is offered in several rooms is kept as the one says that keeps it for longest.
   *
   * @throws {FileError} STORAGE_…, FILES_CLOSED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const peer = await createPeer({ storage: './alice', files: { budgetBytes: 10e9 } })
   * const room = await peer.rooms.create({ name: 'Tea' })
   * await room.files.setHolding({ forMs: 7 * 86_400_000 })
   * ```
   */
  setHolding(holding: Holding | null): Promise<void>
  /**
   * The folder of this name, which all share who may send to the room: there always is one, which may be empty. Its changes are messages
   * of the room, with a content of `folderContent`.
   *
   * @param name 1 to 255 bytes as UTF-8, in NFC.
   * @throws {FileError} FILES_CLOSED, STORAGE_…
   * @throws {RoomError} ROOM_CLOSED
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer({ storage: './alice', name: 'Alice' })
   * const room = await alice.rooms.create({ name: 'Tea' })
   * const photos = await room.files.folder('Photos')
   * await photos.put('2026/cake.jpg', './cake.jpg', { type: 'image/jpeg' })
   * await photos.mirror('./photos')
   * ```
   */
  folder(name: string): Promise<Folder>
}

/** After these the message may have been sent all the same: who gets it is to get the file. */
const MAYBE_SENT = ['ROOM_CLOSED', 'ROOM_STORAGE_FAILED']

/** The files of `room`, among those of this peer. */
export function filesIn(room: Room, files: Files, cores: FileCores): RoomFiles {
  async function share(source: FileSource, { replyTo, thread, mirror, ...how }: ShareInRoomOptions): Promise<FileMessage> {
    const file = await files.share(source, how)
    const offer = async (by: { readonly message?: string }): Promise<void> => {
      if (mirror !== false) await cores.offer(file.id, { group: room.id, isAsked: mirror === true, ...by })
    }
    try {
      throwIfAborted(how.signal)
      // Without the signal, so that it is known what became of it.
      const message = await room.send(file.content, { ...(replyTo !== undefined && { replyTo }), ...(thread !== undefined && { thread }) })
      await offer({ message: message.id })
      return { message, file }
    } catch (error) {
      if (MAYBE_SENT.some((code) => isCoveyError(error, code))) await offer({})
      else await file.forget()
      throw error
    }
  }

  return {
    async share(source, options = {}) {
      assertOptions(options, 'options', ['name', 'type', 'width', 'height', 'preview', 'copy', 'replyTo', 'thread', 'mirror', 'signal'])
      if (options.mirror !== undefined && typeof options.mirror !== 'boolean') throw new TypeError('options.mirror must be true or false')
      assertSignal(options.signal, 'options.signal')
      return raceSignal(share(source, options), options.signal)
    },
    of({ content }) {
      return content !== undefined && fileContent.read(content) !== undefined ? files.open(content, { group: room.id }) : undefined
    },
    get holding() {
      return files.holdingOf(room.id)
    },
    setHolding: (holding) => files.setHolding(room.id, holding),
    folder: (name) => files.folder(room, name)
  }
}

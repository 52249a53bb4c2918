import type { Content, EventSource } from '@covey/core'
import type { FileError } from './errors.js'
import type { SharedFile } from './file.js'
import type { Holding } from './holding.js'
import type { Folder, FolderRoom } from './folder.js'
import type { Preview } from './offer.js'

/** What happens to the files of a peer. */
export interface FilesEvents {
  /** Something failed in the background. */
  error: FileError
}

/** What can be shared: a path, which is read in place; bytes; or a stream, which is read once. */
export type FileSource = string | Uint8Array | AsyncIterable<Uint8Array>

/** How {@link Files.share} shares. */
export interface ShareOptions {
  /** Default: the last part of the path, or `file`. At most {@link MAX_FILE_NAME_BYTES} as UTF-8. */
  readonly name?: string
  /** The media type. Default: none. */
  readonly type?: string
  /** Of a picture or a video, in pixels. */
  readonly width?: number
  readonly height?: number
  /** A small picture of it, for the message. */
  readonly preview?: Preview
  /** Copies the file of a path, sealed, so that it may change or go. Default `false`. */
  readonly copy?: boolean
  /** Stops before anything is shared. */
  readonly signal?: AbortSignal
}

/** How {@link Files.open} opens. */
export interface OpenOptions {
  /**
   * In what the file is offered, at most 255 bytes: a room's id, say. What is here of it is kept as {@link Files.setHolding} says
   * of that; of a file that is offered in several, as the one says that keeps it for longest.
   */
  readonly group?: string
}

/** The files of a peer. */
export interface Files extends EventSource<FilesEvents> {
  /**
   * Shares a file, and resolves as soon as it can be offered: the source is read in the background, and others have its
   * begin while it is. The file of a path is not copied: it has to stay where it is, and as it is. One that changes is told
   * of by the file's `changed` event, and what has changed is given to nobody.
   *
   * @throws {FileError} FILE_NOT_FOUND, FILE_UNREADABLE, FILE_IS_FOLDER, STORAGE_…, FILES_CLOSED
   * @throws {TypeError} that names the field.
   */
  share(source: FileSource, options?: ShareOptions): Promise<SharedFile>
  /**
   * The file of a content, as a message carries it, or of a link. Nothing is fetched before something is asked of it.
   *
   * @throws {FileError} OFFER_MALFORMED, FILES_CLOSED
   * @throws {CoreError} LINK_… for a text that is no whole link
   */
  open(offer: Content | string, options?: OpenOptions): SharedFile
  /**
   * Says how long what others have shared in a group is kept, from now on and over restarts, and gives back what is to be kept
   * no longer; with `null`, as long as everything. Resolves when that is done.
   *
   * @throws {FileError} STORAGE_…, FILES_CLOSED
   */
  setHolding(group: string, holding: Holding | null): Promise<void>
  /** How long what others have shared in a group is kept. */
  holdingOf(group: string): Holding
  /** The file of this id, if it is known here. */
  get(id: string): SharedFile | undefined
  /**
   * The folder of this name in a room: there always is one, which may be empty. The first call for a room reads its messages, once;
   * those after a restart go on from there.
   *
   * @param name at most {@link MAX_FOLDER_NAME_BYTES} as UTF-8, in NFC.
   * @throws {FileError} FILES_CLOSED, STORAGE_…
   * @throws what reading the room fails with
   */
  folder(room: FolderRoom, name: string): Promise<Folder>
  /** The files that are here, wholly or partly. */
  list(): SharedFile[]
  /** Stops all that is going on, and gives nothing any more. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

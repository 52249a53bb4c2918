import type { Content, EventSource } from '@covey/core'
import type { FileError, FileErrorCode } from './errors.js'
import type { SharedFile } from './file.js'
import type { FileSource } from './files.js'

/** A message of a {@link FolderRoom}. */
export interface FolderMessage {
  readonly id: string
  /** The id of the person who wrote it: proven by the room. */
  readonly author: string
  readonly authorName: string
  /** Milliseconds since 1970, by the author's clock. */
  readonly sentAt: number
  readonly kind: string
  readonly content?: Content
  /** How often it was edited. */
  readonly edits: number
}

/** Where the changes of folders are written, and who may read and write them: a `Room` of `@covey/rooms`. */
export interface FolderRoom {
  readonly id: string
  send(content: Content): Promise<FolderMessage>
  messages(options: { readonly since?: string; readonly live?: boolean; readonly pending?: boolean }): AsyncIterable<FolderMessage>
  message(id: string): Promise<FolderMessage | undefined>
  edits(id: string): Promise<readonly { readonly content?: Content }[]>
  settled(): Promise<string | undefined>
  on(event: 'update', handler: () => unknown): () => void
}

/** What was put at a path once, or that it was removed. Plain data. */
export interface FolderVersion {
  /** Unique, and the same on every device. */
  readonly id: string
  readonly path: string
  /** The id of the identity whose device wrote it: proven, not claimed. */
  readonly author: string
  /** The name that the author went by when this device read it, or `''`. */
  readonly authorName: string
  /** Milliseconds since 1970, by the author's clock: advice only, it orders nothing. */
  readonly changedAt: number
  readonly isRemoved: boolean
  /** The media type, or `''`. */
  readonly type: string
  /** In bytes; `null` where it was not known, or nothing is left. */
  readonly size: number | null
}

/** What is at a path now. */
export interface FolderEntry extends FolderVersion {
  /**
   * What others have put at the same path without having seen this version. They stay until somebody puts or removes what
   * is there, having seen them. Which of them all is the entry, every device decides alike.
   */
  readonly conflicts: readonly FolderVersion[]
}

/** How {@link Folder.put} puts. */
export interface FolderPutOptions {
  /** The media type. Default: none. */
  readonly type?: string
  /** As `copy` of {@link ShareOptions}. Default `false`. */
  readonly copy?: boolean
  /** Stops before anything is written to the room. */
  readonly signal?: AbortSignal
}

/** What happens to a folder. Hints for a display. */
export interface FolderEvents {
  /** What is at the path, or was there before, is other than it was. */
  change: { readonly path: string }
  /** Something failed in the background. */
  error: FileError
}

/**
 * Files by paths that the members of a room share: all who may send to the room may change it, each change is a
 * message of the room, and no change undoes another that it has not seen.
 */
export interface Folder extends EventSource<FolderEvents> {
  readonly name: string
  /** What is in it, in the order of the paths. */
  entries(options?: {
    /** Only paths that begin so. */
    readonly prefix?: string
  }): Promise<FolderEntry[]>
  /**
   * Shares a file as `files.share` does, and puts it at a path, in place of all that this device has seen there. Resolves
   * when that is durable on this device.
   *
   * @param path names joined by `/`, each safe on every system: see {@link isFolderPath}.
   * @throws {FileError} FOLDER_FULL, and what sharing fails with
   * @throws what sending to the room fails with: the file is forgotten then, unless it may have been sent.
   * @throws {TypeError} for a path that is none.
   */
  put(path: string, source: FileSource, options?: FolderPutOptions): Promise<FolderVersion>
  /**
   * The file at a path. Nothing is fetched before something is asked of it.
   *
   * @throws {FileError} FOLDER_ENTRY_NOT_FOUND, FILES_CLOSED
   */
  get(
    path: string,
    options?: {
      /** The id of one of {@link history}. Default: the entry's. */
      readonly version?: string
    }
  ): Promise<SharedFile>
  /**
   * Takes away what this device has seen at a path. What was there stays in the history.
   *
   * @throws {FileError} FOLDER_ENTRY_NOT_FOUND
   * @throws what sending to the room fails with
   */
  remove(path: string): Promise<void>
  /** What was at a path, newest first: all that stand, and of the others the last {@link MAX_FOLDER_VERSIONS}. */
  history(path: string): Promise<FolderVersion[]>
  /**
   * Keeps a directory of this machine in step with the folder. Of one folder there is one mirror at a time.
   *
   * Nothing of the user's is overwritten or deleted: what others have replaced or removed is moved to `.covey/replaced` in the
   * directory, and where both sides have something, the one is given a name of its own beside the other.
   *
   * @param directory there already. Hidden files in it are left alone, and links are not followed.
   * @throws {FileError} FILE_NOT_FOUND where there is no such directory, FOLDER_MIRRORED, STORAGE_…, FILES_CLOSED
   */
  mirror(directory: string, options?: MirrorOptions): Promise<Mirror>
}

/** How {@link Folder.mirror} mirrors. */
export interface MirrorOptions {
  /** Whose changes count. Default `both`. */
  readonly direction?: 'both' | 'to-folder' | 'to-directory'
  /**
   * What is left alone on both sides: `*` is any part of a name, `?` a character, `**` any number of folders. A pattern without
   * `/` is for names at any depth, another for paths from the top. At most 256.
   */
  readonly ignore?: readonly string[]
  /** Whether to go on until it is closed; else only {@link Mirror.sync} does something. Default `true`. */
  readonly watch?: boolean
  /** As `copy` of {@link ShareOptions}: keeps each version, also when its file is written over. Default `false`. */
  readonly copy?: boolean
  /** Closes the mirror. */
  readonly signal?: AbortSignal
}

/** What a {@link Mirror} does. Hints for a display. */
export interface MirrorEvents {
  /** A path was brought in step. */
  change: {
    readonly path: string
    readonly to: 'folder' | 'directory'
    readonly kind: 'put' | 'removed' | 'conflict'
    /** Where it is in the directory, whole; of what was removed by others, where it was moved to. */
    readonly file: string
  }
  /** Something is left as it is, for this reason. Told once, until it is other. */
  skip: { readonly path: string; readonly code: FileErrorCode }
  /** Something failed, and is tried again. */
  error: FileError
}

/** A directory that is kept in step with a folder. */
export interface Mirror extends EventSource<MirrorEvents> {
  /** Its path, whole and without links. */
  readonly directory: string
  /**
   * Looks at both sides now, and resolves when they are in step. Waits for as long as nobody has what is missing.
   *
   * @throws {FileError} DIRECTORY_GONE, FOLDER_FULL, STORAGE_…, FILES_CLOSED
   * @throws what sending to the room fails with, and the signal's `reason` when it is aborted.
   */
  sync(options?: { readonly signal?: AbortSignal }): Promise<void>
  /** Stops, and leaves everything as it is. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

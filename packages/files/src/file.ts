import type { Content, EventSource } from '@covey/core'
import type { FileError } from './errors.js'
import type { FileInfo } from './offer.js'

/**
 * - `waiting`: something is asked for, and nobody is there who has it.
 * - `receiving`: something is asked for, and comes.
 * - `idle`: nothing is asked for, and not all is here.
 * - `reading`: this device shares it, and has not read it to its end yet.
 * - `whole`: all of it is here, and verified.
 * - `changed`: this device shared it, and it is not what it was: what has changed is given to nobody.
 */
export type FileState = 'waiting' | 'receiving' | 'idle' | 'reading' | 'whole' | 'changed'

/** How far a file is. Plain data. */
export interface FileProgress {
  readonly state: FileState
  /** How many bytes are on this device and verified. */
  readonly receivedBytes: number
  /** `null` while the sharer does not know either. */
  readonly totalBytes: number | null
  /** Over the last seconds. */
  readonly bytesPerSecond: number
  /** How long the rest takes at this speed; `null` where that cannot be said. */
  readonly etaMs: number | null
  /** How many connected devices have some of it. */
  readonly holders: number
}

/** What happens to a file. Hints for a display: they may be missed. */
export interface FileEvents {
  /** At most four times a second while something goes on, and once at its end. */
  progress: FileProgress
  /** A file that this device shares in place was changed, moved or removed. */
  changed: { readonly path: string }
  /** Something failed in the background. */
  error: FileError
}

/** Which bytes {@link SharedFile.stream} gives. */
export interface StreamOptions {
  /** The first byte. Default 0. */
  readonly start?: number
  /** The byte after the last one. Default: the end of the file. */
  readonly end?: number
  /** Ends the iteration with its reason. */
  readonly signal?: AbortSignal
}

/** How {@link SharedFile.bytes} reads. */
export interface BytesOptions {
  /** Fails for a larger file, before anything of it is fetched where its size is known. */
  readonly maxBytes: number
  readonly signal?: AbortSignal
}

/** How {@link SharedFile.saveTo} saves. */
export interface SaveOptions {
  /** In place of the sharer's; made safe as well. */
  readonly name?: string
  readonly signal?: AbortSignal
}

/** A file that somebody has shared: here, elsewhere, or partly here. What arrives is verified block by block. */
export interface SharedFile extends EventSource<FileEvents>, FileInfo {
  /** Unique, and the same on every device; z-base-32. It gives no access. */
  readonly id: string
  /** In bytes, as the sharer said or as was found at its end; `null` while it is not known. */
  readonly size: number | null
  /** Whether this device shares it. */
  readonly isOwn: boolean
  /** What a room sends, so that its members, and nobody else, can have the file. */
  readonly content: Content
  progress(): Promise<FileProgress>
  /**
   * The bytes, as they come. A range fetches what it needs and little more: at most 4 MiB ahead of the reader. Waits for
   * as long as nobody has what is missing.
   *
   * @throws {FileError} FILE_OUT_OF_RANGE, FILE_CHANGED, FILE_DAMAGED, FILE_FORGOTTEN, FILES_CLOSED, STORAGE_…
   * @throws the signal's `reason` when it is aborted.
   */
  stream(options?: StreamOptions): AsyncIterable<Uint8Array>
  /**
   * The whole file, in memory.
   *
   * @throws {FileError} FILE_TOO_LARGE, and what {@link SharedFile.stream} throws
   */
  bytes(options: BytesOptions): Promise<Uint8Array>
  /**
   * Saves the file in a folder that exists, and resolves with its path when it is whole, verified and durable. Until then
   * the bytes are in a hidden file beside, from which the same call goes on, also after a restart. The name is the
   * sharer's, made safe for any system, and numbered where it is taken: nothing is ever overwritten.
   *
   * What was saved is shared from where it is, as long as it is not changed.
   *
   * @throws {FileError} FILE_NOT_FOUND where there is no such folder, and what {@link SharedFile.stream} throws
   */
  saveTo(folder: string, options?: SaveOptions): Promise<string>
  /**
   * An address from which any player or browser on this machine plays the file, and seeks in it, while it comes: what is asked
   * for is fetched, and little more. The same at each call, until the file is forgotten or the files are closed. Whoever on
   * this machine knows the text reads the file by it: give it to a player, and to nobody else. What fails while something is
   * played is told of by `error`.
   *
   * Served as what the sharer says it is where that is sound, a film, a picture or a PDF, and as bytes where not: a browser
   * runs nothing of it.
   *
   * @throws {FileError} URL_UNAVAILABLE, FILE_FORGOTTEN, FILES_CLOSED
   */
  url(): Promise<string>
  /**
   * A text with which anybody can have the file, from whoever has it and is connected: `covey:file/…`. From now on this
   * device is found by it, until the file is forgotten or the link is taken back.
   */
  link(): Promise<string>
  /** Is not found by the link any more; what somebody else has, they may go on giving. Idempotent. */
  unlink(): Promise<void>
  /** Removes what this package keeps of it, and gives it to nobody any more. A file of the user's stays. Idempotent. */
  forget(): Promise<void>
}

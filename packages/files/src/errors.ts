import { CoveyError } from '@covey/core'

/**
 * - `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `FILE_IS_FOLDER`: the path cannot be shared.
 * - `FILE_CHANGED`: the shared file is not what it was when it was shared, or was not read to its end.
 * - `FILE_DAMAGED`: what the sharer signed is no file as the offer says: a size that lies, say.
 * - `FILE_TOO_LARGE`: the file is larger than the caller allows.
 * - `FILE_FORGOTTEN`: the file was forgotten on this device.
 * - `FILE_OUT_OF_RANGE`: the range begins after the end of the file.
 * - `OFFER_MALFORMED`: the content, or the link, is no offer of a file.
 * - `STORAGE_FULL`: the disk has no room; what has arrived is kept, and the same call goes on from there.
 * - `STORAGE_FAILED`: the disk did not take, or give, the bytes.
 * - `URL_UNAVAILABLE`: this machine lets nothing listen on its loopback address.
 * - `FOLDER_ENTRY_NOT_FOUND`: at the path there is nothing, or not this version.
 * - `FOLDER_FULL`: there are as many paths as a folder may have.
 * - `FOLDER_MIRRORED`: another directory is kept in step with the folder.
 * - `DIRECTORY_GONE`: the directory of a mirror is not there any more.
 * - `PATH_UNSAFE`: the name of a file is none on every system.
 * - `PATH_IS_LINK`: what is there is a link, or no file.
 * - `PATH_TAKEN`: a file has the name of a folder, or as many are in conflict as are shown.
 * - `FILES_CLOSED`: the files of this peer were closed.
 * - `UPSTREAM_UNSUPPORTED`: a module of the stack has a version that this was not written for.
 */
export type FileErrorCode =
  | 'FILE_NOT_FOUND'
  | 'FILE_UNREADABLE'
  | 'FILE_IS_FOLDER'
  | 'FILE_CHANGED'
  | 'FILE_DAMAGED'
  | 'FILE_TOO_LARGE'
  | 'FILE_FORGOTTEN'
  | 'FILE_OUT_OF_RANGE'
  | 'OFFER_MALFORMED'
  | 'STORAGE_FULL'
  | 'STORAGE_FAILED'
  | 'URL_UNAVAILABLE'
  | 'FOLDER_ENTRY_NOT_FOUND'
  | 'FOLDER_FULL'
  | 'FOLDER_MIRRORED'
  | 'DIRECTORY_GONE'
  | 'PATH_UNSAFE'
  | 'PATH_IS_LINK'
  | 'PATH_TAKEN'
  | 'FILES_CLOSED'
  | 'UPSTREAM_UNSUPPORTED'

/** What `@covey/files` throws; see {@link FileErrorCode}. */
export class FileError extends CoveyError<FileErrorCode> {
  override readonly name = 'FileError'
}

/**
 * Files of any size between peers: shared where they are, streamed, sought, saved, and verified block by block.
 *
 * @packageDocumentation
 */
export { createFiles, type FilesInit } from './create-files.js'
export type { Files, FilesEvents, FileSource, OpenOptions, ShareOptions } from './files.js'
export type { BytesOptions, FileEvents, FileProgress, FileState, SaveOptions, SharedFile, StreamOptions } from './file.js'
export type { Holding } from './holding.js'
export { fileContent, type FileInfo, type Offer, type Preview } from './offer.js'
export {
  BLOCK_BYTES,
  MAX_FILE_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_FOLDER_DEPTH,
  MAX_FOLDER_NAME_BYTES,
  MAX_FOLDER_PATH_BYTES,
  MAX_FOLDER_PATHS,
  MAX_FOLDER_VERSIONS,
  MAX_PREVIEW_BYTES,
  MAX_TYPE_CHARACTERS
} from './constants.js'
export type {
  Folder,
  FolderEntry,
  FolderEvents,
  FolderMessage,
  FolderPutOptions,
  FolderRoom,
  FolderVersion,
  Mirror,
  MirrorEvents,
  MirrorOptions
} from './folder.js'
export { folderContent, type FolderChange, type FolderChanges, type VersionId } from './folder-content.js'
export { isFolderPath } from './internal/folder/path.js'
export { FileError, type FileErrorCode } from './errors.js'

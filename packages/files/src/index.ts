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
export { BLOCK_BYTES, MAX_FILE_BYTES, MAX_FILE_NAME_BYTES, MAX_PREVIEW_BYTES, MAX_TYPE_CHARACTERS } from './constants.js'
export { FileError, type FileErrorCode } from './errors.js'

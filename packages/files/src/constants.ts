/**
 * How many bytes of a file are asked for, sent, verified and kept together. Each block costs the same
 * work in the stack below, whatever its size; larger ones make what is read at random slower, and from here on save little
 * (docs/benchmarks/files.md).
 */
export const BLOCK_BYTES = 128 * 1024

/** The largest preview that travels inside a message. */
export const MAX_PREVIEW_BYTES = 64 * 1024
/** The longest name, as UTF-8. */
export const MAX_FILE_NAME_BYTES = 255
/** The longest media type. */
export const MAX_TYPE_CHARACTERS = 127
/** The longest name of what files are offered in, as UTF-8. */
export const MAX_GROUP_BYTES = 255
/** The largest file, 8 TiB: longer cores are not taken (docs/guards.md). */
export const MAX_FILE_BYTES = 2 ** 43

/** The longest name of a folder, as UTF-8. */
export const MAX_FOLDER_NAME_BYTES = 255
/** The longest path in a folder, as UTF-8. */
export const MAX_FOLDER_PATH_BYTES = 1_024
/** How many names a path has at most. */
export const MAX_FOLDER_DEPTH = 32
/** How many paths a folder has at most, those of which all is removed too. */
export const MAX_FOLDER_PATHS = 100_000
/** How many folders of a room are known; those that come later are not. */
export const MAX_FOLDERS = 256
/** How many versions of a path are kept that do not stand any more. */
export const MAX_FOLDER_VERSIONS = 64
/** How many changes a message has at most. */
export const MAX_CHANGES = 512

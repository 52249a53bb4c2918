/**
 * How many bytes of a file are asked for, sent, verified and kept together. Each block costs the same
 * work in the stack below, whatever its size; larger ones make what is read at random slower.
 */
export const BLOCK_BYTES = 256 * 1024

/** The largest preview that travels inside a message. */
export const MAX_PREVIEW_BYTES = 64 * 1024
/** The longest name, as UTF-8. */
export const MAX_FILE_NAME_BYTES = 255
/** The longest media type. */
export const MAX_TYPE_CHARACTERS = 127
/** The longest name of what files are offered in, as UTF-8. */
export const MAX_GROUP_BYTES = 255
/** The largest file: blocks are then numbered in 32 bits. */
export const MAX_FILE_BYTES = 2 ** 50

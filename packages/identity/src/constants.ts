/**
 * How long a device certificate is valid unless told otherwise: ten years of 365 days. What ends a
 * device is its revocation; expiry only bounds what a forgotten one can do.
 */
export const DEFAULT_CERTIFICATE_VALIDITY_MS = 10 * 365 * 24 * 60 * 60 * 1000

/** A new certificate begins a day in the past, for readers whose clock is behind. */
export const CERTIFICATE_BACKDATE_MS = 24 * 60 * 60 * 1000

/** Epochs fit in 32 bits: seconds since 1970, until 2106. */
export const MAX_EPOCH = 2 ** 32 - 1

/** The longest name of a person or a device, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 256

/** The longest domain of a statement and label of a sealed value, in UTF-16 code units. */
export const MAX_LABEL_LENGTH = 256

/** The longest context of a statement: a 32-byte room key, or a 64-byte handshake hash. */
export const MAX_CONTEXT_BYTES = 64

/** The most that one statement covers. Sign a hash of what is longer. */
export const MAX_STATEMENT_BYTES = 65_536

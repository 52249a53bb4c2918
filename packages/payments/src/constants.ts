/** The largest amount: what an EVM token can count, in the smallest unit. */
export const MAX_AMOUNT = 2n ** 256n - 1n

/** The longest asset id, in characters, all of them ASCII. */
export const MAX_ASSET_ID_LENGTH = 160

/** The longest purpose of a request, as UTF-8: what a BOLT11 description may have. */
export const MAX_PURPOSE_BYTES = 639

/** The longest reference of a request: a message id, or the name of a gate. */
export const MAX_REFERENCE_BYTES = 128

/** How many ways to pay a request may offer. */
export const MAX_METHODS = 8

/** The data of one method: a BOLT11 invoice with many routing hints takes about 1,500 bytes. */
export const MAX_METHOD_BYTES = 4_096

/** The longest proof of a receipt. The known ones take 32 and 97 bytes. */
export const MAX_PROOF_BYTES = 1_024

/** A signed message of any kind: with all methods at their longest, and well within an op of a room. */
export const MAX_SIGNED_MESSAGE_BYTES = 40_960

/** How long a request is good for unless told otherwise: an hour, as BOLT11 has it. */
export const DEFAULT_REQUEST_EXPIRY_MS = 3_600_000

/** The longest life of a request: a hundred years, as with invites. */
export const MAX_REQUEST_EXPIRY_MS = 100 * 365 * 24 * 3_600_000

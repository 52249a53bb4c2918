import { concatBytes, decodeLink, encodeLink } from '@covey/core'

const KEY_BYTES = 32
/** As much as a node says of its relays. */
const MAX_BYTES = 1_024

/** A mirror, as its link names it. */
export interface MirrorAddress {
  /** Its ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Where it can be met, for the node to read. Empty: it is found by its key. */
  readonly meetingPlace: Uint8Array
}

export function mirrorLink(publicKey: Uint8Array, meetingPlace: Uint8Array | null): string {
  return encodeLink('mirror', concatBytes(publicKey, meetingPlace ?? new Uint8Array(0)))
}

/**
 * Reads the link that a mirror prints.
 *
 * @throws {CoveyError} LINK_… when it is no link of a mirror, or damaged.
 */
export function decodeMirrorLink(link: string): MirrorAddress {
  const { body } = decodeLink(link, { kind: 'mirror', maxBytes: MAX_BYTES })
  if (body.length < KEY_BYTES) throw new TypeError('link must name a mirror')
  return { publicKey: body.slice(0, KEY_BYTES), meetingPlace: body.slice(KEY_BYTES) }
}

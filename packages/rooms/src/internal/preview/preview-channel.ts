import { concatBytes, decodeKey } from '@covey/core'
import { defineChannel, type ChannelDefinition } from '@covey/transport'
import { MAX_PREVIEW_MESSAGES } from '../../preview.js'
import { hash, open, seal } from '../crypto.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'

export type Preview = Structs['preview']

/** The most bytes of a preview. */
export const MAX_PREVIEW_BYTES = 512 * 1024

/** The largest op that is in one: a message has its text, or its content, of at most 64 KiB. */
export const MAX_PREVIEW_OP_BYTES = 16 * 1024

/** What sealing adds: a nonce and a tag; and then some, for the counts of what is in it. */
const AROUND_BYTES = 1_024

/** How many bytes of ops and rows there may be in one. */
export const PREVIEW_BUDGET_BYTES = MAX_PREVIEW_BYTES - AROUND_BYTES

/** @param room its id. */
export function previewChannel(room: string): ChannelDefinition {
  return defineChannel({ name: `covey/last/${room}`, version: 1, maxMessageBytes: MAX_PREVIEW_BYTES })
}

/** Whom a preview is from and for. Nobody can pass one on as theirs, or to another. */
export interface Between {
  /** The device that shows it, by id. */
  readonly from: string
  /** The device that is shown it, by id. */
  readonly to: string
}

function contextOf({ from, to }: Between): Uint8Array {
  return concatBytes(decodeKey(from), decodeKey(to))
}

/** The room's id is announced, so strangers may come to the channel too: they can neither read nor make one. */
function keyOf(encryptionKey: Uint8Array): Uint8Array {
  return hash('covey/preview/key/1', encryptionKey)
}

export function sealPreview(preview: Preview, between: Between, encryptionKey: Uint8Array): Uint8Array {
  return seal(encodeStruct('preview', preview), contextOf(between), keyOf(encryptionKey))
}

/** The preview, or `undefined` for what nobody who knows the room's key has made for this device. */
export function openPreview(bytes: Uint8Array, between: Between, encryptionKey: Uint8Array): Preview | undefined {
  const plain = open(bytes, contextOf(between), keyOf(encryptionKey))
  const preview = plain && decodeStruct('preview', plain)
  return preview && preview.messages.length <= MAX_PREVIEW_MESSAGES ? preview : undefined
}

import { isAtLeast, type Role } from '../roles.js'
import type { Message } from '../message.js'
import type { RoomRules } from '../rules.js'
import type { Op } from './op.js'
import { wordsOf } from './message-words.js'
import { decodeStruct, encodeStruct } from './structs.js'

/** What a message may have in it, in bits. */
const LINKS = 1
const MEDIA = 2

/** What {@link kindsOf} tells as a link: what displays make one of, and what people take for one. */
const LINK = /[a-z][a-z0-9+.-]{1,15}:\/\/\S|(?<![\p{L}\p{N}])(?:www\.\S|(?:mailto|magnet|covey|lightning|bitcoin|tel|data|javascript):\S)/iu

/** What is in something that is said. */
export function kindsOf(message: Pick<Message, 'kind' | 'text' | 'content'>): number {
  const isLink = message.content?.type === 'covey/link-preview' || LINK.test(wordsOf(message))
  return (message.kind === 'content' ? MEDIA : 0) | (isLink ? LINKS : 0)
}

/** What the messages of a role may not have in them. */
export function forbiddenTo(role: Role, { links, media }: Pick<RoomRules, 'links' | 'media'>): number {
  return (isAtLeast(role, links) ? 0 : LINKS) | (isAtLeast(role, media) ? 0 : MEDIA)
}

/** The clear part of a message that says what is in it: of those alone to whom something is forbidden. */
export function declareKinds(kinds: number): Uint8Array {
  return encodeStruct('message-kinds', { kinds })
}

/** What a message says to have in it, if it says so. */
function declaredKinds({ header }: Op): number | undefined {
  return header.payload ? decodeStruct('message-kinds', header.payload)?.kinds : undefined
}

/** Whether a message says of itself that nothing is in it that is forbidden. */
export function isAllowed(op: Op, forbidden: number): boolean {
  if (forbidden === 0) return true
  const declared = declaredKinds(op)
  return declared !== undefined && (declared & forbidden) === 0
}

/** Whether a message has in it nothing but what it says; one that says nothing may have anything. */
export function isAsDeclared(op: Op, kinds: number): boolean {
  const declared = declaredKinds(op)
  return declared === undefined || (kinds & ~declared) === 0
}

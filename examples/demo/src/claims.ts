import { isDeepStrictEqual } from 'node:util'
import type { Member, Message } from 'covey'

/** That something which the demo was about to claim did not happen. */
export class ClaimFailed extends Error {
  override readonly name = 'ClaimFailed'
}

/** @throws {ClaimFailed} unless both are the same, in depth. */
export function claimSame<Value>(what: string, actual: Value, expected: Value): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new ClaimFailed(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}.`)
}

export type Essence = Pick<Message, 'id' | 'author' | 'authorName' | 'text' | 'sentAt'>

/** What has to be the same about a message wherever it is read; `isOwn`, for one, is not. */
export function essence({ id, author, authorName, text, sentAt }: Message): Essence {
  return { id, author, authorName, text, sentAt }
}

/** The members as a person would write them down, in an order that does not depend on keys. */
export function describeMembers(members: readonly Member[]): string {
  return members
    .map(({ name, role }) => `${name} (${role})`)
    .sort()
    .join(', ')
}

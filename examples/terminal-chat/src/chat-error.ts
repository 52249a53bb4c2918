import { isCoveyError } from 'covey'
import { plainText } from './plain-text.js'

/** What this program itself has to say to its user. */
export class ChatError extends Error {
  override readonly name = 'ChatError'

  constructor(
    message: string,
    readonly hint: string
  ) {
    super(message)
  }
}

/** What went wrong, and what to do about it. */
export function explain(error: unknown): string {
  // Anything else is a bug, and passes on with its stack.
  if (!(error instanceof ChatError) && !isCoveyError(error)) throw error
  return [error.message, error.hint ?? []].flat().map(plainText).join('\n')
}

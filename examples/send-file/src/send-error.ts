import { isCoveyError } from 'covey'
import { plain } from './plain.js'

/** What this program itself has to say to its user. */
export class SendError extends Error {
  override readonly name = 'SendError'

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
  if (!(error instanceof SendError) && !isCoveyError(error)) throw error
  return [error.message, error.hint ?? []].flat().map(plain).join('\n')
}

const BRAND = Symbol.for('@covey/error')

/** What a {@link CoveyError} takes besides its code and message. */
export interface CoveyErrorInit {
  /** What went wrong underneath. Never a secret: causes end up in logs. */
  cause?: unknown
  /** Whether the same call may succeed later without anything being changed. Default `false`. */
  retryable?: boolean
  /** One sentence that says what to do about it. */
  hint?: string
}

/**
 * The base of every error that Covey throws for a reason other than a wrong argument (those are
 * `TypeError`s that name the field). Each package has one subclass whose `code` is a union of
 * string literals.
 *
 * Recognise errors with {@link isCoveyError}, which also works when two copies of this package are
 * installed, as `instanceof` does not.
 *
 * @example
 * ```ts
 * import { CoveyError } from '@covey/core'
 *
 * class TeaError extends CoveyError<'TEA_COLD' | 'TEA_GONE'> {
 *   override readonly name = 'TeaError'
 * }
 * console.log(new TeaError('TEA_COLD', 'The tea is cold.', { hint: 'Warm it up.' }).hint)
 * ```
 */
export abstract class CoveyError<Code extends string = string> extends Error {
  abstract override readonly name: string
  readonly code: Code
  readonly retryable: boolean
  readonly hint: string | undefined

  constructor(code: Code, message: string, init: CoveyErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = code
    this.retryable = init.retryable ?? false
    this.hint = init.hint
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/**
 * Whether `error` is a {@link CoveyError}, of any package and any installed copy, and where `code`
 * is given, one with that code.
 *
 * @example
 * ```ts
 * import { isCoveyError } from '@covey/core'
 *
 * const problem: unknown = new Error('not one of ours')
 * if (isCoveyError(problem, 'ROOM_CLOSED')) console.log(problem.hint)
 * ```
 */
export function isCoveyError<Code extends string = string>(
  error: unknown,
  code?: Code
): error is CoveyError<Code> {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false
  return code === undefined || (error as { code?: unknown }).code === code
}

/** What `@covey/core` can fail with, for reasons other than a wrong argument. */
export type CoreErrorCode =
  /** The text is not a `covey:` link at all. */
  | 'LINK_NOT_COVEY'
  /** The text or the link's body is longer than allowed. */
  | 'LINK_TOO_LONG'
  /** The link contains a character that links never use. */
  | 'LINK_BAD_CHARACTER'
  /** The end of the link is missing. */
  | 'LINK_TRUNCATED'
  /** Something follows the end of the link. */
  | 'LINK_EXTRA_CHARACTERS'
  /** The checksum does not match: characters were changed, swapped, lost or added. */
  | 'LINK_DAMAGED'
  /** A sound link, of another kind than the caller needs. */
  | 'LINK_WRONG_KIND'
  /** A sound link, made by a newer version. */
  | 'LINK_TOO_NEW'
  /** Bytes or text from elsewhere do not follow their format. */
  | 'DECODE_FAILED'
  /** A time-out passed. */
  | 'TIMEOUT'
  /** A queue's consumer fell too far behind. */
  | 'QUEUE_OVERFLOW'
  /** An event handler threw or rejected; `cause` is what it threw. */
  | 'EVENT_HANDLER_FAILED'

/**
 * The error class of `@covey/core`.
 *
 * @example
 * ```ts
 * import { decodeLink, isCoveyError, type CoreErrorCode } from '@covey/core'
 *
 * try {
 *   decodeLink('covey:invite/yb')
 * } catch (error) {
 *   if (!isCoveyError<CoreErrorCode>(error, 'LINK_TRUNCATED')) throw error
 *   console.log(error.message, error.hint)
 * }
 * ```
 */
export class CoreError extends CoveyError<CoreErrorCode> {
  override readonly name = 'CoreError'
}

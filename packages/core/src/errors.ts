const BRAND = Symbol.for('@covey/error')

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
  return code === undefined || (error as CoveyError).code === code
}

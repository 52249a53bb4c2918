import { CoreError } from './errors.js'

/**
 * What a decoder of bytes from elsewhere returns: malformed input is to be expected there, and not
 * an exception.
 *
 * @example
 * ```ts
 * import { decodeUtf8, type Result } from '@covey/core'
 *
 * const result: Result<string> = decodeUtf8(new Uint8Array([104, 105]))
 * console.log(result.ok ? result.value : result.error.message)
 * ```
 */
export type Result<Value, Failure extends Error = CoreError> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure }

export function decodeFailure(message: string): { readonly ok: false; readonly error: CoreError } {
  return { ok: false, error: new CoreError('DECODE_FAILED', message) }
}

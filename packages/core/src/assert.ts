import { editDistance } from './internal/edit-distance.js'
import { utf8ByteLength } from './internal/utf8-byte-length.js'

// Checks for arguments at the border where a caller hands them in. Each throws a `TypeError` whose
// message starts with the field's name, and never repeats the value, which may be a secret.

/** Limits for {@link assertString}. */
export interface StringLimits {
  /** The fewest UTF-16 code units (`text.length`). Default 0. */
  minLength?: number
  /** The most UTF-16 code units (`text.length`). Default: no limit. */
  maxLength?: number
  /** The most bytes that the text may take as UTF-8. Default: no limit. */
  maxBytes?: number
}

/** Limits for {@link assertInteger}. */
export interface IntegerLimits {
  /** The smallest allowed number. Default `Number.MIN_SAFE_INTEGER`. */
  min?: number
  /** The largest allowed number. Default `Number.MAX_SAFE_INTEGER`. */
  max?: number
}

/**
 * Asserts that `value` is a string within the limits that UTF-8 can carry (no half of a surrogate
 * pair).
 *
 * @throws {TypeError} that names `field`.
 * @example
 * ```ts
 * import { assertString } from '@covey/core'
 *
 * const name: unknown = 'Alice'
 * assertString(name, 'name', { minLength: 1, maxBytes: 64 })
 * console.log(name.toUpperCase())
 * ```
 */
export function assertString(
  value: unknown,
  field: string,
  { minLength = 0, maxLength = Infinity, maxBytes = Infinity }: StringLimits = {}
): asserts value is string {
  if (typeof value !== 'string') throw wrongType(field, 'a string', value)
  if (value.length < minLength) {
    throw new TypeError(`${field} must have at least ${count(minLength, 'character')}, it has ${value.length}`)
  }
  if (value.length > maxLength) {
    throw new TypeError(`${field} must have at most ${count(maxLength, 'character')}, it has ${value.length}`)
  }
  const bytes = utf8ByteLength(value)
  if (bytes === undefined) throw new TypeError(`${field} must not contain half of a surrogate pair`)
  if (bytes > maxBytes) {
    throw new TypeError(`${field} must take at most ${count(maxBytes, 'byte')} as UTF-8, it takes ${bytes}`)
  }
}

/**
 * Asserts that `value` is a `Uint8Array`, of exactly `length` bytes where that is given.
 *
 * @throws {TypeError} that names `field`.
 * @example
 * ```ts
 * import { assertBytes } from '@covey/core'
 *
 * assertBytes(new Uint8Array(32), 'publicKey', 32)
 * ```
 */
export function assertBytes(value: unknown, field: string, length?: number): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrongType(field, 'a Uint8Array', value)
  if (length !== undefined && value.length !== length) {
    throw new TypeError(`${field} must be ${count(length, 'byte')}, it is ${value.length}`)
  }
}

/**
 * Asserts that `value` is a safe integer between `min` and `max`, both allowed.
 *
 * @throws {TypeError} that names `field`.
 * @example
 * ```ts
 * import { assertInteger } from '@covey/core'
 *
 * assertInteger(30_000, 'timeoutMs', { min: 0, max: 600_000 })
 * ```
 */
export function assertInteger(
  value: unknown,
  field: string,
  { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: IntegerLimits = {}
): asserts value is number {
  if (typeof value !== 'number') throw wrongType(field, 'an integer', value)
  if (!Number.isSafeInteger(value)) throw new TypeError(`${field} must be a safe integer`)
  if (value < min) throw new TypeError(`${field} must be at least ${min}`)
  if (value > max) throw new TypeError(`${field} must be at most ${max}`)
}

/**
 * Asserts that `value` is a function.
 *
 * @throws {TypeError} that names `field`.
 * @example
 * ```ts
 * import { assertFunction } from '@covey/core'
 *
 * assertFunction(() => 'called later', 'onProgress')
 * ```
 */
export function assertFunction(value: unknown, field: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw wrongType(field, 'a function', value)
}

/**
 * Asserts that `value` is an `AbortSignal` or `undefined`. Any object with the interface will do:
 * runtimes without a global `AbortSignal` bring their own.
 *
 * @throws {TypeError} that names `field`.
 * @example
 * ```ts
 * import { assertSignal } from '@covey/core'
 *
 * assertSignal(AbortSignal.timeout(1_000))
 * ```
 */
export function assertSignal(value: unknown, field = 'signal'): asserts value is AbortSignal | undefined {
  if (value === undefined) return
  const signal = value as Partial<AbortSignal> | null
  if (typeof signal?.aborted !== 'boolean' || typeof signal.addEventListener !== 'function') {
    throw wrongType(field, 'an AbortSignal', value)
  }
}

/**
 * Asserts that `options` is an object with no names but the `known` ones, so that a misspelt option
 * is an error and not silently ignored.
 *
 * @throws {TypeError} that names `field`, the unknown option, and the closest known one.
 * @example
 * ```ts
 * import { assertOptions } from '@covey/core'
 *
 * interface WaitOptions { timeoutMs?: number; signal?: AbortSignal }
 *
 * function wait(options: WaitOptions = {}) {
 *   assertOptions(options, 'options', ['timeoutMs', 'signal'])
 * }
 * wait({ timeoutMs: 5 })
 * ```
 */
export function assertOptions<Options extends object>(
  options: Options,
  field: string,
  known: readonly (keyof Options & string)[]
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrongType(field, 'an object', options)
  }
  const unknown = Object.keys(options).find((name) => !(known as readonly string[]).includes(name))
  if (unknown === undefined) return
  const closest = closestName(unknown, known)
  const advice =
    closest === undefined ? `known options are ${known.join(', ') || 'none'}` : `did you mean "${closest}"?`
  throw new TypeError(`${field} has no option "${unknown}"; ${advice}`)
}

function closestName(name: string, known: readonly string[]): string | undefined {
  // Further away than half of the name is no longer a typo but another word.
  let best = { name: undefined as string | undefined, distance: Math.ceil(name.length / 2) + 1 }
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < best.distance) best = { name: candidate, distance }
  }
  return best.name
}

function wrongType(field: string, expected: string, value: unknown): TypeError {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return new TypeError(`${field} must be ${expected}, got ${actual}`)
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`
}

import { assertInteger, assertString } from '@covey/core'

/** The fields of what was parsed, which may be anything. @throws {TypeError} for what is no object. */
export function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('value must be an object')
  return value as Record<string, unknown>
}

/** @throws {TypeError} that names `field` */
export function textIn(value: unknown, field: string, maxBytes: number, minLength = 1): string {
  assertString(value, field, { minLength, maxBytes })
  return value
}

/** @throws {TypeError} that names `field` */
export function integerIn(value: unknown, field: string, min: number, max: number): number {
  assertInteger(value, field, { min, max })
  return value
}

/** @throws {TypeError} that names `field` */
export function numberIn(value: unknown, field: string, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new TypeError(`${field} must be a number from ${min} to ${max}`)
}

/** What is served as what it says it is. All else is bytes. */
const SOUND = /^(?:audio|video|image)\/[\w.+-]+$|^application\/pdf$/
/** Pictures, and what says it is one, that a browser reads as a page: with scripts. */
const MARKUP = /svg|xml|html/

/** The media type that a file is served with, of the one that its sharer chose: never one that could run a script. */
export function safeType(type: string): string {
  const essence = type.split(';', 1)[0]!.toLowerCase()
  return SOUND.test(essence) && !MARKUP.test(essence) ? essence : 'application/octet-stream'
}

/** From `start` on, and before `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/**
 * The one range of a Range header (RFC 9110, section 14.2): `null` where the file has nothing of it, and `undefined` where
 * it is to be ignored, because it is of another unit, several, or none.
 */
export function readRange(header: string | undefined, size: number): Range | null | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  return start < end ? { start, end } : null
}

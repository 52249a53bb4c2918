import { MAX_NAME_BYTES } from '../constants.js'

/**
 * What a display would act upon rather than show: control characters and line breaks, what turns the
 * direction of the text that follows, what has no width, and half a surrogate pair.
 *
 * @see {@link https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing}
 */
const UNSHOWN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** A name that a peer chose, as it may be shown in a line: of a bounded length, and with nothing hidden in it. */
export function readName(name: string | null | undefined, maxBytes = MAX_NAME_BYTES): string {
  if (!name) return ''
  // A character takes a byte at least: what is cut here would not fit.
  const shown = name.slice(0, maxBytes * 4).replace(UNSHOWN, '').trim()
  let bytes = 0
  let end = 0
  for (const character of shown) {
    bytes += utf8Length(character.codePointAt(0)!)
    if (bytes > maxBytes) break
    end += character.length
  }
  return shown.slice(0, end).trimEnd()
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1
  if (codePoint < 0x800) return 2
  return codePoint < 0x10000 ? 3 : 4
}

/** Control characters, what is not seen, what turns text around, and line breaks. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * A text that somebody else chose, on one line, without anything that a terminal obeys: it could clear the screen,
 * retitle the window or pass for something else.
 */
export function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replace(UNPRINTABLE, '')
}

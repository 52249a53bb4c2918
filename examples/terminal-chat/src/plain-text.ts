import { stripVTControlCharacters } from 'node:util'

/** Control characters, those that reverse the writing direction, and line breaks other than \n. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu

/**
 * What others wrote, without anything that a terminal obeys: it could clear the screen, retitle the
 * window or pass for something else. Further lines are indented, so that none looks like a message.
 */
export function plainText(text: string): string {
  const lines = stripVTControlCharacters(text).split(/\r?\n/)
  return lines.map((line) => line.replaceAll('\t', ' ').replace(UNPRINTABLE, '')).join('\n      ')
}

/** A name that others chose, on one line. */
export function plainName(name: string): string {
  return plainText(name.replaceAll(/\s+/gu, ' ')).trim()
}

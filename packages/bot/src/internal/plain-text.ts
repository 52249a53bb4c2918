/** What a terminal would obey rather than show: controls, what turns the direction of text, and what has no width. */
const UNSHOWN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

const MAX_LINE_LENGTH = 256

/** A text that may come from others, as one line for a terminal. */
export function plainLine(text: string): string {
  return text.slice(0, MAX_LINE_LENGTH).replace(/\s+/gu, ' ').replace(UNSHOWN, '').trim()
}

/** Several lines for a terminal, such as the stack of an error whose message may hold what a member wrote. */
export function plainLines(text: string): string {
  const lines = text.split('\n', 64).map((line) => line.slice(0, MAX_LINE_LENGTH * 4).replaceAll('\t', ' ').replace(UNSHOWN, ''))
  return lines.join('\n')
}

/** A part has so many UTF-16 code units at least, if it ends with a paragraph, and at most. */
const MIN_PART_LENGTH = 200
const MAX_PART_LENGTH = 2_000

/** Puts words together to parts that are worth a message: whole paragraphs, while the rest is still being written. */
export async function* partsOf(words: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let text = ''
  for await (const some of words) {
    text += some
    for (let end = endOfPart(text); end !== undefined; end = endOfPart(text)) {
      yield text.slice(0, end).trim()
      text = text.slice(end).trimStart()
    }
  }
  if (text.trim() !== '') yield text.trim().toWellFormed()
}

function endOfPart(text: string): number | undefined {
  const paragraph = text.indexOf('\n\n', MIN_PART_LENGTH)
  if (paragraph !== -1 && paragraph <= MAX_PART_LENGTH) return paragraph
  if (text.length <= MAX_PART_LENGTH) return undefined
  const space = text.lastIndexOf(' ', MAX_PART_LENGTH)
  if (space > MIN_PART_LENGTH) return space
  // Not in the middle of a character.
  return isLowSurrogate(text.charCodeAt(MAX_PART_LENGTH)) ? MAX_PART_LENGTH - 1 : MAX_PART_LENGTH
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

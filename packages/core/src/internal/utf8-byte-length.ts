/** How many bytes `text` takes as UTF-8; `undefined` when half of a surrogate pair is in it. */
export function utf8ByteLength(text: string): number | undefined {
  let length = 0
  for (const character of text) {
    const point = character.codePointAt(0)!
    // Iteration joins proper pairs, so that what is left in this range stands alone.
    if (point >= 0xd800 && point <= 0xdfff) return undefined
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return length
}

/** How many words a query has at most. */
const MAX_TERMS = 16

/** How much of a text is looked at, in UTF-16 code units: a few pages. */
const MAX_LINE_LENGTH = 8_192

/** Accents, which who searches leaves out; what other scripts write below and above a letter belongs to it. */
const ACCENTS = /[\u0300-\u036f]/g
/** What a word is made of: what comes before one in a text is something else. */
const OF_WORD = /^[\p{L}\p{M}\p{N}]/u
/** Scripts that put no spaces between words: in them a word may begin anywhere. */
const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const TERM = /"([^"]*)"|[^\s"]+/g

/** A text on one line, so that those that a person takes for the same are the same. The same on every device. */
export function normalizeText(text: string): string {
  const bare = text.slice(0, MAX_LINE_LENGTH).toWellFormed().normalize('NFKD').replace(ACCENTS, '').normalize('NFKC')
  // By way of upper case, for letters of which it has two, as of ß and final sigma.
  return bare.toUpperCase().toLowerCase().replaceAll('ς', 'σ').replace(/\s+/gu, ' ').trim().slice(0, MAX_LINE_LENGTH)
}

/** What somebody looks for. */
export interface Query {
  /** Whether it may be in a text of many lines: quickly told, and sure where it says no. */
  mayBeIn(text: string): boolean
  isIn(line: string): boolean
}

/** @returns `undefined` for a text that says nothing, or too much. */
export function parseQuery(text: string): Query | undefined {
  const terms = [...text.matchAll(TERM)].map(([whole, quoted]) => normalizeText(quoted ?? whole)).filter((term) => term !== '')
  if (terms.length === 0 || terms.length > MAX_TERMS) return undefined
  // The longest is the one that the fewest texts have, mostly.
  terms.sort((one, other) => other.length - one.length)
  return {
    mayBeIn: (lines) => terms.every((term) => lines.includes(term)),
    isIn: (line) => terms.every((term) => beginsWord(line, term))
  }
}

function beginsWord(line: string, term: string): boolean {
  for (let at = line.indexOf(term); at !== -1; at = line.indexOf(term, at + 1)) {
    if (at === 0 || UNSPACED.test(term) || !OF_WORD.test(term) || !OF_WORD.test(characterBefore(line, at))) return true
  }
  return false
}

/** A character, and not half of a pair. */
function characterBefore(line: string, at: number): string {
  const isPair = at > 1 && line.codePointAt(at - 2)! > 0xffff
  return line.slice(at - (isPair ? 2 : 1), at)
}

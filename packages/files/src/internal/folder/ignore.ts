import { assertString } from '@covey/core'

const MAX_PATTERNS = 256
const MAX_PATTERN_LENGTH = 256

/** @throws {TypeError} that names the field. */
export function assertPatterns(patterns: readonly string[]): void {
  if (!Array.isArray(patterns) || patterns.length > MAX_PATTERNS) {
    throw new TypeError(`options.ignore must be an array of at most ${MAX_PATTERNS} patterns`)
  }
  patterns.forEach((pattern, i) => assertString(pattern, `options.ignore[${i}]`, { minLength: 1, maxLength: MAX_PATTERN_LENGTH }))
}

/** Tells which paths the patterns name, or are in a folder that they name. */
export function createIgnore(patterns: readonly string[]): (path: string) => boolean {
  const parsed = patterns.map((pattern) => pattern.replace(/^\/|\/$/g, '').split('/'))
  const compiled = patterns.map((pattern, i) => (pattern.replace(/\/$/, '').includes('/') ? parsed[i]! : ['**', ...parsed[i]!]))
  return (path) => {
    const names = path.split('/')
    return compiled.some((pattern) => names.some((_, i) => matchesPath(pattern, names.slice(0, i + 1))))
  }
}

/** Each name is taken once by what comes before a `**`, so that no pattern takes long. */
function matchesPath(pattern: readonly string[], names: readonly string[]): boolean {
  return matches(pattern, names, '**', matchesName)
}

function matchesName(pattern: string, name: string): boolean {
  return matches(Array.from(pattern), Array.from(name), '*', (one, character) => one === '?' || one === character)
}

/** Whether the pattern takes all of the items, where `any` stands for any number of them. */
function matches(pattern: readonly string[], items: readonly string[], any: string, isOne: (one: string, item: string) => boolean): boolean {
  let [p, i] = [0, 0]
  let retry: [number, number] | undefined
  while (i < items.length) {
    if (pattern[p] === any) retry = [++p, i]
    else if (p < pattern.length && isOne(pattern[p]!, items[i]!)) [p, i] = [p + 1, i + 1]
    // Lets the last `any` take one more.
    else if (retry !== undefined) [p, i] = retry = [retry[0], retry[1] + 1]
    else return false
  }
  return pattern.slice(p).every((rest) => rest === any)
}

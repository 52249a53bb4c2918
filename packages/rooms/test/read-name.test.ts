import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_NAME_BYTES } from '../src/constants.js'
import { readName } from '../src/internal/read-name.js'

const encoder = new TextEncoder()

test.for([
  ['Alice', 'Alice'],
  ['  Bob\t', 'Bob'],
  ['Zoë 王 👩‍👩‍👧', 'Zoë 王 👩‍👩‍👧'],
  ['شیما', 'شیما'],
  ['line\nbreak\u2028and\u0000zero', 'linebreakandzero'],
  ['\u202egnp.exe', 'gnp.exe'],
  ['Al\u200bice', 'Alice'],
  ['\ud800x', 'x'],
  ['', ''],
  [undefined, '']
])('%j is shown as %j', ([name, shown]) => expect(readName(name)).toBe(shown))

test('a name of a peer is never longer than a name may be, and whole characters are left of it', () => {
  const shown = readName('🐦'.repeat(10_000))
  expect(shown).toBe('🐦'.repeat(MAX_NAME_BYTES / 4))
})

test('whatever a peer says, the name is one line, of a bounded length, and reading it again changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (name) => {
      const shown = readName(name)
      expect(encoder.encode(shown).length).toBeLessThanOrEqual(MAX_NAME_BYTES)
      expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u)
      expect(readName(shown)).toBe(shown)
    })
  )
})

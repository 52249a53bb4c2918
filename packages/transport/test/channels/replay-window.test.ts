import fc from 'fast-check'
import { expect, test } from 'vitest'
import { REPLAY_WINDOW } from '../../src/internal/channels/constants.js'
import { ReplayWindow } from '../../src/internal/channels/replay-window.js'

test('it is as a list of all numbers that were seen would be', () => {
  const near = fc.integer({ min: 0, max: 3 * REPLAY_WINDOW })
  const jump = fc.constantFrom(2 ** 32, 2 ** 32 + 5, 2 ** 48 - 1)
  const numbers = fc.array(fc.oneof({ weight: 20, arbitrary: near }, { weight: 1, arbitrary: jump }), { maxLength: 400 })
  fc.assert(
    fc.property(numbers, (list) => {
      const window = new ReplayWindow()
      const seen = new Set<number>()
      for (const number of list) {
        const highest = Math.max(-1, ...seen)
        const expected = number <= highest - REPLAY_WINDOW ? 'late' : seen.has(number) ? 'replayed' : 'new'
        expect(window.take(number)).toBe(expected)
        if (expected === 'new') seen.add(number)
        expect(window.missing).toBe(Math.max(-1, ...seen) + 1 - seen.size)
      }
    })
  )
})

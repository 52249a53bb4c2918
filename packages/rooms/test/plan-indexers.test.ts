import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planIndexers, SLEPT_MS, STEADY_MS, type Candidate } from '../src/internal/plan-indexers.js'
import type { Role } from '../src/roles.js'

const device = (id: string, change: Partial<Candidate> = {}): Candidate => ({ id, person: id, role: 'admin', hereMs: STEADY_MS, awayMs: 0, ...change })
const away = (awayMs: number) => ({ hereMs: 0, awayMs })
const OWNER = device('o', { role: 'owner' })
const plan = (present: string[], candidates: Candidate[], role: Role = 'owner') => planIndexers({ present, candidates, role })

test('one becomes three, as soon as two more of other people are there for long', () => {
  expect(plan(['o'], [OWNER])).toBeUndefined()
  expect(plan(['o'], [OWNER, device('a')])).toBeUndefined()
  expect(plan(['o'], [OWNER, device('a'), device('b', { hereMs: STEADY_MS - 1 })])).toBeUndefined()
  expect(plan(['o'], [OWNER, device('a'), device('b', { person: 'a' })])).toBeUndefined()
  expect(plan(['o'], [OWNER, device('b'), device('a')])).toEqual(['o', 'a', 'b'])
  // Devices of the owner may be several, and come first.
  expect(plan(['a'], [device('a'), OWNER, device('p', { role: 'owner', person: 'o' })])).toEqual(['o', 'p', 'a'])
  expect(plan(['o'], [device('o', { role: 'owner', ...away(1) }), device('a'), device('b')])).toBeUndefined()
})

test('who sleeps long hands over, where the two others are there to sign it', () => {
  const asleep = device('b', away(SLEPT_MS))
  expect(plan(['o', 'a', 'b'], [OWNER, device('a'), device('b', away(SLEPT_MS - 1)), device('c')])).toBeUndefined()
  expect(plan(['o', 'a', 'b'], [OWNER, device('a'), asleep, device('c')])).toEqual(['o', 'a', 'c'])
  expect(plan(['o', 'a', 'b'], [OWNER, device('a'), asleep])).toBeUndefined()
  expect(plan(['o', 'a', 'b'], [OWNER, device('a', away(1)), asleep, device('c')])).toBeUndefined()
  // Which an admin does not do to the owner: the room would not take it.
  const gone = device('o', { role: 'owner', ...away(SLEPT_MS) })
  expect(plan(['o', 'a', 'b'], [gone, device('a'), device('b'), device('c')], 'admin')).toBeUndefined()
  expect(plan(['o', 'a', 'b'], [gone, device('a'), device('b'), device('c')], 'owner')).toEqual(['a', 'b', 'c'])
})

test('whatever there is, what is planned is three that are known, and two of the present ones are there', () => {
  const one = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    person: fc.constantFrom('x', 'y', 'z', 'w'),
    role: fc.constantFrom<Role>('admin', 'owner'),
    hereMs: fc.constantFrom(0, 1, STEADY_MS),
    awayMs: fc.constantFrom(0, 1, SLEPT_MS)
  })
  let planned = 0
  fc.assert(
    fc.property(fc.uniqueArray(one, { selector: ({ id }) => id, maxLength: 6 }), fc.constantFrom(1, 3), fc.constantFrom<Role>('admin', 'owner'), (candidates, size, role) => {
      const present = candidates.slice(0, size).map(({ id }): string => id)
      const next = planIndexers({ present, candidates, role })
      if (next === undefined) return
      planned++
      expect(new Set(next).size).toBe(3)
      const awake = candidates.filter(({ id, awayMs }) => present.includes(id) && awayMs === 0)
      expect(awake.length).toBeGreaterThan(present.length / 2)
      for (const id of next) expect(present.includes(id) || candidates.find((other) => other.id === id)!.hereMs >= STEADY_MS).toBe(true)
    }),
    { numRuns: 5_000, seed: 1 }
  )
  expect(planned).toBeGreaterThan(20)
})

import { expect, test } from 'vitest'
import type { Message } from 'covey'
import { DEFAULT_LIMITS } from '@covey/bot'
import { createLanes, type Lanes } from '../src/internal/lanes.js'

const FAST = { burst: 100_000, perMinute: 1_000_000 }

/** Lanes in which as much waits as there are places for, until `release` is called. */
function fullLanes(): { readonly lanes: Lanes; readonly handled: string[]; release(): void } {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const handled: string[] = []
  const lanes = createLanes({
    limits: { ...DEFAULT_LIMITS, personIn: FAST, roomIn: FAST },
    async run({ id }) {
      await released
      handled.push(id)
    },
    onover: () => undefined
  })
  // Eight are begun, and 1,024 wait.
  for (let i = 0; i < 1_032; i++) lanes.push({ id: `m${i}`, author: `p${i % 20}` } as Message)
  return { lanes, handled, release }
}

test('all who wait for a place go on when there is one', async () => {
  const { lanes, handled, release } = fullLanes()
  let placed = 0
  const waiting = [lanes.hasRoom(), lanes.hasRoom()].map((place) => place.then(() => placed++))
  await Promise.resolve()
  expect(placed).toBe(0)
  release()
  await Promise.all(waiting)
  expect(handled.length).toBeLessThan(1_032)
  await lanes.stop()
})

test('a stop ends the waiting of all who wait for a place', async () => {
  const { lanes, release } = fullLanes()
  const waiting = [lanes.hasRoom(), lanes.hasRoom()]
  const stopped = lanes.stop()
  await Promise.all(waiting)
  release()
  await stopped
})

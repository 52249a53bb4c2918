import { expect, test } from 'vitest'
import { createRounds } from '../src/internal/rounds.js'
import { createPersonalState } from '../src/internal/personal/personal-state.js'
import type { OpenRoom } from '../src/internal/open-room.js'

/** Waits for so many microtasks. */
async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

test('whatever is asked for is looked at after it was, wherever the last round is just then', async () => {
  for (let gap = 0; gap < 12; gap++) {
    let changes = 0
    let seen = 0
    const rounds = createRounds(async () => {
      const now = changes
      await Promise.resolve()
      seen = now
    }, () => undefined)
    rounds.ask()
    await microtasks(gap)
    changes++
    rounds.ask()
    rounds.ask()
    await rounds.settled()
    expect([gap, seen]).toEqual([gap, 1])
  }
})

test('a round that fails is told of, is not begun again by itself, and keeps none after it from coming', async () => {
  const errors: unknown[] = []
  let rounds = 0
  const { ask, settled } = createRounds(async () => {
    rounds++
    await Promise.resolve()
    throw new Error(`round ${rounds}`)
  }, (error) => errors.push((error as Error).message))
  ask()
  await settled()
  expect(rounds).toBe(1)
  ask()
  // While it is under way.
  ask()
  await settled()
  expect(errors).toEqual(['round 1', 'round 2', 'round 3'])
  await settled()
})

test('what comes into the devices’ room is read, wherever the reader is just then, and after it has failed', async () => {
  for (let gap = 0; gap < 24; gap++) {
    let rows = 0
    let read = 0
    let isFailing = false
    let changed: (order: number) => void = () => undefined
    const errors: unknown[] = []
    const opened = {
      view: {
        async messages(from: number) {
          const { length } = Array.from({ length: rows - from })
          await Promise.resolve()
          if (isFailing) throw new Error('the disk')
          read = Math.max(read, from + length)
          return []
        }
      },
      onlog: (listener: typeof changed) => (changed = listener),
      onpeople: () => undefined
    } as unknown as OpenRoom
    const state = createPersonalState(opened, () => undefined, (error) => errors.push(error))
    await microtasks(gap)
    rows = 1
    changed(0)
    expect(await state.read()).toBe(true)
    expect([gap, read]).toEqual([gap, 1])
    isFailing = true
    rows = 2
    changed(1)
    expect(await state.read()).toBe(false)
    expect(errors).toHaveLength(1)
    isFailing = false
    rows = 3
    // From where it failed, and not from here.
    changed(2)
    expect(await state.read()).toBe(true)
    expect(read).toBe(3)
  }
})

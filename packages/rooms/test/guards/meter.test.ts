import { expect, test } from 'vitest'
import { createMeter } from '../../src/internal/guards/meter.js'

function meterAt(start = 0) {
  let at = start
  const meter = createMeter({
    blocks: { burst: 10, perSecond: 2 },
    bytes: { burst: 1_000, perSecond: 100 },
    now: () => at
  })
  return { meter, wait: (ms: number) => void (at += ms) }
}

test('a burst is given at once, and is used up by blocks', () => {
  const { meter } = meterAt()
  expect(meter.isFull()).toBe(true)
  for (let i = 0; i < 10; i++) {
    expect(meter.isUsedUp()).toBe(false)
    meter.take(1)
  }
  expect(meter.isUsedUp()).toBe(true)
  expect(meter.left()).toEqual({ blocks: 0, bytes: 0 })
})

test('a debt is worked off before more is given', () => {
  const { meter, wait } = meterAt()
  meter.take(1_500)
  expect(meter.isUsedUp()).toBe(true)
  expect(meter.waitMs()).toBe(6_000)
  wait(5_000)
  expect(meter.isUsedUp()).toBe(true)
  wait(1_000)
  expect(meter.left()).toEqual({ blocks: 10, bytes: 100 })
  expect(meter.waitMs()).toBe(0)
})

test('it fills up to the burst, and no further', () => {
  const { meter, wait } = meterAt()
  meter.take(600)
  expect(meter.isHalfFull()).toBe(false)
  wait(1_000)
  expect(meter.isHalfFull()).toBe(true)
  wait(3_600_000)
  expect(meter.left()).toEqual({ blocks: 10, bytes: 1_000 })
})

test('a clock that is set back by a day costs nothing but that moment', () => {
  const { meter, wait } = meterAt(86_400_000)
  meter.take(1_000)
  wait(-86_400_000)
  expect(meter.isUsedUp()).toBe(true)
  wait(1_000)
  expect(meter.left().bytes).toBe(100)
})

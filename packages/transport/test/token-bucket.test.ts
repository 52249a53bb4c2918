import { expect, test } from 'vitest'
import { TokenBucket } from '@covey/transport/internal'

test('a bucket gives no more than its rate, and a second of it at once', () => {
  const bucket = new TokenBucket(1_000, 0)
  bucket.spend(1_000, 0)
  expect(bucket.waitMs(0)).toBe(0)
  bucket.spend(500, 0)
  expect(bucket.waitMs(0)).toBe(500)
  expect(bucket.waitMs(400)).toBe(100)
  expect(bucket.waitMs(100_000)).toBe(0)
  bucket.spend(1_001, 100_000)
  expect(bucket.waitMs(100_000)).toBe(1)
})

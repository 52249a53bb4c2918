import type { FileProgress } from 'covey'
import { expect, it } from 'vitest'
import { formatBytes, formatDuration } from '../src/format.js'
import { progressLine } from '../src/progress-bar.js'

const receiving: FileProgress = { state: 'receiving', receivedBytes: 1.21e9, totalBytes: 2.9e9, bytesPerSecond: 31.25e6, etaMs: 54_080, holders: 1 }

it.each<[Partial<FileProgress>, string]>([
  [{}, ' 41 % [############------------------] 1.21 GB of 2.90 GB, 31.3 MB/s, 0:55 left'],
  [{ holders: 3 }, ' 41 % [############------------------] 1.21 GB of 2.90 GB, 31.3 MB/s, 0:55 left, from 3'],
  [{ etaMs: null, bytesPerSecond: 0 }, ' 41 % [############------------------] 1.21 GB of 2.90 GB, 0 bytes/s'],
  [{ state: 'waiting' }, ' 41 % [############------------------] 1.21 GB of 2.90 GB, waiting for somebody who has it'],
  [{ state: 'whole', receivedBytes: 2.9e9 }, '100 % [##############################] 2.90 GB'],
  [{ state: 'whole', receivedBytes: 0, totalBytes: 0 }, '100 % [##############################] 0 bytes'],
  [{ totalBytes: null, etaMs: null }, '1.21 GB, 31.3 MB/s'],
  // Not all yet, however little is missing.
  [{ receivedBytes: 2.9e9 - 1, etaMs: 1 }, ' 99 % [#############################-] 2.90 GB of 2.90 GB, 31.3 MB/s, 0:01 left']
])('shows %j', (change, line) => {
  expect(progressLine({ ...receiving, ...change }, 120)).toBe(line)
})

it('fits into any terminal', () => {
  for (let columns = 1; columns < 120; columns++) {
    expect(progressLine(receiving, columns).length).toBeLessThan(columns)
    expect(progressLine({ ...receiving, totalBytes: null }, columns).length).toBeLessThan(columns)
  }
})

it.each<[number, string]>([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_000, '1.00 kB'],
  [9_994, '9.99 kB'],
  [9_996, '10.0 kB'],
  [99_960, '100 kB'],
  [999_499, '999 kB'],
  [999_500, '1.00 MB'],
  [1e15, '1.00 PB'],
  [1.5e19, '15000 PB']
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

it.each<[number, string]>([
  [0, '0:00'],
  [1, '0:01'],
  [59_001, '1:00'],
  [3_599_500, '1:00:00'],
  [90_061_000, '25:01:01']
])('%d ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

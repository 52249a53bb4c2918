import type { Head } from 'autobase'

export interface FloodBlock {
  readonly heads: readonly Head[]
  readonly batch: number
  readonly value: Uint8Array
}

/** What a member writes to fill the others' disks and hours, append by append. */
export const FLOODS = {
  /** 16,000 ops of one byte. */
  tiny: (key) => appends(key, 40, 400, 1),
  /** 128 MiB of ops of 64 KiB. */
  large: (key) => appends(key, 32, 64, 65_000),
  /** 280 MiB in blocks that no op needs. */
  giant: (key) => appends(key, 20, 1, 14 * 1_048_576),
  /** 64 MiB that are one append. */
  batch: (key) => appends(key, 1, 1_024, 65_000, true)
} satisfies Record<string, (key: Uint8Array) => Iterable<readonly FloodBlock[]>>

export type FloodName = keyof typeof FLOODS

function* appends(
  key: Uint8Array,
  count: number,
  blocks: number,
  bytes: number,
  isOne = false
): Generator<readonly FloodBlock[]> {
  const value = new Uint8Array(bytes).fill(120)
  let length = 0
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: blocks }, (_, j) => ({
      heads: length++ === 0 ? [] : [{ key, length: length - 1 }],
      batch: isOne ? blocks - j : 1,
      value
    }))
  }
}

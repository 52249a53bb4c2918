/** What is left of a process's growth when it has come to rest: from the second quarter of its life to the last. */
export interface Trend {
  readonly first: number
  readonly last: number
}

/** The median of the second quarter of a row of numbers, and of the last: single peaks count for nothing. */
export function trendOf(values: readonly number[]): Trend {
  const quarter = Math.floor(values.length / 4)
  return { first: median(values.slice(quarter, 2 * quarter)), last: median(values.slice(-quarter)) }
}

function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('There are too few values.')
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

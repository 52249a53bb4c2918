/** Spreads work that costs the more the more often it is done. */
export interface Pace {
  /** Resolves when the next is due: `intervalMs` after the one before, and at once while somebody waits for it. */
  due(): Promise<void>
  /** Waits for something, which then is not held up by {@link due}. */
  hurry<Value>(work: Promise<Value>): Promise<Value>
}

/** @param now milliseconds since 1970: however it is set, nothing waits for longer than `intervalMs`. */
export function createPace(intervalMs: number, now: () => number): Pace {
  let last = -Infinity
  let waiting = 0
  let wake: (() => void) | undefined
  return {
    async due() {
      const waitMs = Math.min(intervalMs, last + intervalMs - now())
      if (waitMs > 0 && waiting === 0) {
        let timer: ReturnType<typeof setTimeout> | undefined
        await new Promise<void>((resolve) => {
          wake = resolve
          timer = setTimeout(resolve, waitMs)
        })
        clearTimeout(timer)
      }
      last = now()
    },
    async hurry(work) {
      waiting++
      wake?.()
      try {
        return await work
      } finally {
        waiting--
      }
    }
  }
}

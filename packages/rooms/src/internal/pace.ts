/** Spreads work that costs the more the more often it is done. */
export interface Pace {
  /** Resolves when the next is due: `intervalMs` after the one before, and at once while somebody waits for it. */
  due(): Promise<void>
  /** Has the next be due so long after the one before, where that is sooner. */
  within(ms: number): void
  /** Waits for something, which then is not held up by {@link due}. */
  hurry<Value>(work: Promise<Value>): Promise<Value>
}

/** @param now milliseconds since 1970: however it is set, nothing waits for longer than `intervalMs`. */
export function createPace(intervalMs: number, now: () => number): Pace {
  let last = -Infinity
  let afterMs = intervalMs
  let waiting = 0
  let wake: (() => void) | undefined

  function waitMs(): number {
    return waiting > 0 ? 0 : Math.min(afterMs, last + afterMs - now())
  }

  return {
    async due() {
      for (let ms = waitMs(); ms > 0; ms = waitMs()) {
        let timer: ReturnType<typeof setTimeout> | undefined
        const isOver = await new Promise<boolean>((resolve) => {
          wake = () => resolve(false)
          timer = setTimeout(() => resolve(true), ms)
        })
        clearTimeout(timer)
        // However the clock was set meanwhile.
        if (isOver) break
      }
      last = now()
      afterMs = intervalMs
    },
    within(ms) {
      if (ms >= afterMs) return
      afterMs = ms
      wake?.()
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

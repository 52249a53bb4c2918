/** Work that looks at all there is: done again when it was asked for meanwhile, however often, and never twice at a time. */
export interface Rounds {
  /** What has changed by now is looked at. */
  ask(): void
  /** Resolves when all that was asked for has been done. */
  settled(): Promise<void>
}

/** @param onerror is told what a round fails with; the next one comes when it is asked for. */
export function createRounds(round: () => Promise<void>, onerror: (error: unknown) => void): Rounds {
  let isAsked = false
  let going: Promise<void> | undefined

  async function go(): Promise<void> {
    while (isAsked) {
      isAsked = false
      await round().catch(onerror)
    }
    // In the same turn: what is asked for between this and whoever waits for it would not be done.
    going = undefined
  }

  return {
    ask() {
      isAsked = true
      going ??= go()
    },
    async settled() {
      while (going !== undefined) await going
    }
  }
}

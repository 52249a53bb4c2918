/** How often a directory is looked at: what tells of changes is another on each system, and on disks of a network there is none. */
const LOOK_MS = 2_000
/** The longer it takes, the more seldom. */
const REST_RATIO = 10

/** Looks again and again: every two seconds, and soon after it is woken. */
export class Lookout {
  readonly #look: () => Promise<void>
  readonly #onerror: (error: unknown) => void
  readonly #following: Promise<void>
  #isWoken = false
  #isClosed = false
  #wakeNow: () => void = () => undefined

  /** @param onerror told once of failures of the same code, until a look succeeds. */
  constructor(look: () => Promise<void>, onerror: (error: unknown) => void) {
    this.#look = look
    this.#onerror = onerror
    this.#following = this.#follow()
  }

  wake(): void {
    this.#isWoken = true
    this.#wakeNow()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wakeNow()
    await this.#following
  }

  async #follow(): Promise<void> {
    let lastFailure: unknown
    // The first look is not before its maker has got it.
    await Promise.resolve()
    while (!this.#isClosed) {
      const startedAt = Date.now()
      this.#isWoken = false
      try {
        await this.#look()
        lastFailure = undefined
      } catch (error) {
        const code = (error as { code?: unknown }).code ?? error
        if (!this.#isClosed && code !== lastFailure) this.#onerror(error)
        lastFailure = code
      }
      if (!this.#isClosed) await this.#rest(Date.now() - startedAt)
    }
  }

  /** As long as the work was, at least. */
  async #rest(workedMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      let timer = setTimeout(resolve, this.#isWoken ? workedMs : Math.max(LOOK_MS, REST_RATIO * workedMs))
      this.#wakeNow = () => {
        clearTimeout(timer)
        timer = setTimeout(resolve, this.#isClosed ? 0 : workedMs)
      }
    })
    this.#wakeNow = () => undefined
  }
}

interface SuspensionInit {
  readonly suspend: () => Promise<void>
  readonly resume: () => Promise<void>
}

/** Suspends and resumes one after the other, however often and quickly it is asked to; the last word counts. */
export class Suspension {
  readonly #init: SuspensionInit
  #isWanted = false
  #isDone = false
  #work: Promise<void> | null = null

  constructor(init: SuspensionInit) {
    this.#init = init
  }

  /** From the moment that it is asked for. */
  get isSuspended(): boolean {
    return this.#isWanted
  }

  /** Resolves when what was asked for last is so. */
  ask(isWanted: boolean): Promise<void> {
    this.#isWanted = isWanted
    return this.settled()
  }

  settled(): Promise<void> {
    // Begun later, and over in the same turn in which the last look was taken: no word comes in between.
    this.#work ??= Promise.resolve().then(() => this.#run())
    return this.#work
  }

  async #run(): Promise<void> {
    try {
      while (this.#isDone !== this.#isWanted) {
        if (this.#isDone) await this.#init.resume()
        else await this.#init.suspend()
        this.#isDone = !this.#isDone
      }
    } finally {
      this.#work = null
    }
  }
}

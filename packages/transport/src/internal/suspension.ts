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
    this.#work ??= this.#run().finally(() => void (this.#work = null))
    return this.#work
  }

  async #run(): Promise<void> {
    while (this.#isDone !== this.#isWanted) {
      if (this.#isDone) await this.#init.resume()
      else await this.#init.suspend()
      this.#isDone = !this.#isDone
    }
  }
}

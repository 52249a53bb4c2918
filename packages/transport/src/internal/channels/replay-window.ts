import { REPLAY_WINDOW } from './constants.js'

/**
 * Which of the newest numbers have been seen, as a bitmap that slides: what has come before is told from
 * what is new, and what is too old to tell is not taken.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6347#section-4.1.2.6
 */
export class ReplayWindow {
  readonly #seen = new Uint8Array(REPLAY_WINDOW)
  #highest = -1
  #count = 0

  /** How many numbers up to the highest have not been seen. */
  get missing(): number {
    return this.#highest + 1 - this.#count
  }

  take(number: number): 'new' | 'replayed' | 'late' {
    if (number <= this.#highest - REPLAY_WINDOW) return 'late'
    const at = number % REPLAY_WINDOW
    if (number > this.#highest) this.#slideTo(number)
    else if (this.#seen[at] === 1) return 'replayed'
    this.#seen[at] = 1
    this.#count++
    return 'new'
  }

  #slideTo(number: number): void {
    if (number - this.#highest >= REPLAY_WINDOW) this.#seen.fill(0)
    else for (let i = this.#highest + 1; i < number; i++) this.#seen[i % REPLAY_WINDOW] = 0
    this.#highest = number
  }
}

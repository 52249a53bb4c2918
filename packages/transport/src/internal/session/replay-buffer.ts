import { WINDOW_BYTES, WINDOW_FRAMES } from './constants.js'

/** The frames that were written and not acknowledged, numbered from the beginning of the session. */
export class ReplayBuffer {
  #frames: (Uint8Array | undefined)[] = []
  /** Where in `#frames` the first one is: cutting an array for each acknowledgement would be slow. */
  #offset = 0
  #start = 0
  #bytes = 0

  /** The number of the first frame that is kept: so many were acknowledged. */
  get start(): number {
    return this.#start
  }

  /** The number that the next frame will get. */
  get end(): number {
    return this.#start + this.#frames.length - this.#offset
  }

  get isFull(): boolean {
    return this.#bytes >= WINDOW_BYTES || this.end - this.#start >= WINDOW_FRAMES
  }

  push(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.#bytes += frame.length
  }

  at(number: number): Uint8Array | undefined {
    return this.#frames[this.#offset + number - this.#start]
  }

  /** Lets go of the frames below `count`; one that was never written cannot be acknowledged. */
  acknowledge(count: number): boolean {
    if (count > this.end) return false
    while (this.#start < count) {
      this.#bytes -= this.#frames[this.#offset]!.length
      this.#frames[this.#offset++] = undefined
      this.#start++
    }
    if (this.#offset > 1_024 && this.#offset * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#offset)
      this.#offset = 0
    }
    return true
  }
}

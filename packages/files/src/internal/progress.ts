import { BLOCK_BYTES, MAX_FILE_BYTES } from '../constants.js'
import type { FileProgress, FileState } from '../file.js'
import type { FileCore } from './file-core.js'

const TELL_MS = 250
/** Over how long a speed is taken. */
const SPAN_MS = 5_000

/** How far a file is, told while something is wanted of it. */
export class Progress {
  readonly #core: FileCore
  readonly #ownState: () => FileState | undefined
  readonly #tell: (progress: FileProgress) => void
  #samples: { readonly atMs: number; readonly bytes: number }[] = []
  #wanted = 0
  #timer: ReturnType<typeof setInterval> | undefined

  /** @param ownState what is more than the core knows. */
  constructor(core: FileCore, ownState: () => FileState | undefined, tell: (progress: FileProgress) => void) {
    this.#core = core
    this.#ownState = ownState
    this.#tell = tell
  }

  async now(): Promise<FileProgress> {
    const { held, holders } = await this.#core.look()
    const { size, end, blocks } = this.#core
    const receivedBytes = Math.min(held * BLOCK_BYTES, size ?? MAX_FILE_BYTES)
    const bytesPerSecond = this.#measure(receivedBytes)
    const left = size === undefined ? null : size - receivedBytes
    return {
      state: this.#ownState() ?? this.#stateOf(end !== undefined && held === blocks, holders),
      receivedBytes,
      totalBytes: size ?? null,
      bytesPerSecond,
      etaMs: left === 0 ? 0 : left === null || bytesPerSecond === 0 ? null : Math.round((left * 1_000) / bytesPerSecond),
      holders
    }
  }

  get isWanted(): boolean {
    return this.#wanted > 0
  }

  /** Something is wanted, until {@link Progress.end} is called as often. */
  begin(): void {
    this.#wanted++
    this.#timer ??= setInterval(() => void this.tell(), TELL_MS)
  }

  async end(): Promise<void> {
    if (--this.#wanted > 0) return
    this.stop()
    await this.tell()
    this.#samples = []
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async tell(): Promise<void> {
    const progress = await this.now().catch(() => undefined)
    // Of a file that was closed meanwhile there is nothing to tell.
    if (progress !== undefined) this.#tell(progress)
  }

  #stateOf(isWhole: boolean, holders: number): FileState {
    if (isWhole) return 'whole'
    if (this.#wanted === 0) return 'idle'
    return holders === 0 ? 'waiting' : 'receiving'
  }

  #measure(bytes: number): number {
    const atMs = Date.now()
    this.#samples.push({ atMs, bytes })
    while (this.#samples.length > 2 && this.#samples[0]!.atMs < atMs - SPAN_MS) this.#samples.shift()
    const first = this.#samples[0]!
    return atMs <= first.atMs ? 0 : Math.max(0, Math.round(((bytes - first.bytes) * 1_000) / (atMs - first.atMs)))
  }
}

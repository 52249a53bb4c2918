import type Corestore from 'corestore'
import type Hypercore from 'hypercore'

/** What a held core tells. */
export interface HeldCoreInit {
  readonly corestore: Corestore
  readonly key: Uint8Array
  /** More blocks were signed, or came than were: whether those that are signed may be fetched. Asked before any of them is. */
  readonly mayGrow: (length: number, bytes: number) => Promise<boolean>
  /** So many bytes of a block came; gives how many there are with them, of all that ever came. */
  readonly onreceived: (bytes: number) => number
  /** More blocks are on the disk. */
  readonly ongrown: () => void
  readonly onerror: (error: unknown) => void
}

/** A core that is fetched, for as long as a device that wants it held is there. */
export class HeldCore {
  readonly #init: HeldCoreInit
  readonly #core: Hypercore
  #range: { destroy(): void } | null = null
  #asking: Promise<void> = Promise.resolve()
  #isBroken = false

  constructor(init: HeldCoreInit) {
    this.#init = init
    this.#core = init.corestore.get({ key: init.key })
    this.#core.on('append', () => this.grow())
    this.#core.on('download', (_index: number, bytes: number) => {
      if (this.#core.closing !== null) return
      // Blocks are verified by hashes, and what the writer has signed of their sizes is not.
      if (init.onreceived(bytes) > this.#core.byteLength) this.grow()
      init.ongrown()
    })
    this.#core.ready().then(
      () => this.grow(),
      (error: unknown) => {
        this.#isBroken = true
        init.onerror(error)
      }
    )
  }

  /** Whether it could not be opened. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** How many of the first blocks are on the disk, without a gap. */
  get length(): number {
    return this.#core.contiguousLength
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  /** Has none of its blocks any more, and fetches none until there is room again. */
  clear(): Promise<void> {
    const clearing = this.#asking.then(async () => {
      this.#range?.destroy()
      this.#range = null
      if (this.#core.closing === null) await this.#core.clear(0, this.#core.length)
    })
    this.#asking = clearing.catch(this.#init.onerror)
    return clearing
  }

  /** Asks whether there is room, once more: there may be by now. */
  grow(): void {
    // One after the other: each looks at what there is when its turn comes.
    this.#asking = this.#asking.then(async () => {
      const { length, byteLength } = this.#core
      if (this.#core.closing !== null || length === 0) return
      const isAllowed = await this.#init.mayGrow(length, byteLength)
      if (this.#core.closing !== null) return
      this.#range?.destroy()
      // Not without an end, with which the next block would come along with its signature.
      this.#range = isAllowed ? (this.#core.download({ start: 0, end: length }) as { destroy(): void }) : null
      this.#init.ongrown()
    }).catch(this.#init.onerror)
  }
}

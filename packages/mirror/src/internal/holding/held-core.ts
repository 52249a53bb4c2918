import type Corestore from 'corestore'
import type Hypercore from 'hypercore'

/** What a held core tells. */
export interface HeldCoreInit {
  readonly corestore: Corestore
  readonly key: Uint8Array
  /** More blocks were signed: whether they may be fetched. Asked before any of them is. */
  readonly mayGrow: (bytes: number) => Promise<boolean>
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

  constructor(init: HeldCoreInit) {
    this.#init = init
    this.#core = init.corestore.get({ key: init.key })
    this.#core.on('append', () => this.#grow())
    this.#core.on('download', () => init.ongrown())
    this.#core.ready().then(() => this.#grow(), init.onerror)
  }

  /** How many of the first blocks are on the disk, without a gap. */
  get length(): number {
    return this.#core.contiguousLength
  }

  close(): Promise<void> {
    return this.#core.close()
  }

  #grow(): void {
    // One after the other: each looks at what there is when its turn comes.
    this.#asking = this.#asking.then(async () => {
      if (this.#core.closing !== null) return
      const isAllowed = await this.#init.mayGrow(this.#core.byteLength)
      if (this.#core.closing !== null) return
      if (isAllowed) this.#range ??= this.#core.download({ start: 0, end: -1 }) as { destroy(): void }
      else this.#stop()
      this.#init.ongrown()
    }).catch(this.#init.onerror)
  }

  #stop(): void {
    this.#range?.destroy()
    this.#range = null
  }
}

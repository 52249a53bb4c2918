import type Autobase from 'autobase'
import type Hypercore from 'hypercore'
import type { Download } from 'hypercore'
import type { UpstreamAutobase } from './guards/autobase-internals.js'

/** How long a room has to be as it is: who has just come in, or opened it, reads the end of it first. */
const QUIET_MS = 1_000

/** How many of the last blocks are asked for at once: who is in, the keys, and some of what was last said. */
const LAST_BLOCKS = 64

/** How many blocks are asked for at a time, so that what somebody waits for does not come after all of them. */
const PART_BLOCKS = 256

/** Downloads what a fast-forward went past. */
export interface ViewKeeper {
  /** There may be more to download. */
  changed(): void
  close(): void
}

/**
 * Keeps the whole view on this device, so that all of the room can be read while nobody else is there:
 * Autobase itself downloads only what is asked for.
 *
 * @param onerror told of what fails, but for what fails because it was closed.
 */
export function createViewKeeper<View>(base: Autobase<View>, onerror: (error: unknown) => void): ViewKeeper {
  const { byName } = (base as unknown as UpstreamAutobase<View>)._viewStore
  let timer: ReturnType<typeof setTimeout> | undefined
  let downloads: Download[] = []
  /** What is under way belongs to this; what belongs to an earlier one stops. */
  let round = 0

  function stop(): void {
    round++
    clearTimeout(timer)
    for (const download of downloads) download.destroy()
    downloads = []
  }

  function keepLast(): void {
    for (const { core } of byName.values()) {
      const { contiguousLength, length: end } = core
      const start = Math.max(contiguousLength, end - LAST_BLOCKS)
      if (start < end) downloads.push(core.download({ start, end }))
    }
  }

  function keepAll(): void {
    for (const { core } of byName.values()) keep(core, round).catch(onerror)
  }

  async function keep(core: Hypercore<unknown>, during: number): Promise<void> {
    while (during === round && core.contiguousLength < core.length) {
      const start = core.contiguousLength
      const download = core.download({ start, end: Math.min(start + PART_BLOCKS, core.length) })
      downloads.push(download)
      const isDone = await download.done()
      downloads = downloads.filter((other) => other !== download)
      // Destroyed, or nothing came of it: the next change of the room has it tried again.
      if (!isDone || core.contiguousLength === start) return
    }
  }

  return {
    changed() {
      stop()
      keepLast()
      timer = setTimeout(keepAll, QUIET_MS)
    },
    close: stop
  }
}

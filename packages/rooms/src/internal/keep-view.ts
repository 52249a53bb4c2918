import type Autobase from 'autobase'
import type Hypercore from 'hypercore'
import type { Download } from 'hypercore'
import type { UpstreamAutobase } from './guards/autobase-internals.js'
import { FEW_BLOCKS } from './guards/guard-fast-forward.js'
import { VIEW_CORE } from './view.js'

/**
 * How long a room has to be as it is, and nothing to be asked for: who has just come in, or opened it, reads the end of it
 * first, and, before they write, who is in.
 */
const QUIET_MS = 1_000

/** How long that is waited for at most: somebody may read on and on. */
const MAX_WAIT_MS = 30_000

/** How many of the last blocks are asked for at once: who is in, the keys, and some of what was last said. */
const LAST_BLOCKS = 64

/** How many blocks are asked for at a time, so that what somebody waits for does not come after all of them. */
const PART_BLOCKS = 256

/** Downloads what a fast-forward went past. */
export interface ViewKeeper {
  /** There may be more to download. */
  changed(): void
  /** Whether few blocks are missing, or somebody who has just come in, or opened the room, has had the time to read the end of it. */
  isCalm(): boolean
  /** Resolves when it is calm, or closed: for what can wait, and reads much. */
  calm(): Promise<void>
  /** Calls back each time that it becomes so. */
  oncalm(listener: () => void): () => void
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
  let unlisten = (): void => undefined
  let isCalm = false
  /** Since when, in milliseconds since 1970, it has not been. */
  let uncalmAt: number | undefined
  const waiting = new Set<() => void>()
  const listeners = new Set<() => void>()
  /** What is under way belongs to this; what belongs to an earlier one stops. */
  let round = 0

  function stop(): void {
    round++
    clearTimeout(timer)
    unlisten()
    for (const download of downloads) download.destroy()
    downloads = []
  }

  function keepLast(): void {
    for (const [name, { core }] of byName) {
      // Where much is missing somebody waits for bytes, and reads nothing of the others.
      if (!isCalm && name !== VIEW_CORE) continue
      const { contiguousLength, length: end } = core
      const start = Math.max(contiguousLength, end - LAST_BLOCKS)
      if (start < end) downloads.push(core.download({ start, end }))
    }
  }

  function waitUntilQuiet(): void {
    const cores = [...byName.values()].map(({ core }) => core)
    const startedAt = (uncalmAt ??= Date.now())
    let lastAt = Date.now()
    const ondownload = (): void => void (lastAt = Date.now())
    for (const core of cores) core.on('download', ondownload)
    unlisten = () => cores.forEach((core) => core.off('download', ondownload))
    const look = (): void => {
      const waitMs = Math.min(lastAt + QUIET_MS, startedAt + MAX_WAIT_MS) - Date.now()
      // More is a clock that was set back.
      if (waitMs > 0 && waitMs <= QUIET_MS) timer = setTimeout(look, waitMs)
      else keepAll()
    }
    look()
  }

  function calmDown(): void {
    const wasCalm = isCalm
    isCalm = true
    uncalmAt = undefined
    if (!wasCalm) for (const listener of listeners) listener()
    for (const wake of waiting) wake()
    waiting.clear()
  }

  function keepAll(): void {
    unlisten()
    calmDown()
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
      const missing = [...byName.values()].reduce((sum, { core }) => sum + core.length - core.contiguousLength, 0)
      if (missing <= FEW_BLOCKS) calmDown()
      else isCalm = false
      keepLast()
      waitUntilQuiet()
    },
    isCalm: () => isCalm,
    calm: async () => {
      if (!isCalm) await new Promise<void>((resolve) => waiting.add(resolve))
    },
    oncalm(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close() {
      listeners.clear()
      stop()
      calmDown()
    }
  }
}

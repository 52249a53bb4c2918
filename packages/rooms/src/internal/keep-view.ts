import type Autobase from 'autobase'
import type Hypercore from 'hypercore'
import type { UpstreamAutobase } from './guards/autobase-internals.js'

/** Downloads what a fast-forward went past. */
export interface ViewKeeper {
  /** There may be more to download. */
  changed(): void
  close(): void
}

/**
 * Keeps the whole view on this device, so that all of the room can be read while nobody else is there:
 * Autobase itself downloads only what is asked for.
 */
export function createViewKeeper<View>(base: Autobase<View>): ViewKeeper {
  const { byName } = (base as unknown as UpstreamAutobase<View>)._viewStore
  const downloads = new Map<Hypercore<unknown>, { destroy(): void }>()
  const stop = (): void => {
    for (const download of downloads.values()) download.destroy()
    downloads.clear()
  }
  return {
    changed() {
      stop()
      for (const { core } of byName.values()) {
        const { contiguousLength: start, length: end } = core
        if (start < end) downloads.set(core, core.download({ start, end }))
      }
    },
    close: stop
  }
}

import type { UpstreamApplyState } from './autobase-internals.js'

/** lib/caps.js: of the record by which a base knows at its next start how far it was. */
const BOOT_RECORD_VERSION = 3

/**
 * Writes what was applied, and the record of it, at once.
 *
 * The defect, in autobase 7.28.1: a writer's views are flushed before the list of updates that made
 * them, and before the boot record (lib/apply-state.js:973, then 990 and 1014). A process that is
 * killed in between starts with views that its list does not tell of: what is in them is applied once
 * more, and what is undone is undone to a wrong length.
 */
export function guardFlush(state: UpstreamApplyState): void {
  const flush = state._flush.bind(state)
  state._flush = async (localNodes) => {
    const { local, localState, base } = state
    // Of a device that has signed two pasts the core is closed, and the flush itself says so.
    if (local.closing) return flush(localNodes)
    // The same as the flush itself writes, a second time and too late.
    localState.setBootRecord({
      version: BOOT_RECORD_VERSION,
      key: state.key,
      systemLength: state.indexedLength,
      indexersUpdated: false,
      fastForwarding: false,
      recoveries: base.recoveries
    })
    await localState.flush()
    await flush(localNodes)
  }
}

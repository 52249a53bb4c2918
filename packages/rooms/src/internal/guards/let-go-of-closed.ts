import type { UpstreamAutobase, UpstreamWriter } from './autobase-internals.js'

/**
 * Lets go of a writer that is closed.
 *
 * The defect, in autobase 7.28.1: whose heads a room has is told of to each peer that has no channel for it, and so is kept
 * by `_coupler`; but what would take a closed one from there is called by nobody (lib/writer.js:66). A writer is closed
 * whenever all of it is read, and opened again when it writes: so each word that is said would leave one in memory for good,
 * with its core and what it had read. One that is closed has nothing that is not told of elsewhere.
 */
export function letGoOfClosed(writer: UpstreamWriter, base: Pick<UpstreamAutobase<unknown>, '_coupler'>): void {
  const close = writer._close.bind(writer)
  writer._close = () => {
    // Not coupled again either, by a round that was under way.
    writer.updateActivity = () => undefined
    base._coupler?.remove(writer.core)
    return close()
  }
}

import type Hypercore from 'hypercore'
import type { Download } from 'hypercore'
import type { GraphNode, UpstreamApplyState, ViewCore } from './autobase-internals.js'

/** index.js of hyperbee 2.27.3, where a node of the tree is made: the blocks below it, which are asked for ahead. */
interface Preload {
  readonly blocks: readonly number[]
}

/** index.js of hypercore 11.37.1 */
interface UpstreamSession {
  download(range: Preload): Download | undefined
}

/**
 * Has a snapshot of a view ask other peers for no block that is in the view of this device.
 *
 * The defect: a device writes the blocks of its view itself, and they count as those of the signed core only
 * when what it has applied is written to that. Until then hyperbee 2.27.3 takes them for missing (index.js:158),
 * because a snapshot in hypercore 11.37.1 says that all of it is signed (lib/session-state.js:93): so they are
 * downloaded, verified and stored, nearly one for each message that is read.
 *
 * @param core the view, of which `session` is a snapshot; what it has beyond what is signed it has itself.
 */
export function preloadMissing<Session extends object>(session: Session, core: Hypercore<unknown>): Session {
  const upstream = session as unknown as UpstreamSession
  const download = upstream.download.bind(upstream)
  upstream.download = ({ blocks }) => {
    const missing = blocks.filter((block) => block < core.signedLength)
    return missing.length === 0 ? undefined : download({ blocks: missing })
  }
  return session
}

/**
 * The same for what others say to have read of the view when they wrote: autobase 7.28.1 asks for all of it
 * (lib/apply-state.js:1228), most of which this device has just written too.
 */
export function preloadTraced(state: UpstreamApplyState): void {
  const update = state.update.bind(state)
  state.update = (order, localNodes) => {
    for (const node of [...order.indexed, ...order.tip].slice(order.shared)) node.trace = missingOf(node, state)
    return update(order, localNodes)
  }
}

function missingOf({ trace }: GraphNode, { systemView, encryptionView, views }: UpstreamApplyState): GraphNode['trace'] {
  return (
    trace && {
      system: missingFrom(systemView.core, trace.system),
      encryption: missingFrom(encryptionView.core, trace.encryption),
      user: trace.user
        .map(({ view, blocks }) => ({ view, blocks: missingFrom(views[view]?.core, blocks) }))
        .filter(({ blocks }) => blocks.length > 0)
    }
  )
}

function missingFrom(core: ViewCore | null | undefined, blocks: readonly number[]): number[] {
  return core ? blocks.filter((block) => block < core.signedLength && core.core.bitfield?.get(block) !== true) : []
}

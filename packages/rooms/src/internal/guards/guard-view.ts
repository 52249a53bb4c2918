import Hypercore from 'hypercore'
import { equalBytes } from '@covey/core'
import type { UpstreamApplyState, UpstreamAutobase, UpstreamViewRef } from './autobase-internals.js'

/** That this peer's view differs from what the indexers signed. */
export interface Split {
  readonly view: string
  /** The length of the view's core at which it shows. */
  readonly length: number
}

/** How long the indexers may be ahead with nothing of theirs being read here. */
const STALL_MS = 10_000

/** How often is looked at most: to compare takes a dozen reads of the disk, and each message would have it done three times. */
const LOOK_MS = 200

/** How long to let what is being applied come to its end. */
const SETTLE_MS = 100

/** How long to wait, at first, before the same is tried again; each time twice as long. */
const RETRY_MS = 5_000
const MAX_RETRY_MS = 300_000

export interface ViewGuard {
  /** To be called when something was applied, or signed. Never throws. */
  changed(): void
  close(): void
}

/**
 * Brings a peer back whose view is not what the indexers signed, or who cannot read on to it.
 *
 * The attack, in autobase 7.28.1: a writer signs two blocks for one place, and who was given the other
 * one than the indexers has another view for ever: the signatures do not fit, which is a warning
 * (lib/apply-state.js:1096), and who is as long as the signed view is never fast-forwarded
 * (index.js:2091). What of the view's own past is not here (a torn disk, a defect) comes to the same.
 *
 * Only what the indexers' order has settled here too is compared: the rest may differ, and will settle.
 */
export function guardView<View>(base: UpstreamAutobase<View>, onsplit: (split: Split) => void): ViewGuard {
  const watched = new WeakSet<object>()
  let closed = false
  let checking = false
  let again = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let looking: ReturnType<typeof setTimeout> | undefined
  let retryMs = RETRY_MS
  /** Whether something was tried, and it is too early to try it again. */
  let resting = false
  let isSplit = false
  /** What had been read, and since when the indexers were ahead of it. */
  let stalled: { readonly indexed: number; readonly since: number } | undefined

  async function check(): Promise<void> {
    const state = base._applyState
    if (resting || state === null || !state.opened || base.isFastForwarding()) return
    const { indexedLength: indexed } = state
    const split = await findSplit(state)
    // What was compared may have been on its way from one state to the next.
    if (base._draining || base._applyState !== state || state.indexedLength !== indexed) return wait(SETTLE_MS)
    if (split !== undefined) {
      if (!isSplit) onsplit(split)
      isSplit = true
      return heal()
    }
    isSplit = false
    if (base._viewStore.byName.get(SYSTEM)!.core.length <= indexed) {
      stalled = undefined
      retryMs = RETRY_MS
      return
    }
    if (stalled?.indexed !== indexed) stalled = { indexed, since: Date.now() }
    const left = stalled.since + STALL_MS - Date.now()
    // A clock that was set back must not make it longer.
    if (left > 0) return wait(Math.min(left, STALL_MS))
    return heal()
  }

  async function findSplit({ system, views, indexedLength }: UpstreamApplyState): Promise<Split | undefined> {
    const info = await system.getIndexedInfo(indexedLength)
    const settled = new Map([[SYSTEM, indexedLength]])
    for (const { name, mappedIndex } of views) {
      if (name !== null) settled.set(name, info.views[mappedIndex]?.length ?? 0)
    }
    for (const [view, most] of settled) {
      const ref = base._viewStore.byName.get(view)
      if (ref === undefined) continue
      if (!watched.has(ref.core)) ref.core.on('append', changed)
      watched.add(ref.core)
      const length = Math.min(ref.core.length, most)
      if (length > 0 && (await differs(ref, length))) return { view, length }
    }
    return undefined
  }

  async function differs({ core, batch }: UpstreamViewRef, length: number): Promise<boolean> {
    if (batch === null || batch.length < length) return false
    try {
      const theirs = await Hypercore.treeHashFromStorage(core, length)
      return !equalBytes(theirs, await Hypercore.treeHashFromStorage(batch, length))
    } catch {
      // Below the length that was signed, nodes of the tree may not be here.
      return false
    }
  }

  async function heal(): Promise<void> {
    resting = true
    stalled = undefined
    try {
      await base._runForceFastForward()
    } finally {
      // It may not come about, or not help; not to be tried again at once.
      wait(retryMs)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
  }

  function wait(ms: number): void {
    clearTimeout(timer)
    if (closed) return
    timer = setTimeout(() => {
      resting = false
      changed()
    }, ms)
  }

  function changed(): void {
    again = true
    if (checking || closed) return
    looking ??= setTimeout(() => void look(), LOOK_MS)
  }

  async function look(): Promise<void> {
    looking = undefined
    again = false
    checking = true
    try {
      await check()
    } catch (error) {
      if (!closed && !base.closing) base._warn(error as Error)
    }
    checking = false
    if (again) changed()
  }

  return {
    changed,
    close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(looking)
    }
  }
}

const SYSTEM = '_system'

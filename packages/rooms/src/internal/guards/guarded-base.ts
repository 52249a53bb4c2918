import Autobase, { type AutobaseHandlers, type Head } from 'autobase'
import type Corestore from 'corestore'
import type { UpgradeProof } from 'hypercore'
import { equalBytes } from '@covey/core'
import type { Equivocation } from '../equivocation.js'
import { mapKey } from '../map-key.js'
import type {
  UpstreamApplyState,
  UpstreamAutobase,
  UpstreamAutobaseClass,
  UpstreamFastForward,
  UpstreamViewRef,
  UpstreamWriter
} from './autobase-internals.js'
import { guardAppend } from './guard-append.js'
import { guardCheckpoints } from './guard-checkpoints.js'
import { guardFlush } from './guard-flush.js'
import { guardFastForward, keepReadable } from './guard-fast-forward.js'
import { guardWriterCore, isFrozen, watchCores, type OnConflict, type UpstreamCore } from './guard-core.js'
import { guardLinearizer } from './guard-linearizer.js'
import { guardLinks } from './guard-links.js'
import { writeHeldBlocks } from './guard-prologue.js'
import { createQuotas, type Flood } from './guard-quota.js'
import { guardStranger } from './guard-strangers.js'
import { guardView, type Split } from './guard-view.js'
import { boundedHints, createWaiting, mayWake, STRANGER_RATE } from './guard-wakeup.js'
import { guardWriter, type FrozenWriter } from './guard-writer.js'
import { guardWriterKey } from './guard-writer-key.js'
import { letGoOfClosed } from './let-go-of-closed.js'
import type { MeterInit } from './meter.js'
import { preloadTraced } from './preload-missing.js'
import { proveFork } from './prove-fork.js'
import { readFirstAppend } from './read-first-append.js'
import { createRateLimit } from './rate-limit.js'
import { assertUpstream } from './upstream.js'

/** How far behind, in blocks of the system's core, who knows nothing yet goes forward by what indexers have signed. */
const MIN_FIRST_FAST_FORWARD = 16

/**
 * How far behind a member does: beyond that what it has applied, and read, is put aside, and has to be
 * downloaded.
 */
const MIN_FAST_FORWARD = 256

/** What the guards of a base tell. */
export interface BaseGuard {
  /** A writer is not read on; once a writer, each time that the base is opened. */
  readonly onfrozen: (frozen: FrozenWriter) => void
  /** A writer is downloaded slowly from now on, until its allowance has filled again. */
  readonly onflood?: (flood: Flood) => void
  /** Of each writer. Default: that of `guard-quota.ts`. */
  readonly quota?: MeterInit
  /** A writer of the room signed two pasts; the proof, for those who have not seen both. */
  readonly onfork?: (proof: Equivocation) => void
  /** This peer's view was not what the indexers signed, or theirs is not what they signed before. */
  readonly onsplit?: (split: Split) => void
  /** Something that a peer sent was put aside; nothing is lost by it. */
  readonly onwarning?: (error: unknown) => void
}

/**
 * An Autobase that no block of a writer, checkpoint of an indexer, wakeup of a peer or core from an
 * invite can stop. See docs/guards.md.
 *
 * A subclass, and not a wrap of an instance: the constructor of Autobase starts to fast-forward.
 *
 * @throws {RoomError} UPSTREAM_UNSUPPORTED for an autobase or hypercore that this was not written for
 */
export function createGuardedBase<View>(
  store: Corestore,
  key: Uint8Array | null,
  handlers: AutobaseHandlers<View>,
  { onfrozen, onflood = ignore, quota, onfork = ignore, onsplit = ignore, onwarning = ignore }: BaseGuard
): Autobase<View> {
  assertUpstream('autobase', 'hypercore')
  const frozen = new Set<string>()
  const forked = new Set<string>()
  const quorum = (): number => Math.floor(base.linearizer.indexers.length / 2) + 1
  const quotas = createQuotas(onflood, quorum, quota)
  const states = new WeakMap<object, UpstreamApplyState | null>()

  const report = (writer: FrozenWriter): void => {
    const id = mapKey(writer.key)
    if (frozen.has(id)) return
    frozen.add(id)
    onfrozen(writer)
  }

  const isForked = (core: UpstreamWriter['core']): boolean => {
    return forked.has(mapKey(core.key)) || core.fork > 0 || isFrozen(core)
  }

  const onconflict: OnConflict = (core, proof) => {
    if (base.closing) return
    if (base.local !== null && equalBytes(core.key, base.local.key)) {
      // What it writes nobody reads; to go on would only lose it.
      base._onError(new Error('The own core has signed two trees.'))
      return
    }
    for (const [view, ref] of base._viewStore.byName) {
      if (ref.core.key !== null && equalBytes(ref.core.key, core.key)) onsplit({ view, length: proof.upgrade.length })
    }
    handleFork(core, proof).catch(onwarning)
  }

  const onunwritten = ({ key }: UpstreamCore, error: Error): void => {
    // The cores of all rooms are in one store, and those of files.
    const cores = [...[...base._viewStore.byName.values()].map(({ core }) => core), ...(base.fastForwarding?.cores ?? [])]
    const isOwn = base.activeWriters.has(key) || cores.some((core) => core.key !== null && equalBytes(core.key, key))
    if (isOwn && !base.closing) base._onError(error)
  }

  async function handleFork(core: UpstreamCore, remote: UpgradeProof): Promise<void> {
    const { key } = core
    const known = await base.system?.get(key)
    // The cores of all rooms are in one store.
    if (!known || forked.has(mapKey(key))) return
    forked.add(mapKey(key))
    const index = base.activeWriters.get(key)?.nodes.length ?? core.state.length
    report({ key, index, reason: 'forked' })
    // Whoever waited for a block of it waits no longer.
    base._queueBump()
    const proof = await proveFork(store, key, remote)
    if (proof !== undefined) onfork(proof)
  }

  class GuardedBase extends (Autobase as unknown as UpstreamAutobaseClass)<View> {
    readonly #rate = createRateLimit(STRANGER_RATE)
    readonly #waiting = createWaiting((hints) => this.hintWakeup(hints))
    /** The hints that come while others are followed. */
    #late: Head[] | undefined

    // An accessor here takes the place of the field that Autobase assigns wherever it makes a state.
    override get _applyState(): UpstreamApplyState | null {
      return states.get(this) ?? null
    }

    override set _applyState(state: UpstreamApplyState | null) {
      states.set(this, state)
      if (state === null) return
      guardCheckpoints(state, onwarning)
      guardFlush(state)
      preloadTraced(state)
    }

    override get fastForwardMinimum(): number {
      // Who may not write yet has not heard of being let in, and has read nothing.
      const isNewcomer = this.core.length === 0 || (this.opened && !this.writable)
      return isNewcomer ? MIN_FIRST_FAST_FORWARD : MIN_FAST_FORWARD
    }

    // Autobase sets it again and again, to what is the same for a newcomer and a member.
    override set fastForwardMinimum(_: number) {}

    override _makeWriter(...args: Parameters<UpstreamAutobase<View>['_makeWriter']>): UpstreamWriter {
      const writer = super._makeWriter(...args)
      guardWriterKey(writer, args[0])
      letGoOfClosed(writer, this)
      guardLinks(writer, (head) => {
        const known = this.activeWriters.get(head)
        return forked.has(mapKey(head)) || (known !== null && known !== undefined && isForked(known.core))
      })
      void writer.core.ready().then(() => guardWriterCore(writer.core.core, onconflict), onwarning)
      if (this._isLocalCore(writer.core)) return writer
      // Each goes around those before it: what is not read of a stranger is not judged either, and what
      // is not read at all has no allowance.
      quotas.guard(writer)
      guardStranger(writer, () => this.activeWriters)
      guardWriter(writer, report, isForked, () => this._queueBump())
      readFirstAppend(writer, () => this.#isNewcomer)
      return writer
    }

    /**
     * Whether something can be read without others. A newcomer has the room's first append, or what it has gone forward to
     * before, and would wait for all of the room with each step.
     */
    get #isReadable(): boolean {
      if (this.writable) return true
      const views = [...this._viewStore.byName.values()]
      return this.core.length >= MIN_FIRST_FAST_FORWARD && views.every(({ core, batch }) => core.contiguousLength >= (batch ?? core).signedLength)
    }

    /** Up to where this device goes by what is signed, of each core of the view. */
    get #signedLengths(): ReadonlyMap<string, number> {
      const cores = [...this._viewStore.byName.values()].map(({ core, batch }) => batch ?? core)
      return new Map(cores.flatMap(({ key, signedLength }) => (key === null ? [] : [[mapKey(key), signedLength]])))
    }

    override async _close(): Promise<void> {
      views.close()
      unwatch()
      quotas.close()
      this.#waiting.close()
      await super._close()
    }

    override _updateLinearizer(indexers: UpstreamWriter[], heads: Head[]): void {
      super._updateLinearizer(indexers, heads)
      guardLinearizer(this.linearizer)
    }

    get #isNewcomer(): boolean {
      const { length } = this.core
      return length === 0 || (length < MIN_FIRST_FAST_FORWARD && this.isFastForwarding())
    }

    override async _runFastForward(fastForward: UpstreamFastForward): Promise<void> {
      await super._runFastForward(guardFastForward(keepReadable(fastForward, () => this.#isReadable, () => this.#signedLengths)))
      // Where nothing came of it, the log is to be read.
      this._queueBump()
    }

    override async _migrateView(...args: unknown[]): Promise<UpstreamViewRef> {
      const ref = await super._migrateView(...args)
      await writeHeldBlocks(ref)
      return ref
    }

    override async _applyFastForwardMigration(ref: UpstreamViewRef, view: Head): Promise<void> {
      await super._applyFastForwardMigration(ref, view)
      await writeHeldBlocks(ref)
    }

    override async _runForceFastForward(): Promise<void> {
      await super._runForceFastForward()
      // One that fails is tried again at once and without end by `_drain`, which nothing else gets beside.
      if (this.fastForwardTo === null && !this.closing) await pause(FAILED_MS)
    }

    override _queueFastForward(): void {
      super._queueFastForward()
      views.changed()
    }

    override hintWakeup(hints: Head | Head[]): void {
      const bounded = boundedHints([hints].flat(), this._wakeupHints.size + (this.#late?.length ?? 0))
      if (this.#late === undefined) super.hintWakeup(bounded)
      else this.#late.push(...bounded)
    }

    /**
     * The defect: a hint that comes meanwhile, of a writer that is done with, is forgotten with the others
     * (index.js:1980). Nothing speaks of that writer again, and what it wrote is not read.
     */
    override async _drainWakeup(): Promise<void> {
      this.#late = []
      try {
        await super._drainWakeup()
      } finally {
        const late = this.#late
        this.#late = undefined
        if (late.length > 0) super.hintWakeup(late)
      }
    }

    override async _wakeupWriter(key: Uint8Array, length: number): Promise<void> {
      const isIn = async (): Promise<boolean> => (await this.system?.get(key))?.isRemoved === false
      if (await mayWake({ isIn, strangers: () => this.#strangers(), rate: this.#rate })) {
        await super._wakeupWriter(key, length)
      } else {
        this.#waiting.add({ key, length })
      }
    }

    #strangers(): number {
      return [...this.activeWriters].filter(({ isRemoved }) => isRemoved).length
    }
  }

  const unwatch = watchCores(store, { onconflict, onunwritten })
  const base = new GuardedBase(store, key, handlers)
  guardAppend(base)
  const views = guardView(base, onsplit)
  const guarded = base as unknown as Autobase<View>
  guarded.on('update', views.changed)
  // What is after the first append may be here already, and nothing else would have it read.
  guarded.once('update', () => base._queueBump())
  return guarded
}

/** How long a forced fast-forward that failed is let be. */
const FAILED_MS = 1_000

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function ignore(): void {
  return undefined
}

import Autobase, { type AutobaseHandlers, type Head } from 'autobase'
import type Corestore from 'corestore'
import type {
  UpstreamApplyState,
  UpstreamAutobase,
  UpstreamAutobaseClass,
  UpstreamFastForward,
  UpstreamWriter
} from './autobase-internals.js'
import { guardCheckpoints } from './guard-checkpoints.js'
import { guardFastForward } from './guard-fast-forward.js'
import { createQuotas, type Flood } from './guard-quota.js'
import { guardLinearizer } from './guard-linearizer.js'
import { guardStranger } from './guard-strangers.js'
import { boundedHints, createWaiting, mayWake, STRANGER_RATE } from './guard-wakeup.js'
import { guardWriter, type FrozenWriter } from './guard-writer.js'
import { guardWriterKey } from './guard-writer-key.js'
import type { MeterInit } from './meter.js'
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
  { onfrozen, onflood = () => undefined, quota, onwarning = () => undefined }: BaseGuard
): Autobase<View> {
  assertUpstream('autobase', 'hypercore')
  const frozen = new Set<string>()
  const quotas = createQuotas(onflood, quota)
  const states = new WeakMap<object, UpstreamApplyState | null>()

  const report = (writer: FrozenWriter): void => {
    const id = String(new Uint8Array(writer.key))
    if (frozen.has(id)) return
    frozen.add(id)
    onfrozen(writer)
  }

  class GuardedBase extends (Autobase as unknown as UpstreamAutobaseClass)<View> {
    readonly #rate = createRateLimit(STRANGER_RATE)
    readonly #waiting = createWaiting((hints) => this.hintWakeup(hints))

    // An accessor here takes the place of the field that Autobase assigns wherever it makes a state.
    override get _applyState(): UpstreamApplyState | null {
      return states.get(this) ?? null
    }

    override set _applyState(state: UpstreamApplyState | null) {
      states.set(this, state)
      if (state !== null) guardCheckpoints(state, onwarning)
    }

    override get fastForwardMinimum(): number {
      return this.core.length === 0 ? MIN_FIRST_FAST_FORWARD : MIN_FAST_FORWARD
    }

    // Autobase sets it again and again, to what is the same for a newcomer and a member.
    override set fastForwardMinimum(_: number) {}

    override _makeWriter(...args: Parameters<UpstreamAutobase<View>['_makeWriter']>): UpstreamWriter {
      const writer = super._makeWriter(...args)
      guardWriterKey(writer, args[0])
      if (this._isLocalCore(writer.core)) return writer
      // Each goes around those before it: what is not read of a stranger is not judged either, and what
      // is not read at all has no allowance.
      quotas.guard(writer)
      guardStranger(writer, () => this.activeWriters)
      guardWriter(writer, report, () => this._queueBump())
      return writer
    }

    override async _close(): Promise<void> {
      quotas.close()
      this.#waiting.close()
      await super._close()
    }

    override _updateLinearizer(indexers: UpstreamWriter[], heads: Head[]): void {
      super._updateLinearizer(indexers, heads)
      guardLinearizer(this.linearizer)
    }

    override _runFastForward(fastForward: UpstreamFastForward): Promise<void> {
      return super._runFastForward(guardFastForward(fastForward))
    }

    override hintWakeup(hints: Head | Head[]): void {
      super.hintWakeup(boundedHints([hints].flat(), this._wakeupHints.size))
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

  return new GuardedBase(store, key, handlers) as unknown as Autobase<View>
}

import type Autobase from 'autobase'
import { equalBytes } from '@covey/core'
import { createRateLimit } from './guards/rate-limit.js'
import { lastOps, openOps } from './guards/read-ops.js'
import { mapKey } from './map-key.js'
import { decodeOp, opId } from './op.js'
import type { OpLog } from './op-log.js'
import type { Roster } from './roster.js'
import { rotationOf } from './rotation.js'
import { encodeStruct } from './structs.js'
import type { EpochRow, RoomView } from './view.js'

/**
 * Brings epochs back that are not in the room any more, and that something is sealed under: whoever made one was
 * removed by somebody who knew of neither.
 *
 * Who has written under it does so at once. They may have gone themselves: then who cannot read it does.
 */
export interface EpochKeeper {
  /** This device has written under an epoch: as it was then, and may not be any more. */
  used(epoch: EpochRow): void
  /** Something is sealed under an epoch that may not be in the room. */
  lacking(epoch: Uint8Array): void
  /** To be called when members, devices or epochs have changed. */
  changed(): void
  /** Whether this device is about to bring one back, unless others do before. */
  isWaiting(): boolean
  close(): void
}

export interface EpochKeeperInit {
  readonly room: Uint8Array
  readonly base: Autobase<RoomView>
  readonly view: RoomView
  readonly roster: Pick<Roster, 'devices'>
  readonly log: OpLog
  readonly isAdmitted: () => Promise<boolean>
  /** Those that this device has written under, by id: kept while the room sleeps. */
  readonly epochs: Map<string, EpochRow>
  readonly onerror: (error: unknown) => void
}

/** How many epochs are remembered: those that the order may still change about. */
const MAX_EPOCHS = 64

/** So many of a device's last ops are looked at: what is older, everybody has heard. */
const LAST_OPS = 64

/** Among so many of those who are out one is looked for, and so often: anybody may name an epoch that there never was. */
const MAX_GONE = 64
const SEARCH_RATE = { burst: 4, perSecond: 0.1 }

/** Who lacks an epoch waits so long at most, so that mostly one brings it back. */
const MAX_WAIT_MS = 2_000

export function createEpochKeeper({ room, base, view, roster, log, isAdmitted, epochs, onerror }: EpochKeeperInit): EpochKeeper {
  let previous: Promise<void> = Promise.resolve()
  const waiting = new Map<string, ReturnType<typeof setTimeout>>()
  const rate = createRateLimit(SEARCH_RATE)

  function remember(row: EpochRow): void {
    epochs.set(mapKey(row.id), row)
    const [oldest] = epochs.keys()
    if (epochs.size > MAX_EPOCHS) epochs.delete(oldest!)
  }

  /** What was written under before the process began. */
  async function rememberLast(): Promise<void> {
    for await (const op of lastOps(base.local, LAST_OPS)) {
      const epoch = decodeOp(op)?.header.epoch
      const row = epoch && !epochs.has(mapKey(epoch)) ? await view.epoch(epoch) : null
      if (row) remember(row)
    }
  }

  async function bringBack(): Promise<void> {
    for (const { id, writer, position, op } of epochs.values()) {
      if ((await view.epoch(id)) !== null || !(await isAdmitted())) continue
      await log.append([{ type: 'keepEpoch', payload: encodeStruct('keep-epoch', { writer, position, op }) }])
    }
  }

  /** Looks for one among what those wrote who are out, which the room does not apply. */
  async function findRefused(epoch: Uint8Array): Promise<EpochRow | undefined> {
    const gone = [...(await roster.devices()).values()].filter(({ removed }) => removed)
    for (const { writer } of gone.slice(-MAX_GONE)) {
      const core = await openOps(base, writer)
      try {
        for await (const op of lastOps(core, LAST_OPS)) {
          const rotation = equalBytes(opId(room, writer, op), epoch) ? rotationOf(op) : undefined
          // Where it would stand is not known: so it is nobody's who is not named in it.
          if (rotation !== undefined) return { lamport: rotation.lamport, id: epoch, writer, position: 0, op }
        }
      } finally {
        await core.close()
      }
    }
    return undefined
  }

  async function bringRefused(epoch: Uint8Array): Promise<void> {
    if (base.closing || (await view.epoch(epoch)) !== null || !rate.take()) return
    const row = await findRefused(epoch)
    if (row !== undefined) remember(row)
    await bringBack()
  }

  function queue(work: () => Promise<void>): void {
    previous = previous.then(work).catch(onerror)
  }

  if (epochs.size === 0) queue(rememberLast)
  return {
    used(epoch) {
      if (epochs.has(mapKey(epoch.id))) return
      remember(epoch)
      // It may have gone while it was written under.
      queue(bringBack)
    },
    lacking(epoch) {
      const name = mapKey(epoch)
      if (epochs.has(name) || waiting.has(name) || waiting.size === MAX_EPOCHS) return
      const bring = (): void => {
        waiting.delete(name)
        queue(() => bringRefused(epoch))
      }
      waiting.set(name, setTimeout(bring, Math.random() * MAX_WAIT_MS))
    },
    changed: () => queue(bringBack),
    isWaiting: () => waiting.size > 0,
    close() {
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    }
  }
}

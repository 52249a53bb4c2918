import { mapKey } from './map-key.js'
import type { OpLog } from './op-log.js'
import { encodeStruct } from './structs.js'
import type { EpochRow, RoomView } from './view.js'

/**
 * Brings epochs back that this device has written under, and that are not in the room any more: whoever
 * made one was removed by somebody who knew neither of the epoch nor of what is sealed under it.
 */
export interface EpochKeeper {
  /** This device has written under an epoch. */
  used(epoch: Uint8Array): void
  /** To be called when members, devices or epochs have changed. */
  changed(): void
}

export interface EpochKeeperInit {
  readonly view: RoomView
  readonly log: OpLog
  readonly isAdmitted: () => Promise<boolean>
  /** Those that this device has written under, by id: kept while the room sleeps. */
  readonly epochs: Map<string, EpochRow>
  readonly onerror: (error: unknown) => void
}

/** How many epochs are remembered: those that the order may still change about. */
const MAX_EPOCHS = 64

export function createEpochKeeper({ view, log, isAdmitted, epochs, onerror }: EpochKeeperInit): EpochKeeper {
  let previous: Promise<void> = Promise.resolve()

  async function remember(epoch: Uint8Array): Promise<void> {
    const row = await view.epoch(epoch)
    if (row === null) return
    epochs.set(mapKey(epoch), row)
    const [oldest] = epochs.keys()
    if (epochs.size > MAX_EPOCHS) epochs.delete(oldest!)
  }

  async function bringBack(): Promise<void> {
    for (const { id, writer, position, op } of epochs.values()) {
      if ((await view.epoch(id)) !== null || !(await isAdmitted())) continue
      await log.append([{ type: 'keepEpoch', payload: encodeStruct('keep-epoch', { writer, position, op }) }])
    }
  }

  function queue(work: () => Promise<void>): void {
    previous = previous.then(work).catch(onerror)
  }

  return {
    used(epoch) {
      if (!epochs.has(mapKey(epoch))) queue(() => remember(epoch))
    },
    changed: () => queue(bringBack)
  }
}

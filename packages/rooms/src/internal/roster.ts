import { equalBytes } from '@covey/core'
import { followRows, type FollowedRows } from './follow-rows.js'
import { createHolders, type Holders } from './holders.js'
import { mapKey } from './map-key.js'
import { rotationOf } from './rotation.js'
import { createTurnTaker } from './take-turns.js'
import type { DeviceRow, EpochRow, GrantRow, RoomView } from './view.js'

/** Who is in a room, and who has its key, in memory: what is asked of them all reads as much as has changed since. */
export interface Roster {
  /** The devices, removed ones too, by their writers. Rows are the same objects for as long as they do not change. */
  devices(): Promise<ReadonlyMap<string, DeviceRow>>
  /**
   * The devices that have not been given the key of an epoch, or `undefined` if somebody has it who is no member
   * (any more): one of its recipients, or one who was granted it later. Of who made it, see {@link EpochRow.removals}.
   */
  missingFrom(epoch: EpochRow): Promise<DeviceRow[] | undefined>
  /** The view may have been replaced by another. */
  reset(): void
}

/** Of the epoch that was asked for last. */
interface Known {
  readonly id: Uint8Array
  readonly holders: Holders
  readonly grants: FollowedRows<GrantRow>
}

export function createRoster(view: Pick<RoomView, 'db'>): Roster {
  let known: Known | undefined
  // What is half read is never looked at: for a moment somebody might be in who is out.
  const takeTurns = createTurnTaker()
  const devices = followRows<DeviceRow>({
    db: view.db,
    collection: '@covey/devices',
    nameOf: ({ writer }) => mapKey(writer),
    onchange: (_, before, after) => known?.holders.changed(before, after)
  })

  async function look({ id, op }: EpochRow): Promise<Known> {
    const rows = await devices.update()
    if (known !== undefined && equalBytes(known.id, id)) return known
    const holders = createHolders(rotationOf(op)?.slots ?? new Uint8Array())
    for (const row of rows.values()) holders.changed(undefined, row)
    const grants = followRows<GrantRow>({
      db: view.db,
      collection: '@covey/grants',
      query: { gte: { epoch: id }, lte: { epoch: id } },
      nameOf: ({ writer, id: op }) => mapKey(writer) + mapKey(op),
      onchange: (_, before, after) => holders.granted(before, after)
    })
    known?.grants.close()
    known = { id, holders, grants }
    return known
  }

  return {
    devices: () => takeTurns('read', async () => new Map(await devices.update())),
    missingFrom: (epoch) =>
      takeTurns('read', async () => {
        const { holders, grants } = await look(epoch)
        await grants.update()
        return holders.missing()
      }),
    reset() {
      devices.reset()
      known?.grants.reset()
    }
  }
}

import { mapKey } from './map-key.js'
import { rotationOf } from './rotation.js'
import { idsOfParents, MAX_PARENTS } from './slots.js'
import type { RoomView } from './view.js'

/** What a rotation carries on: the keys of older epochs, or their state keys. */
export type Carried = 'parents' | 'states'

/** An epoch that carries another on. */
export interface Carrier {
  readonly id: Uint8Array
  readonly lamport: number
}

/** By which epochs each is carried on. All are read once, and no more of one than an honest one carries: who makes many costs others no more than they are. */
export interface Carriers {
  of(epoch: Uint8Array, carried: Carried): Promise<readonly Carrier[]>
  /** To be called when epochs have changed. */
  changed(): void
}

export function createCarriers(view: Pick<RoomView, 'all'>): Carriers {
  let reading: Promise<ReadonlyMap<string, readonly Carrier[]>> | undefined

  async function read(): Promise<ReadonlyMap<string, readonly Carrier[]>> {
    const carriers = new Map<string, Carrier[]>()
    for (const { id, lamport, op } of await view.all('epochs')) {
      const rotation = rotationOf(op)
      for (const carried of ['parents', 'states'] as const) {
        for (const older of idsOfParents(rotation?.[carried] ?? new Uint8Array()).slice(0, MAX_PARENTS)) {
          const name = nameOf(older, carried)
          const known = carriers.get(name)
          if (known === undefined) carriers.set(name, [{ id, lamport }])
          else known.push({ id, lamport })
        }
      }
    }
    return carriers
  }

  return {
    async of(epoch, carried) {
      if (reading === undefined) {
        const now = read()
        reading = now
        // What failed is read again.
        now.catch(() => reading === now && (reading = undefined))
      }
      return (await reading).get(nameOf(epoch, carried)) ?? []
    },
    changed: () => void (reading = undefined)
  }
}

function nameOf(epoch: Uint8Array, carried: Carried): string {
  return `${carried} ${mapKey(epoch)}`
}

import Hyperbee from 'hyperbee'
import type Corestore from 'corestore'
import type { LocalIdentity } from '@covey/identity'
import { decodeStruct, encodeStruct, type Structs } from './structs.js'

/** What this device knows of a room before it opens it. Without a key: it has asked to join. */
export type RoomRecord = Structs['room-record']

/** The rooms of this device: on its disk, sealed, and nowhere else. */
export interface RoomRecords {
  /** @param errors takes what was found of those that do not open. */
  all(errors: unknown[]): Promise<RoomRecord[]>
  get(discoveryKey: Uint8Array): Promise<RoomRecord | undefined>
  put(record: RoomRecord): Promise<void>
  close(): Promise<void>
}

const LABEL = 'covey/room/record/1'

export async function openRecords(corestore: Corestore, identity: LocalIdentity): Promise<RoomRecords> {
  const core = corestore.namespace('covey/rooms').get({ name: 'records' })
  const bee = new Hyperbee<Uint8Array, Uint8Array>(core, { keyEncoding: 'binary', valueEncoding: 'binary' })
  await bee.ready()

  const unseal = (sealed: Uint8Array): RoomRecord | undefined =>
    decodeStruct('room-record', identity.unseal(LABEL, sealed))

  return {
    async all(errors) {
      const records: RoomRecord[] = []
      for await (const { value } of bee.createReadStream()) {
        try {
          const record = unseal(value)
          if (record !== undefined) records.push(record)
        } catch (error) {
          errors.push(error)
        }
      }
      return records
    },
    async get(discoveryKey) {
      const entry = await bee.get(discoveryKey)
      return entry === null ? undefined : unseal(entry.value)
    },
    put: async (record) => {
      await bee.put(record.discoveryKey, identity.seal(LABEL, encodeStruct('room-record', record)))
    },
    close: () => bee.close()
  }
}

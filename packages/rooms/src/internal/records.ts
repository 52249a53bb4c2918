import Hyperbee from 'hyperbee'
import type Corestore from 'corestore'
import { encodeZ32, equalBytes } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { decodeStruct, encodeStruct, type Structs } from './structs.js'

/** What this device knows of a room before it opens it. Without a key: it has asked to join, or has left. */
export type RoomRecord = Structs['room-record']

/** What can be told of a room without opening it. */
export type RoomNote = Structs['room-note']

/** The rooms of this device: on its disk, sealed, and nowhere else. */
export interface RoomRecords {
  /** @param errors takes what was found of those that do not open. */
  all(errors: unknown[]): Promise<RoomRecord[]>
  get(discoveryKey: Uint8Array): Promise<RoomRecord | undefined>
  put(record: RoomRecord): Promise<void>
  /** What was kept of a room when it went to sleep: nothing of one that is open, or was when the process was killed. */
  note(discoveryKey: Uint8Array): Promise<RoomNote | undefined>
  /** Takes the place of the note before; `undefined` takes it away. */
  setNote(discoveryKey: Uint8Array, note: RoomNote | undefined): Promise<void>
  close(): Promise<void>
}

const LABEL = 'covey/room/record/1'
const NOTE_LABEL = 'covey/room/note/1'

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
    async note(discoveryKey) {
      const sealed = await core.getUserData(noteOf(discoveryKey))
      if (!sealed?.length) return undefined
      const note = decodeStruct('room-note', identity.unseal(NOTE_LABEL, sealed))
      // One that was put in the place of another is none of this room.
      return note && equalBytes(note.room, discoveryKey) ? note : undefined
    },
    // Beside the tree, which only grows: a room goes to sleep many times.
    setNote: (discoveryKey, note) =>
      core.setUserData(noteOf(discoveryKey), note === undefined ? new Uint8Array() : identity.seal(NOTE_LABEL, encodeStruct('room-note', note))),
    close: () => bee.close()
  }
}

function noteOf(discoveryKey: Uint8Array): string {
  return `covey/note/${encodeZ32(discoveryKey)}`
}

import Hyperbee from 'hyperbee'
import type Corestore from 'corestore'
import { encodeUtf8 } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { hash, KEY_BYTES, randomBytes } from '../crypto.js'
import { decodeStruct, encodeStruct } from '../structs.js'
import { createTurnTaker } from '../take-turns.js'

/**
 * What this device knows of people: its person's own profile, contacts, whom they have blocked, who asks for a direct
 * room. Small enough to be held in memory.
 */
export interface PeopleStore {
  get(key: string): Uint8Array | undefined
  /** Those whose keys begin with `prefix`, each with the rest of its key, in no particular order. */
  entries(prefix: string): [string, Uint8Array][]
  /** Resolves when it is durable; `null` deletes. */
  set(key: string, value: Uint8Array | null): Promise<void>
  /** Calls back with the key of each entry that has changed. */
  watch(listener: (key: string) => void): () => void
  close(): Promise<void>
}

const LABEL = 'covey/people/record/1'
const SALT = Uint8Array.of(0)

/**
 * On this device's disk, sealed. The keys name people: a salt that is sealed too hides them.
 *
 * @param errors takes what was found of those that do not open.
 */
export async function openPeopleStore(corestore: Corestore, identity: LocalIdentity, errors: unknown[]): Promise<PeopleStore> {
  const core = corestore.namespace('covey/people').get({ name: 'records' })
  const bee = new Hyperbee<Uint8Array, Uint8Array>(core, { keyEncoding: 'binary', valueEncoding: 'binary' })
  await bee.ready()
  const takeTurns = createTurnTaker()
  const values = new Map<string, Uint8Array>()
  const listeners = new Set<(key: string) => void>()
  const salt = await openSalt()
  for await (const { key: row, value: sealed } of bee.createReadStream({ gt: SALT })) {
    try {
      const record = decodeStruct('people-record', identity.unseal(LABEL, sealed))
      // A row that was put in the place of another says something else than it did.
      if (record?.value && mayBe(row, record.key)) values.set(record.key, record.value)
    } catch (error) {
      errors.push(error)
    }
  }

  async function openSalt(): Promise<Uint8Array> {
    const known = await bee.get(SALT)
    if (known !== null) return identity.unseal(LABEL, known.value)
    const made = randomBytes(KEY_BYTES)
    await bee.put(SALT, identity.seal(LABEL, made))
    return made
  }

  function rowOf(key: string): Uint8Array {
    return Uint8Array.of(1, ...hash('covey/people/key/1', salt, encodeUtf8(key)))
  }

  function mayBe(row: Uint8Array, key: string): boolean {
    return rowOf(key).every((byte, at) => row[at] === byte)
  }

  return {
    get: (key) => values.get(key),
    entries: (prefix) =>
      [...values].flatMap(([key, value]): [string, Uint8Array][] => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])),
    set: (key, value) =>
      takeTurns('set', async () => {
        if (value === null) await bee.del(rowOf(key))
        else await bee.put(rowOf(key), identity.seal(LABEL, encodeStruct('people-record', { key, value })))
        if (value === null) values.delete(key)
        else values.set(key, value)
        for (const listener of listeners) listener(key)
      }),
    watch(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => bee.close()
  }
}

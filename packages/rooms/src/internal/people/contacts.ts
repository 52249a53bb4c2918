import { assertOptions, assertString, createEvents, decodeKey, encodeZ32 } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { MAX_CONTACTS, MAX_NAME_BYTES, MAX_REASON_BYTES, MAX_REPORTS } from '../../constants.js'
import { RoomError } from '../../errors.js'
import type { Contact, Contacts, ContactsEvents, Report, ReportInit } from '../../people.js'
import { randomBytes } from '../crypto.js'
import { readName } from '../read-name.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'
import { createTurns } from '../take-turns.js'
import type { PeopleStore } from './people-store.js'

const CONTACT = 'contact/'
const BLOCK = 'block/'
const REPORT = 'report/'

export interface LocalContacts extends Contacts {
  /** Calls back with the id of each identity that was blocked, or is not any more. */
  onblock(listener: (id: string) => void): void
}

export function createContacts(store: PeopleStore, { identity: self }: LocalIdentity): LocalContacts {
  const events = createEvents<ContactsEvents>()
  const takeTurns = createTurns()
  const blockListeners = new Set<(id: string) => void>()

  // Whoever writes to the store: a person's other device may, too.
  store.watch((key) => {
    const [, list, id] = /^(contact|block|report)\/(.*)$/.exec(key) ?? []
    if (id === undefined) return
    if (list === 'block') for (const listener of blockListeners) listener(id)
    const about = list === 'report' ? reportOf(store.get(key))?.id : id
    if (about !== undefined) void events.emit('update', { id: about })
  })

  /** One after another, so that what is counted is what there is. */
  function write<Value>(work: () => Promise<Value>): Promise<Value> {
    return takeTurns('write', work)
  }

  function assertRoom(prefix: string, id: string): void {
    if (store.get(prefix + id) !== undefined || store.entries(prefix).length < MAX_CONTACTS) return
    throw new RoomError('TOO_MANY_PEOPLE', `There are ${MAX_CONTACTS} people in this list.`, { hint: 'Remove somebody first.' })
  }

  function get(id: string): Contact | undefined {
    const row = decode('contact', store.get(CONTACT + id))
    return row && { id, name: readName(row.name), addedAt: row.addedAt }
  }

  function all<Item>(prefix: string, read: (id: string, value: Uint8Array) => Item | undefined): Item[] {
    return store.entries(prefix).flatMap(([id, value]) => read(id, value) ?? [])
  }

  return {
    list: () => all(CONTACT, get).toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id)),
    get,
    async add(id, options = {}) {
      assertPerson(id, self.id)
      assertOptions(options, 'options', ['name'])
      if (options.name !== undefined) assertString(options.name, 'options.name', { maxBytes: MAX_NAME_BYTES })
      return write(async () => {
        assertRoom(CONTACT, id)
        const known = get(id)
        const name = options.name ?? known?.name ?? ''
        await store.set(CONTACT + id, encodeStruct('contact', { addedAt: known?.addedAt ?? Date.now(), name }))
        return get(id)!
      })
    },
    async remove(id) {
      decodeKey(id, 'id')
      await write(async () => store.get(CONTACT + id) && store.set(CONTACT + id, null))
    },
    async block(id) {
      assertPerson(id, self.id)
      await write(async () => {
        if (store.get(BLOCK + id) !== undefined) return
        assertRoom(BLOCK, id)
        await store.set(BLOCK + id, encodeStruct('block', { blockedAt: Date.now() }))
      })
    },
    async unblock(id) {
      decodeKey(id, 'id')
      await write(async () => store.get(BLOCK + id) && store.set(BLOCK + id, null))
    },
    isBlocked: (id) => store.get(BLOCK + id) !== undefined,
    blocked: () =>
      all(BLOCK, (id, value) => {
        const row = decode('block', value)
        return row && { id, blockedAt: row.blockedAt }
      }).toSorted((a, b) => b.blockedAt - a.blockedAt || compare(a.id, b.id)),
    async report(id, init) {
      const identity = decodeKey(id, 'id')
      assertReport(init)
      const { reason, roomId, messageId } = init
      const row = { reportedAt: Date.now(), identity, reason, room: roomId ?? null, message: messageId ?? null }
      return write(async () => {
        const value = encodeStruct('report', row)
        await store.set(REPORT + encodeZ32(randomBytes(16)), value)
        const kept = store.entries(REPORT).map(([key, each]) => ({ key, at: reportOf(each)?.reportedAt ?? 0 }))
        const old = kept.toSorted((a, b) => b.at - a.at).slice(MAX_REPORTS)
        for (const { key } of old) await store.set(REPORT + key, null)
        return reportOf(value)!
      })
    },
    reports: () => all(REPORT, (_, value) => reportOf(value)).toSorted((a, b) => b.reportedAt - a.reportedAt),
    onblock: (listener) => void blockListeners.add(listener),
    on: events.on.bind(events),
    once: events.once.bind(events)
  }
}

function reportOf(value: Uint8Array | undefined): Report | undefined {
  const row = decode('report', value)
  if (row === undefined) return undefined
  const { identity, reason, reportedAt, room, message } = row
  return { id: encodeZ32(identity), reason, reportedAt, ...(room && { roomId: room }), ...(message && { messageId: message }) }
}

function decode<Name extends keyof Structs>(name: Name, value: Uint8Array | undefined): Structs[Name] | undefined {
  return value && decodeStruct(name, value)
}

/** @throws {TypeError} for what is no id of somebody else. */
export function assertPerson(id: string, self: string): Uint8Array {
  const identity = decodeKey(id, 'id')
  if (id === self) throw new TypeError('id must be of somebody else')
  return identity
}

function assertReport(report: ReportInit): void {
  assertOptions(report, 'report', ['reason', 'roomId', 'messageId'])
  assertString(report.reason, 'report.reason', { maxBytes: MAX_REASON_BYTES })
  if (report.roomId !== undefined) decodeKey(report.roomId, 'report.roomId')
  if (report.messageId !== undefined) decodeKey(report.messageId, 'report.messageId')
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

import { assertOptions, assertString, createEvents, decodeKey, encodeZ32 } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { MAX_CONTACTS, MAX_NAME_BYTES, MAX_REASON_BYTES, MAX_REPORTS } from '../../constants.js'
import { RoomError } from '../../errors.js'
import type { Contact, Contacts, ContactsEvents, Report, ReportInit } from '../../people.js'
import { randomBytes } from '../crypto.js'
import { readName } from '../read-name.js'
import { decodeStruct, encodeStruct, type Structs } from '../structs.js'
import { createTurnTaker } from '../take-turns.js'
import type { PeopleStore } from './people-store.js'
import { BLOCK, CONTACT, counts, MAX_CHANGED_AT, readShared } from './shared-entry.js'

const REPORT = 'report/'

export interface LocalContacts extends Contacts {
  /** Calls back with the id of each identity that was blocked, or is not any more. */
  onblock(listener: (id: string) => void): void
  /** What the person's devices keep alike, those that were removed too. */
  shared(): [name: string, value: Uint8Array][]
  /** Takes what another device of the person has said, where it counts. */
  adopt(name: string, value: Uint8Array): Promise<void>
}

export function createContacts(store: PeopleStore, { identity: self }: LocalIdentity): LocalContacts {
  const events = createEvents<ContactsEvents>()
  const takeTurns = createTurnTaker()
  const blockListeners = new Set<(id: string) => void>()
  /** Those who are in a list, by its prefix. */
  const present = { [CONTACT]: new Set<string>(), [BLOCK]: new Set<string>() }

  function settle(prefix: typeof CONTACT | typeof BLOCK, id: string): void {
    const value = store.get(prefix + id)
    const isPresent = value !== undefined && readShared(prefix + id, value)?.isRemoved === false
    if (isPresent) present[prefix].add(id)
    else present[prefix].delete(id)
  }

  for (const prefix of [CONTACT, BLOCK] as const) for (const [id] of store.entries(prefix)) settle(prefix, id)

  // Whoever writes to the store: a person's other device may, too.
  store.watch((key) => {
    const [, list, id] = /^(contact|block|report)\/(.*)$/.exec(key) ?? []
    if (id === undefined) return
    if (list !== 'report') settle(list === 'block' ? BLOCK : CONTACT, id)
    if (list === 'block') for (const listener of blockListeners) listener(id)
    const about = list === 'report' ? reportOf(store.get(key))?.id : id
    if (about !== undefined) void events.emit('update', { id: about })
  })

  /** One after another, so that what is counted is what there is. */
  function write<Value>(work: () => Promise<Value>): Promise<Value> {
    return takeTurns('write', work)
  }

  function assertRoom(prefix: typeof CONTACT | typeof BLOCK, id: string): void {
    if (present[prefix].has(id) || present[prefix].size < MAX_CONTACTS) return
    throw new RoomError('TOO_MANY_PEOPLE', `There are ${MAX_CONTACTS} people in this list.`, { hint: 'Remove somebody first.' })
  }

  /** By this clock, or one more than what this device knows: who knew of a change has made theirs later. */
  function changedAt(name: string): number {
    const known = store.get(name)
    return Math.min(MAX_CHANGED_AT, Math.max(Date.now(), ((known && readShared(name, known)?.changedAt) ?? 0) + 1))
  }

  function get(id: string): Contact | undefined {
    const row = present[CONTACT].has(id) ? decode('contact', store.get(CONTACT + id)) : undefined
    return row && { id, name: readName(row.name), addedAt: row.addedAt }
  }

  return {
    list: () => [...present[CONTACT]].map((id) => get(id)!).toSorted((a, b) => compare(a.name, b.name) || compare(a.id, b.id)),
    get,
    async add(id, options = {}) {
      assertPerson(id, self.id)
      assertOptions(options, 'options', ['name'])
      if (options.name !== undefined) assertString(options.name, 'options.name', { maxBytes: MAX_NAME_BYTES })
      return write(async () => {
        assertRoom(CONTACT, id)
        const known = get(id)
        const name = options.name ?? known?.name ?? ''
        const row = { addedAt: known?.addedAt ?? Date.now(), name, changedAt: changedAt(CONTACT + id) }
        await store.set(CONTACT + id, encodeStruct('contact', row))
        return get(id)!
      })
    },
    async remove(id) {
      decodeKey(id, 'id')
      await write(async () => {
        if (!present[CONTACT].has(id)) return
        await store.set(CONTACT + id, encodeStruct('contact', { addedAt: 0, changedAt: changedAt(CONTACT + id), removed: true }))
      })
    },
    async block(id) {
      assertPerson(id, self.id)
      await write(async () => {
        if (present[BLOCK].has(id)) return
        assertRoom(BLOCK, id)
        await store.set(BLOCK + id, encodeStruct('block', { blockedAt: Date.now(), changedAt: changedAt(BLOCK + id) }))
      })
    },
    async unblock(id) {
      decodeKey(id, 'id')
      await write(async () => {
        if (!present[BLOCK].has(id)) return
        await store.set(BLOCK + id, encodeStruct('block', { blockedAt: 0, changedAt: changedAt(BLOCK + id), removed: true }))
      })
    },
    isBlocked: (id) => present[BLOCK].has(id),
    blocked: () =>
      [...present[BLOCK]].map((id) => ({ id, blockedAt: decode('block', store.get(BLOCK + id))!.blockedAt })).toSorted((a, b) => b.blockedAt - a.blockedAt || compare(a.id, b.id)),
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
    reports: () => store.entries(REPORT).flatMap(([, value]) => reportOf(value) ?? []).toSorted((a, b) => b.reportedAt - a.reportedAt),
    onblock: (listener) => void blockListeners.add(listener),
    shared: () => [CONTACT, BLOCK].flatMap((prefix) => store.entries(prefix).map(([id, value]): [string, Uint8Array] => [prefix + id, value])),
    adopt: (name, value) =>
      write(async () => {
        const id = readShared(name, value)?.id
        if (id !== undefined && id !== self.id && counts(name, value, store.get(name))) await store.set(name, value)
      }),
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

import { assertInteger, assertOptions, assertSignal, assertString, equalBytes, isCoveyError, onAbort, raceSignal, throwIfAborted } from '@covey/core'
import type { Collection, CollectionChange, CollectionEntry, CollectionOptions, RangeOptions } from '../collection.js'
import { MAX_ENTRY_KEY_BYTES, MAX_VALUE_BYTES } from '../constants.js'
import { RoomError } from '../errors.js'
import { assertRole, isAtLeast, roleNumber, roleOf, type Role } from '../roles.js'
import { MAX_COLLECTION_BYTES, MAX_ENTRIES, MAX_PUT_OP_BYTES } from './apply/entries.js'
import { MAX_COLLECTIONS } from './authority/acts.js'
import { leastRole } from './authority/rules.js'
import type { CollectionIndex, Listed } from './collection-index.js'
import { decodeOp } from './op.js'
import type { Draft, OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole, withArticle } from './own-role.js'
import { encodeStruct } from './structs.js'
import type { RoomView } from './view.js'
import type { Reader } from './reader.js'

export interface CollectionInit<Value> {
  readonly name: string
  readonly id: Uint8Array
  readonly tagOf: (key: string) => Uint8Array
  readonly index: CollectionIndex
  readonly options: CollectionOptions<Value>
  readonly view: RoomView
  readonly log: OpLog
  readonly reader: Reader
  readonly ownRole: OwnRole
  /** Calls back when anything in the room may be different, and when it is closed. */
  readonly onchange: (callback: () => void) => () => void
  readonly whileOpen: WhileOpen
}

interface Found<Value> {
  /** The id of the op that put it there. */
  readonly id: Uint8Array
  readonly entry: CollectionEntry<Value>
}

export function createCollection<Value>(init: CollectionInit<Value>): Collection<Value> {
  const { name, id, tagOf, index, options, view, log, ownRole, onchange, whileOpen } = init
  const { codec, version = 1, write: firstWrite = 'member' } = options

  /** Who may write, as the room has it. */
  async function leastToWrite(): Promise<Role | undefined> {
    const row = await view.collection(id)
    return row === null ? undefined : roleOf(row.role)
  }

  async function ruleDraft(write: Role): Promise<Draft> {
    const role = await ownRole.demand(leastRole('collection'), 'say who writes to a collection')
    const before = await leastToWrite()
    if (!isAtLeast(role, write) || (before && !isAtLeast(role, before))) {
      throw forbidden(`${withArticle(role)} may not say so.`, 'Ask somebody who may write there.')
    }
    if (before === undefined && (await view.all('collections')).length >= MAX_COLLECTIONS) throw full(`A room has at most ${MAX_COLLECTIONS} collections.`)
    return { type: 'collection', payload: encodeStruct('collection', { id, role: roleNumber(write) }) }
  }

  /** What has to be written before the first entry. */
  async function opening(): Promise<Draft[]> {
    const role = await ownRole.demand('reader', 'write')
    const least = await leastToWrite()
    await ownRole.demandVoice(least ?? 'reader', `write to "${name}"`)
    if (least !== undefined) return []
    if (isAtLeast(role, leastRole('collection'))) return [await ruleDraft(firstWrite)]
    throw new RoomError('COLLECTION_NOT_FOUND', 'No admin has said who may write to this collection.', {
      retryable: true,
      hint: 'It is there when the app of an admin has written to it, or called setWrite().'
    })
  }

  async function change(key: string, draft: (key: Uint8Array) => Promise<Draft[]>, signal: AbortSignal | undefined): Promise<void> {
    assertKey(key, 'key')
    assertSignal(signal, 'options.signal')
    throwIfAborted(signal)
    const work = async (): Promise<void> => {
      const drafts = await draft(tagOf(key))
      const written = await log.append(drafts, { underEpoch: drafts.some(({ body }) => body !== undefined) })
      if (written.every(({ isAccepted }) => isAccepted)) return
      // Somebody else may have taken it away, or filled the collection, meanwhile.
      if ((await draft(tagOf(key))).length === 0) return
      throw forbidden('The room did not take it.', 'Somebody changed who may write meanwhile.')
    }
    await raceSignal(whileOpen(work), signal)
  }

  /** As far as it can be told before: the bytes of the op decide. */
  async function assertRoom(key: string): Promise<void> {
    const usage = await view.collectionUsage(id)
    if (usage === null) return
    const hasPlace = usage.bytes <= MAX_COLLECTION_BYTES - MAX_PUT_OP_BYTES
    if (hasPlace && (usage.entries < MAX_ENTRIES || (await view.entry(id, tagOf(key))) !== null)) return
    throw full(`A collection has at most ${MAX_ENTRIES} entries, and ${MAX_COLLECTION_BYTES} bytes.`)
  }

  async function find({ key, tag }: Pick<Listed, 'key' | 'tag'>): Promise<Found<Value> | 'unreadable' | undefined> {
    const row = await view.entry(id, tag)
    const opened = row && (await index.open(row))
    if (!opened || opened === 'unreadable') return opened ?? undefined
    const { author, body } = opened
    if (body.version > version) return undefined
    const sentAt = Math.min(decodeOp(row.op)?.header.sentAt ?? 0, Date.now())
    try {
      const value = codec.decode(new Uint8Array(body.value), body.version)
      return { id: row.id, entry: { key, value, author, sentAt } }
    } catch {
      // By the contract of a codec: what is malformed is none of this app's entries.
      return undefined
    }
  }

  async function* range(options: RangeOptions): AsyncGenerator<CollectionEntry<Value>, void, undefined> {
    throwIfAborted(options.signal)
    const listed = (await whileOpen(index.list)).filter(({ key }) => isWithin(key, options))
    let left = options.limit ?? Infinity
    for (const each of options.reverse ? listed.toReversed() : listed) {
      if (left <= 0) return
      throwIfAborted(options.signal)
      const found = await whileOpen(() => find(each))
      if (found === undefined || found === 'unreadable') continue
      left--
      yield found.entry
    }
  }

  async function* watch(signal: AbortSignal | undefined): AsyncGenerator<CollectionChange<Value>, void, undefined> {
    throwIfAborted(signal)
    let isStale = true
    let wake = (): void => undefined
    const awaken = (): void => {
      isStale = true
      wake()
    }
    const stops = [onchange(awaken), onAbort(signal, awaken)]
    /** The ids of what was told, by key. */
    const told = new Map<string, Uint8Array>()
    let last: readonly Listed[] | undefined
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (wake = resolve))
        if (!isStale) await woken
        throwIfAborted(signal)
        isStale = false
        const listed = await whileOpen(index.list)
        if (listed === last) continue
        last = listed
        for await (const change of changes(told, listed)) {
          throwIfAborted(signal)
          yield change
        }
      }
    } catch (error) {
      if (last === undefined || !isCoveyError(error, 'ROOM_CLOSED')) throw error
    } finally {
      for (const stop of stops) stop()
    }
  }

  async function* changes(told: Map<string, Uint8Array>, listed: readonly Listed[]): AsyncGenerator<CollectionChange<Value>, void, undefined> {
    const present = new Set(listed.map(({ key }) => key))
    for (const key of [...told.keys()].filter((each) => !present.has(each))) {
      told.delete(key)
      yield { type: 'del', key }
    }
    for (const each of listed) {
      const { key } = each
      const before = told.get(key)
      if (before && equalBytes(before, each.id)) continue
      const found = await whileOpen(() => find(each))
      if (found !== undefined && found !== 'unreadable') {
        told.set(key, found.id)
        yield { type: 'put', key, entry: found.entry }
      } else if (told.delete(key)) {
        yield { type: 'del', key }
      }
    }
  }

  return {
    name,
    rules: () =>
      whileOpen(async () => {
        const write = await leastToWrite()
        const usage = await view.collectionUsage(id)
        return write && { write, entries: usage?.entries ?? 0, bytes: usage?.bytes ?? 0 }
      }),
    async setWrite(write, options = {}) {
      assertRole(write, 'write')
      assertOptions(options, 'options', ['signal'])
      assertSignal(options.signal, 'options.signal')
      throwIfAborted(options.signal)
      const work = async (): Promise<void> => {
        if ((await leastToWrite()) === write) return
        const [written] = await log.append([await ruleDraft(write)])
        if (!written!.isAccepted) throw forbidden('The room did not take it.', 'Somebody changed roles meanwhile.')
      }
      await raceSignal(whileOpen(work), options.signal)
    },
    async get(key) {
      assertKey(key, 'key')
      return whileOpen(async () => {
        const found = await find({ key, tag: tagOf(key) })
        if (found !== 'unreadable') return found?.entry.value
        throw new RoomError('ENTRY_UNREADABLE', 'This device has not been given the key of the entry yet.', {
          retryable: true,
          hint: 'It asks for it by itself; somebody who has it has to be online.'
        })
      })
    },
    async put(key, value, options = {}) {
      assertOptions(options, 'options', ['signal'])
      assertKey(key, 'key')
      const encoded = codec.encode(value)
      if (!(encoded instanceof Uint8Array)) throw new TypeError('options.codec.encode must return a Uint8Array')
      if (encoded.length > MAX_VALUE_BYTES) throw new TypeError(`a value has at most ${MAX_VALUE_BYTES} bytes, this has ${encoded.length}`)
      const body = encodeStruct('entry-body', { name: key, version, value: encoded })
      const draft = async (tag: Uint8Array): Promise<Draft[]> => {
        const first = await opening()
        await assertRoom(key)
        return [...first, { type: 'put', payload: encodeStruct('entry-name', { collection: id, key: tag }), body }]
      }
      await change(key, draft, options.signal)
    },
    async del(key, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const draft = async (tag: Uint8Array): Promise<Draft[]> => {
        await opening()
        if ((await view.entry(id, tag)) === null) return []
        return [{ type: 'del', payload: encodeStruct('entry-name', { collection: id, key: tag }) }]
      }
      await change(key, draft, options.signal)
    },
    range(options = {}) {
      assertRangeOptions(options)
      return { [Symbol.asyncIterator]: () => range(options) }
    },
    watch(options = {}) {
      assertWatchOptions(options)
      return { [Symbol.asyncIterator]: () => watch(options.signal) }
    }
  }
}

function full(message: string): RoomError {
  return new RoomError('COLLECTION_FULL', message, { hint: 'Take something out of it first.' })
}

function isWithin(key: string, { gt, gte, lt, lte }: RangeOptions): boolean {
  return !((gt !== undefined && key <= gt) || (gte !== undefined && key < gte) || (lt !== undefined && key >= lt) || (lte !== undefined && key > lte))
}

function assertKey(key: unknown, field: string): asserts key is string {
  assertString(key, field, { minLength: 1, maxBytes: MAX_ENTRY_KEY_BYTES })
}

export function assertRangeOptions(options: RangeOptions): void {
  assertOptions(options, 'options', ['gte', 'gt', 'lte', 'lt', 'reverse', 'limit', 'signal'])
  for (const bound of ['gte', 'gt', 'lte', 'lt'] as const) if (options[bound] !== undefined) assertString(options[bound], `options.${bound}`)
  if (options.reverse !== undefined && typeof options.reverse !== 'boolean') throw new TypeError('options.reverse must be a boolean')
  if (options.limit !== undefined) assertInteger(options.limit, 'options.limit', { min: 0 })
  assertSignal(options.signal, 'options.signal')
}

export function assertWatchOptions(options: { readonly signal?: AbortSignal }): void {
  assertOptions(options, 'options', ['signal'])
  assertSignal(options.signal, 'options.signal')
}

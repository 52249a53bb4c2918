import { assertInteger, assertOptions, assertSignal, assertString, encodeZ32, raceSignal, throwIfAborted } from '@covey/core'
import type { AuditAction, AuditEntry, AuditLogOptions } from '../audit.js'
import { roleOf } from '../roles.js'
import type { Room } from '../room.js'
import { parseAction, type Action } from './authority/action.js'
import { decodeOp, OpType } from './op.js'
import type { WhileOpen } from './open-room.js'
import { readRules } from './room-rules.js'
import type { ActRow, AuthorityRow, RoomView } from './view.js'

export interface AuditLogInit {
  /** The discovery key. */
  readonly room: Uint8Array
  readonly view: RoomView
  readonly whileOpen: WhileOpen
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000
/** How many rows are read at a time: some are of what was refused. */
const PAGE_ROWS = 64

/** A place among what was done: after so many ops about authority, and after so many acts. */
interface Place {
  readonly position: number
  /** Of an op about authority itself none: it comes after the acts that were done before it. */
  readonly number: number
}

interface Found extends Place {
  entry(): Promise<AuditEntry | undefined>
}

/** Tells what members did by their authority, in the order of the room. */
export function createAuditLog({ room, view, whileOpen }: AuditLogInit): Pick<Room, 'auditLog'> {
  async function identityOf(writer: Uint8Array): Promise<Uint8Array | undefined> {
    return (await view.device(writer))?.identity
  }

  async function fromAct({ writer, type, target, sentAt, ...place }: ActRow): Promise<AuditEntry | undefined> {
    const by = await identityOf(writer)
    const action = ACTS.get(type)
    if (by !== undefined && action === 'resolveReport') {
      return { cursor: write(place), action, by: encodeZ32(by), subject: encodeZ32(target), sentAt: past(sentAt) }
    }
    const message = await view.message(target)
    const subject = message && (await identityOf(message.writer))
    // What was done by a device whose admission is void, or to a message of one.
    if (by === undefined || action === undefined || message === null || !subject) return undefined
    return { cursor: write(place), action, by: encodeZ32(by), subject: encodeZ32(subject), messageId: encodeZ32(target), sentAt: past(sentAt) }
  }

  async function fromAuthority({ position, writer, op: bytes }: AuthorityRow): Promise<AuditEntry | undefined> {
    const op = decodeOp(bytes)!
    const action = parseAction(op, { room, writer, verify: false })
    const by = await identityOf(writer)
    if (action === undefined || by === undefined) return undefined
    const cursor = write({ position, number: Infinity })
    return { cursor, by: encodeZ32(by), sentAt: past(op.header.sentAt), ...(await describe(action)) }
  }

  async function describe(action: Action): Promise<Pick<AuditEntry, 'action' | 'subject' | 'role' | 'rules'>> {
    const subject = (identity: Uint8Array) => ({ subject: encodeZ32(identity) })
    const role = (number: number) => {
      const known = roleOf(number)
      return known && { role: known }
    }
    switch (action.type) {
      case 'create':
      case 'enter':
      case 'addDevice':
        return { action: action.type, ...subject(action.claimant.identity) }
      case 'admit':
        return { action: 'admit', ...subject(action.claimant.identity), ...role(action.role) }
      case 'setRole':
        return { action: 'setRole', ...subject(action.identity), ...role(action.role) }
      case 'remove':
        return { action: action.ban ? 'ban' : 'remove', ...subject(action.identity) }
      case 'mute':
        return { action: action.muted ? 'mute' : 'unmute', ...subject(action.identity) }
      case 'unban':
      case 'transfer':
      case 'revokeDevice':
        return { action: action.type, ...subject(action.identity) }
      case 'equivocation': {
        const identity = await identityOf(action.writer)
        return { action: 'equivocation', ...(identity && subject(identity)) }
      }
      case 'invite':
        return { action: 'createInvite', ...role(action.invite.role) }
      case 'settings':
        return { action: 'rename' }
      case 'mirrors':
        return { action: 'setMirrors' }
      case 'collection':
        return { action: 'setCollection', ...role(action.role) }
      case 'indexers':
        return { action: 'setIndexers' }
      case 'rules':
        return { action: 'setRules', rules: readRules(action.rules) }
      case 'leave':
      case 'revokeInvite':
        return { action: action.type }
    }
  }

  async function* authorityBefore({ position }: Place): AsyncGenerator<Found> {
    let end = position
    for (;;) {
      const rows = await view.authorityBefore(end, PAGE_ROWS)
      for (const row of rows) {
        if (!row.refused) yield { position: row.position, number: Infinity, entry: () => fromAuthority(row) }
      }
      if (rows.length < PAGE_ROWS) return
      end = rows.at(-1)!.position
    }
  }

  async function* actsBefore(place: Place): AsyncGenerator<Found> {
    let before = place
    for (;;) {
      const rows = await view.actsBefore(before.position, before.number, PAGE_ROWS)
      for (const row of rows) yield { position: row.position, number: row.number, entry: () => fromAct(row) }
      if (rows.length < PAGE_ROWS) return
      before = rows.at(-1)!
    }
  }

  async function page(before: Place, limit: number): Promise<AuditEntry[]> {
    const sources = [authorityBefore(before), actsBefore(before)]
    const next = await Promise.all(sources.map(async (source) => (await source.next()).value as Found | undefined))
    const entries: AuditEntry[] = []
    while (entries.length < limit) {
      const latest = isAfter(next[0], next[1]) ? 0 : 1
      const found = next[latest]
      if (found === undefined) break
      const entry = await found.entry()
      if (entry !== undefined) entries.push(entry)
      next[latest] = (await sources[latest]!.next()).value as Found | undefined
    }
    return entries.toReversed()
  }

  return {
    async auditLog(options: AuditLogOptions = {}) {
      assertOptions(options, 'options', ['before', 'limit', 'signal'])
      const { before, limit = DEFAULT_LIMIT, signal } = options
      assertInteger(limit, 'options.limit', { min: 1, max: MAX_LIMIT })
      assertSignal(signal, 'options.signal')
      const place = before === undefined ? LAST : read(before)
      throwIfAborted(signal)
      return raceSignal(whileOpen(() => page(place, limit)), signal)
    }
  }
}

const ACTS: ReadonlyMap<number, AuditAction> = new Map([
  [OpType.delete, 'delete'],
  [OpType.pin, 'pin'],
  [OpType.unpin, 'unpin'],
  [OpType.closeVote, 'closePoll'],
  [OpType.resolveReport, 'resolveReport']
])

const LAST: Place = { position: 2 ** 48, number: Infinity }

function isAfter(a: Place | undefined, b: Place | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined
  return a.position === b.position ? a.number > b.number : a.position > b.position
}

function write({ position, number }: Place): string {
  return number === Infinity ? `${position}` : `${position}.${number}`
}

/** @throws {TypeError} */
function read(cursor: string): Place {
  assertString(cursor, 'options.before')
  const [, position, number] = /^(\d{1,15})(?:\.(\d{1,15}))?$/.exec(cursor) ?? []
  if (position === undefined) throw new TypeError('options.before must be the cursor of an entry')
  return { position: Number(position), number: number === undefined ? Infinity : Number(number) }
}

function past(sentAt: number): number {
  return Math.min(sentAt, Date.now())
}

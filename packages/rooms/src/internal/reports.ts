import { assertOptions, assertSignal, assertString, decodeKey, encodeUtf8, encodeZ32, raceSignal, throwIfAborted } from '@covey/core'
import { MAX_REASON_BYTES } from '../constants.js'
import { RoomError } from '../errors.js'
import type { MessageReport } from '../report.js'
import { isAtLeast, roleOf } from '../roles.js'
import type { Room } from '../room.js'
import { MAX_REPORTS_BY_ONE } from './apply/reports.js'
import { hasVoice } from './authority/voices.js'
import { KEY_BYTES, open, randomBytes } from './crypto.js'
import type { EpochKeys } from './epoch-keys.js'
import type { MessageFinder } from './find-message.js'
import { decodeOp } from './op.js'
import { bodyContext, type Draft, type OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import { forbidden, type OwnRole } from './own-role.js'
import { commitmentTo, messageKey, sealSlots } from './slots.js'
import { decodeStruct, encodeStruct } from './structs.js'
import type { DeviceRow, ReportRow, RoomView } from './view.js'

export interface ReportsInit {
  /** The discovery key. */
  readonly room: Uint8Array
  /** The key of this device's identity. */
  readonly self: Uint8Array
  readonly view: RoomView
  readonly log: OpLog
  readonly finder: MessageFinder
  readonly epochKeys: EpochKeys
  readonly ownRole: OwnRole
  readonly whileOpen: WhileOpen
  /** What a moderator may do about a report. */
  readonly acts: () => Pick<Room, 'message' | 'delete' | 'mute' | 'remove'>
}

/** For how many devices of moderators a report is sealed. */
const MAX_RECIPIENTS = 64

/** What members tell the moderators of, who alone can read it. */
export function createReports(init: ReportsInit): Pick<Room, 'report' | 'reports' | 'resolveReport'> {
  const { room, self, view, log, finder, epochKeys, ownRole, whileOpen, acts } = init

  /** The devices of moderators, of those who stand highest first. */
  async function recipients(): Promise<DeviceRow[]> {
    const roles = new Map<DeviceRow, number>()
    for (const device of await view.all('devices')) {
      const role = (await view.member(device.identity))?.role ?? 0
      const known = roleOf(role)
      if (hasVoice(device) && known !== undefined && isAtLeast(known, 'moderator')) roles.set(device, role)
    }
    return [...roles].toSorted(([, a], [, b]) => b - a).slice(0, MAX_RECIPIENTS).map(([device]) => device)
  }

  /** Under a key of its own, which goes by what it is committed to. */
  async function draft(message: Uint8Array, reason: string): Promise<Draft> {
    const key = randomBytes(KEY_BYTES)
    const payload = encodeStruct('grant', sealSlots(room, key, await recipients(), 'report'))
    const body = encodeStruct('report-body', { message, reason })
    return { type: 'report', payload, body, epoch: { id: commitmentTo(room, key), key } }
  }

  async function read({ id, identity, writer, op: bytes }: ReportRow): Promise<MessageReport> {
    const op = decodeOp(bytes)!
    const slots = decodeStruct('grant', op.header.payload ?? new Uint8Array())
    const key = slots && op.header.epoch ? epochKeys.openReport(slots, op.header.epoch) : undefined
    const plain = key && open(op.sealed, bodyContext(room, writer, op.clear), messageKey(room, key))
    const body = plain && decodeStruct('report-body', plain)
    const isShort = body?.reason && encodeUtf8(body.reason).length <= MAX_REASON_BYTES
    const about = body && { messageId: encodeZ32(body.message) }
    return { id: encodeZ32(id), by: encodeZ32(identity), ...about, reason: isShort ? body.reason! : '', sentAt: Math.min(op.header.sentAt, Date.now()) }
  }

  async function demand(id: string): Promise<ReportRow> {
    await ownRole.demand('moderator', 'see reports')
    const row = await view.report(decodeKey(id, 'id'))
    if (row !== null) return row
    throw new RoomError('REPORT_NOT_FOUND', 'No report of this id waits.', { hint: 'Another moderator may have dealt with it.' })
  }

  return {
    async report(id, options = {}) {
      assertString(id, 'id')
      assertOptions(options, 'options', ['reason', 'signal'])
      const { reason = '', signal } = options
      assertString(reason, 'options.reason', { maxBytes: MAX_REASON_BYTES })
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      const reporting = whileOpen(async () => {
        await ownRole.demand('reader', 'report messages')
        if ((await view.room())?.peer) throw forbidden('A direct room has no moderators.', 'contacts.block() and contacts.report() are for the other person.')
        const { id: message } = await finder.demand(id)
        if ((await view.reportsBy(self)).length >= MAX_REPORTS_BY_ONE) {
          throw new RoomError('TOO_MANY_REPORTS', `At most ${MAX_REPORTS_BY_ONE} reports of one member wait.`, { hint: 'Moderators have to look at those first.' })
        }
        const [written] = await log.append([await draft(message, reason)])
        if (!written!.isAccepted) throw forbidden('The room did not take the report.', 'Too many wait, or this member was removed meanwhile.')
      })
      await raceSignal(reporting, signal)
    },
    reports: () =>
      whileOpen(async () => {
        await ownRole.demand('moderator', 'see reports')
        const reports = await Promise.all((await view.all('reports')).map(read))
        return reports.toSorted((a, b) => a.sentAt - b.sentAt)
      }),
    async resolveReport(id, options = {}) {
      assertString(id, 'id')
      assertOptions(options, 'options', ['action', 'signal'])
      const { action, signal } = options
      if (action !== undefined && !ACTIONS.has(action)) throw new TypeError('options.action must be "delete", "mute", "remove" or "ban"')
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      const resolving = whileOpen(async () => {
        const row = await demand(id)
        if (action !== undefined) await act(action, await read(row))
        const [written] = await log.append([{ type: 'resolveReport', target: row.id }])
        if (!written!.isAccepted) await demand(id)
      })
      await raceSignal(resolving, signal)
    }
  }

  async function act(action: string, { messageId }: MessageReport): Promise<void> {
    const message = messageId === undefined ? undefined : await acts().message(messageId)
    if (message === undefined) throw new RoomError('MESSAGE_NOT_FOUND', 'The message of the report is not here.', { hint: 'Resolve the report without an action.' })
    if (action === 'delete') return acts().delete(message.id)
    if (action === 'mute') return acts().mute(message.author)
    return acts().remove(message.author, { ban: action === 'ban' })
  }
}

const ACTIONS: ReadonlySet<string> = new Set(['delete', 'mute', 'remove', 'ban'])

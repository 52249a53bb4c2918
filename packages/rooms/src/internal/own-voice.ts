import type { Content } from '@covey/core'
import { RoomError } from '../errors.js'
import { MAX_IN_A_ROW } from '../constants.js'
import type { Pace } from '../room.js'
import type { RoomRules } from '../rules.js'
import { countInARow, isPaced, keepsPace } from './apply/pace.js'
import { declareKinds, forbiddenTo, kindsOf } from './message-kinds.js'
import { decodeOp } from './op.js'
import { forbidden, type OwnRole, withArticle } from './own-role.js'
import type { PendingMessages } from './pending-messages.js'
import { rulesOf } from './room-rules.js'
import type { RoomView } from './view.js'

/** What the rules of the room let this device's person write, asked before an op is written that nobody would take. */
export interface OwnVoice {
  pace(): Promise<Pace>
  /**
   * Resolves to whether the next message has to wait for this one.
   *
   * @throws {RoomError} MESSAGE_TOO_SOON
   */
  demandPace(): Promise<boolean>
  /**
   * What a message has to say of itself, if anything.
   *
   * @throws {RoomError} ROOM_FORBIDDEN
   */
  declare(content: string | Content): Promise<Uint8Array | undefined>
  /** To be called when the rules may be others. */
  changed(): void
}

export interface OwnVoiceInit {
  readonly view: RoomView
  readonly pending: PendingMessages
  readonly ownRole: OwnRole
  /** The key of this device's identity. */
  readonly self: Uint8Array
  /** This device's writer core. */
  readonly writer: Uint8Array
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const NOW: Pace = { waitMs: 0, isOthersTurn: false }

export function createOwnVoice({ view, pending, ownRole, self, writer, now }: OwnVoiceInit): OwnVoice {
  let known: Promise<RoomRules> | undefined

  function currentRules(): Promise<RoomRules> {
    const asked = (known ??= view.room().then(rulesOf))
    asked.catch(() => {
      if (known === asked) known = undefined
    })
    return asked
  }

  async function paced(): Promise<boolean> {
    const role = await ownRole.current()
    return role !== undefined && isPaced(await currentRules(), role)
  }

  async function pace(): Promise<Pace> {
    const rules = await currentRules()
    const role = await ownRole.current()
    if (role === undefined || !isPaced(rules, role)) return NOW
    // What is not in the log yet is before the next. What has just landed may wait to be told of.
    const own = pending.of(writer)
    const isIn = await Promise.all(own.map(async ({ id }) => (await view.message(id)) !== null))
    const waiting = own.filter((_, i) => !isIn[i])
    const last = waiting.at(-1)
    const kept = last === undefined ? await view.pace(self) : { sentAt: decodeOp(last.op)!.header.sentAt }
    const inARow = countInARow(await view.meta(), self) + waiting.length
    if (inARow >= MAX_IN_A_ROW) return { waitMs: 0, isOthersTurn: true }
    const at = now()
    if (kept === null || keepsPace({ rules, role, pace: kept, inARow }, at)) return NOW
    return { waitMs: kept.sentAt + rules.slowModeMs - at, isOthersTurn: false }
  }

  return {
    pace,
    async demandPace() {
      if (!(await paced())) return false
      const { waitMs, isOthersTurn } = await pace()
      if (isOthersTurn) {
        throw new RoomError('MESSAGE_TOO_SOON', `In slow mode nobody writes more than ${MAX_IN_A_ROW} messages in a row.`, {
          retryable: true,
          hint: 'Somebody else has to write first.'
        })
      }
      if (waitMs === 0) return true
      throw new RoomError('MESSAGE_TOO_SOON', 'The room is in slow mode.', {
        retryable: true,
        hint: `Wait for ${Math.ceil(waitMs / 1_000)} s; room.pace() tells how long.`
      })
    },
    async declare(content) {
      const role = await ownRole.current()
      const notAllowed = role === undefined ? 0 : forbiddenTo(role, await currentRules())
      if (notAllowed === 0) return undefined
      const isText = typeof content === 'string'
      const kinds = kindsOf(isText ? { kind: 'text', text: content } : { kind: 'content', text: '', content })
      if ((kinds & notAllowed) === 0) return declareKinds(kinds)
      throw forbidden(`${withArticle(role!)} may not send ${isText ? 'links' : 'this kind of content'} here.`, 'info() tells the rules of the room.')
    },
    changed() {
      known = undefined
    }
  }
}

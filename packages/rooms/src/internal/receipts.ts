import { assertString, encodeZ32, isCoveyError } from '@covey/core'
import { MAX_RECEIPT_MEMBERS } from '../constants.js'
import type { Receipt, RoomReading } from '../reading.js'
import { roleOf } from '../roles.js'
import { hasVoice } from './authority/voices.js'
import type { MessageFinder } from './find-message.js'
import { mapKey } from './map-key.js'
import type { OpLog } from './op-log.js'
import type { WhileOpen } from './open-room.js'
import type { ReceiptRow, RoomView } from './view.js'

export interface ReceiptsInit {
  /** The key of this device's identity. */
  readonly self: Uint8Array
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly view: RoomView
  readonly finder: MessageFinder
  readonly log: OpLog
  readonly isBlocked: (identity: string) => boolean
  /** Whether others are told how far this person has read. */
  readonly isTold: boolean
  readonly whileOpen: WhileOpen
  readonly onerror: (error: unknown) => void
}

/** Who reads on for as long tells of the last message alone. */
const REST_MS = 3_000

/** How far members say to have read, and what they are told of this person. */
export interface Receipts {
  readonly calls: Pick<RoomReading, 'receipts' | 'readBy'>
  /** This person has read up to a message. */
  marked(message: Uint8Array): void
  /** Whether something is to be told that has not been. */
  isWaiting(): boolean
  /** Tells it. */
  close(): Promise<void>
}

interface Reached {
  readonly row: ReceiptRow
  readonly order: number
}

export function createReceipts(init: ReceiptsInit): Receipts {
  const { self, writer, view, finder, log, isBlocked, isTold, whileOpen, onerror } = init
  let waiting: { readonly timer: ReturnType<typeof setTimeout>; message: Uint8Array } | undefined
  let telling: Promise<void> = Promise.resolve()
  let isClosed = false

  /** The farthest of what a person's devices say, by person. */
  async function reached(): Promise<Map<string, Reached>> {
    const all = new Map<string, Reached>()
    for (const row of await view.all('read-receipts')) {
      const order = (await view.message(row.message))?.order
      const known = all.get(mapKey(row.identity))
      // A message may have left the room, with who wrote it.
      if (order !== undefined && (known === undefined || known.order < order)) all.set(mapKey(row.identity), { row, order })
    }
    return all
  }

  /** Those of members who are in, and not blocked. */
  async function shown(): Promise<Reached[]> {
    const found: Reached[] = []
    for (const each of (await reached()).values()) {
      const member = await view.member(each.row.identity)
      if (member !== null && roleOf(member.role) !== undefined && !isBlocked(encodeZ32(member.identity))) found.push(each)
    }
    return found
  }

  async function tell(message: Uint8Array): Promise<void> {
    const [device, member, row] = [await view.device(writer), await view.member(self), await view.message(message)]
    if (device === null || !hasVoice(device) || member === null || member.muted || row === null) return
    // Another device of this person has told it.
    if (((await reached()).get(mapKey(self))?.order ?? -1) >= row.order) return
    const members = (await view.all('members')).filter(({ role }) => roleOf(role) !== undefined)
    if (members.length <= MAX_RECEIPT_MEMBERS) await log.append([{ type: 'receipt', target: message }])
  }

  function say(): Promise<void> {
    if (waiting === undefined) return telling
    const { timer, message } = waiting
    clearTimeout(timer)
    waiting = undefined
    telling = telling.then(() => tell(message)).catch((error: unknown) => {
      // Who may not write any more has nothing to tell.
      if (!isCoveyError(error, 'ROOM_NOT_WRITABLE')) onerror(error)
    })
    return telling
  }

  return {
    marked(message) {
      if (!isTold || isClosed) return
      if (waiting === undefined) waiting = { timer: setTimeout(() => void say(), REST_MS), message }
      else waiting.message = message
    },
    isWaiting: () => waiting !== undefined,
    close() {
      isClosed = true
      return say()
    },
    calls: {
      receipts: () =>
        whileOpen(async () =>
          (await shown()).map(({ row: { identity, message, sentAt } }): Receipt => ({ memberId: encodeZ32(identity), messageId: encodeZ32(message), readAt: Math.min(sentAt, Date.now()) }))
        ),
      async readBy(messageId) {
        assertString(messageId, 'messageId')
        return whileOpen(async () => {
          const message = await finder.demand(messageId)
          const author = (await view.device(message.writer))?.identity
          const readers = (await shown()).filter(({ order }) => order >= message.order).map(({ row }) => encodeZ32(row.identity))
          return readers.filter((id) => author === undefined || id !== encodeZ32(author))
        })
      }
    }
  }
}

import { decodeZ32 } from '@covey/core'
import { RoomError } from '../errors.js'
import { HASH_BYTES } from './crypto.js'
import type { OpLog } from './op-log.js'
import type { PendingMessages } from './pending-messages.js'
import type { TimelineRow } from './timeline.js'
import type { MessageRow, RoomView } from './view.js'

/** Finds messages by their ids, which may be anything. */
export interface MessageFinder {
  /** Whether it is shown, and has no place in the room yet. */
  isPending(id: string): boolean
  /** One that is pending too. */
  find(id: string): Promise<TimelineRow | undefined>
  /**
   * One that has a place in the room, waiting for one that is about to have.
   *
   * @throws {RoomError} MESSAGE_NOT_FOUND
   */
  demand(id: string): Promise<MessageRow>
}

export interface MessageFinderInit {
  readonly view: RoomView
  readonly pending: PendingMessages
  readonly log: OpLog
}

export function createMessageFinder({ view, pending, log }: MessageFinderInit): MessageFinder {
  async function inRoom(id: Uint8Array): Promise<MessageRow | null> {
    const row = await view.message(id)
    if (row !== null) return row
    // It may be one that was told as sent before a restart.
    await log.settled()
    return view.message(id)
  }

  return {
    isPending(id) {
      const bytes = decodeZ32(id, HASH_BYTES)
      return bytes.ok && pending.get(bytes.value) !== undefined
    },
    async find(id) {
      const bytes = decodeZ32(id, HASH_BYTES)
      if (!bytes.ok) return undefined
      const waiting = pending.get(bytes.value)
      const row = await (waiting === undefined ? inRoom(bytes.value) : view.message(bytes.value))
      return row ?? (waiting && { ...waiting, isPending: true })
    },
    async demand(id) {
      const bytes = decodeZ32(id, HASH_BYTES)
      if (bytes.ok) await pending.settled(bytes.value)
      const row = bytes.ok ? await inRoom(bytes.value) : null
      if (row !== null) return row
      throw notFound()
    }
  }
}

export function notFound(): RoomError {
  return new RoomError('MESSAGE_NOT_FOUND', 'There is no message with this id in the room.', {
    hint: 'It may be of another room, or not have arrived here yet.'
  })
}

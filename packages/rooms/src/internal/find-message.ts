import { decodeZ32 } from '@covey/core'
import { RoomError } from '../errors.js'
import { HASH_BYTES } from './crypto.js'
import type { PendingMessages } from './pending-messages.js'
import type { TimelineRow } from './timeline.js'
import type { MessageRow, RoomView } from './view.js'

/** The message of an id, which may be anything; one that is pending too. */
export async function findMessage(view: RoomView, pending: PendingMessages, id: string): Promise<TimelineRow | undefined> {
  const bytes = decodeZ32(id, HASH_BYTES)
  if (!bytes.ok) return undefined
  const row = await view.message(bytes.value)
  if (row !== null) return row
  const waiting = pending.get(bytes.value)
  return waiting && { ...waiting, isPending: true }
}

/**
 * The message of an id that has a place in the room, waiting for one that is about to have.
 *
 * @throws {RoomError} MESSAGE_NOT_FOUND
 */
export async function demandMessage(view: RoomView, pending: PendingMessages, id: string): Promise<MessageRow> {
  const bytes = decodeZ32(id, HASH_BYTES)
  if (bytes.ok) await pending.settled(bytes.value)
  const row = bytes.ok ? await view.message(bytes.value) : null
  if (row !== null) return row
  throw new RoomError('MESSAGE_NOT_FOUND', 'There is no message with this id in the room.', {
    hint: 'It may be of another room, or not have arrived here yet.'
  })
}

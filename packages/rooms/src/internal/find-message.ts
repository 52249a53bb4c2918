import { decodeZ32 } from '@covey/core'
import { RoomError } from '../errors.js'
import { HASH_BYTES } from './crypto.js'
import type { MessageRow, RoomView } from './view.js'

/** The message of an id, which may be anything. */
export async function findMessage(view: RoomView, id: string): Promise<MessageRow | undefined> {
  const bytes = decodeZ32(id, HASH_BYTES)
  return (bytes.ok && (await view.message(bytes.value))) || undefined
}

/** @throws {RoomError} MESSAGE_NOT_FOUND */
export async function demandMessage(view: RoomView, id: string): Promise<MessageRow> {
  const row = await findMessage(view, id)
  if (row !== undefined) return row
  throw new RoomError('MESSAGE_NOT_FOUND', 'There is no message with this id in the room.', {
    hint: 'It may be of another room, or not have arrived here yet.'
  })
}

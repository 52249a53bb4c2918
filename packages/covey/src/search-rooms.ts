import { assertOptions, isCoveyError } from '@covey/core'
import { DEFAULT_SEARCH_LIMIT, type Message, type SearchOptions } from '@covey/rooms'
import type { Room, Rooms } from './rooms.js'

/** How `peer.search` searches. */
export type PeerSearchOptions = Pick<SearchOptions, 'limit' | 'from' | 'signal'>

/** A message that was found, and the room that it is in. */
export interface FoundMessage {
  readonly room: Room
  readonly message: Message
}

/** Searches one room after the other, so that the texts of one at a time are in memory. */
export async function searchRooms(rooms: Rooms, text: string, options: PeerSearchOptions = {}): Promise<FoundMessage[]> {
  assertOptions(options, 'options', ['limit', 'from', 'signal'])
  let found: FoundMessage[] = []
  for (const room of rooms.list()) {
    // One that is broken tells of it by its `error`, and hides nothing of the others.
    const messages = await room.search(text, options).catch((error: unknown) => (isCoveyError(error, 'ROOM_BROKEN') ? [] : Promise.reject(error)))
    found = [...found, ...messages.map((message) => ({ room, message }))]
      .toSorted((one, other) => other.message.sentAt - one.message.sentAt)
      .slice(0, options.limit ?? DEFAULT_SEARCH_LIMIT)
  }
  return found
}

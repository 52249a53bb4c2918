import type { Room } from 'covey'

/** Reads the last messages of a room: so many, each of which has to say something. */
export async function readMessages(room: Room, limit: number): Promise<void> {
  let read = 0
  for await (const message of room.messages({ limit })) {
    if (message.text === '') throw new Error(`A message is ${message.kind}.`)
    read++
  }
  if (read !== limit) throw new Error(`There are ${read} messages, not ${limit}.`)
}

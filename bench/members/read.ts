import type { Message, Room } from 'covey'

/** The last messages of a room: so many, each of which has to say something. */
export async function messagesOf(room: Room, limit: number): Promise<Message[]> {
  const messages: Message[] = []
  for await (const message of room.messages({ limit })) {
    if (message.text === '') throw new Error(`A message is ${message.kind}.`)
    messages.push(message)
  }
  if (messages.length !== limit) throw new Error(`There are ${messages.length} messages, not ${limit}.`)
  return messages
}

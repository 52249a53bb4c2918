import type { Message } from 'covey'
import type { Chat } from './chat.js'
import { plainName, plainText } from './plain-text.js'

/** How much of the past is shown. */
const HISTORY_LIMIT = 50

/** Prints the last messages, and those that come, until the room closes; without those in `typed`. */
export async function showMessages({ peer, room, screen }: Chat, typed: string[]): Promise<void> {
  for await (const message of room.messages({ live: true, limit: HISTORY_LIMIT })) {
    const index = message.device === peer.device.id ? typed.indexOf(message.text) : -1
    if (index >= 0) typed.splice(index, 1)
    else screen.print(format(message))
  }
}

function format({ sentAt, author, authorName, kind, text }: Message): string {
  const time = new Date(sentAt).toTimeString().slice(0, 5)
  return `${time} ${plainName(authorName) || author.slice(0, 6)}: ${kind === 'text' ? plainText(text) : OTHER_KINDS[kind]}`
}

const OTHER_KINDS: Record<Exclude<Message['kind'], 'text'>, string> = {
  blocked: '(of somebody you have blocked)',
  content: '(a content that this program does not show)',
  deleted: '(deleted)',
  unknown: '(something that this program does not know)',
  unreadable: '(not readable on this device yet)'
}

import type { Peer, Room } from 'covey'
import { announceNewcomers } from './announce-newcomers.js'
import { explain } from './chat-error.js'
import { obey } from './obey.js'
import type { Screen } from './screen.js'
import { showMessages } from './show-messages.js'

export interface Chat {
  readonly peer: Peer
  readonly room: Room
  readonly screen: Screen
  /** Makes an invite: the command that another terminal joins with. */
  readonly invite: () => Promise<string>
}

/** Shows what is said in the room, and says there what is typed, until the user leaves. */
export async function runChat(chat: Chat): Promise<void> {
  const { peer, room, screen } = chat
  peer.rooms.on('error', (error) => screen.print(explain(error)))
  room.on('error', (error) => screen.print(explain(error)))
  await announceNewcomers(room, screen)
  /** What was typed here, and so is on the screen, until it comes back as a message. */
  const typed: string[] = []
  await Promise.all([
    // Closing the room ends the messages, and closing the screen the lines.
    readLines(chat, typed),
    showMessages(chat, typed).finally(() => screen.close())
  ])
}

async function readLines(chat: Chat, typed: string[]): Promise<void> {
  try {
    for await (const line of chat.screen.lines) {
      if (line.trim() === '/quit') return
      await follow(line, chat, typed).catch((error) => chat.screen.print(explain(error)))
    }
  } finally {
    await chat.room.close()
  }
}

async function follow(line: string, chat: Chat, typed: string[]): Promise<void> {
  if (line.startsWith('/')) await obey(line, chat)
  else if (line.trim() !== '') await say(line, chat.room, typed)
}

async function say(line: string, room: Room, typed: string[]): Promise<void> {
  typed.push(line)
  try {
    await room.send(line)
  } catch (error) {
    typed.pop()
    throw error
  }
}

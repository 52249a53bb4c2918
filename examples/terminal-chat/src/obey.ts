import type { Chat } from './chat.js'
import { ChatError } from './chat-error.js'
import { plainName } from './plain-text.js'

const HELP = `/members  who is in the room
/invite   lets another person in
/quit     leaves, as Ctrl-C and Ctrl-D do`

/** Does what a line that begins with a slash says. */
export async function obey(line: string, { room, screen, invite }: Chat): Promise<void> {
  switch (line.trim()) {
    case '/members':
      for (const { name, id, role, isSelf } of await room.members()) {
        screen.print(`${plainName(name) || '(no name)'}, ${role}, ${id.slice(0, 6)}${isSelf ? ' (you)' : ''}`)
      }
      return
    case '/invite':
      return screen.print(await invite())
    case '/help':
      return screen.print(HELP)
    default:
      throw new ChatError(`There is no ${line.split(' ')[0]}.`, HELP)
  }
}

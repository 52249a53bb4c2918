import { join } from 'node:path'
import { createPeer } from 'covey'
import { runChat } from './chat.js'
import type { Command } from './command.js'
import { createInvitation } from './invitation.js'
import { openNetwork } from './network.js'
import { plainName } from './plain-text.js'
import { lastRoom, openRoom } from './room.js'
import { openScreen } from './screen.js'

/** Chats as the command says, until the user leaves or `signal` ends it. */
export async function run(command: Command, signal: AbortSignal): Promise<void> {
  const { verb, storage, name, local } = command
  // Before anything is made, in a folder that was mistyped.
  if (verb === 'reopen') await lastRoom(storage)
  await using network = await openNetwork(local)
  await using peer = await createPeer({
    storage: join(storage, 'peer'),
    network: network.network,
    signal,
    ...(name !== undefined && { name })
  })
  if (verb === 'join') console.log('Looking for somebody who is in the room…')
  const room = await openRoom(peer, command, signal)
  const invite = (): Promise<string> => createInvitation(room, storage, network.address)

  console.log(`This is “${plainName((await room.info()).name)}”. /help says what you can do, Ctrl-C leaves.`)
  if (verb === 'create') console.log(await invite())
  const screen = openScreen(process.stdin, process.stdout)
  signal.addEventListener('abort', () => screen.close())
  await runChat({ peer, room, screen, invite })
}

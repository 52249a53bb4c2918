import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Peer, Room } from 'covey'
import { ChatError } from './chat-error.js'
import type { Command } from './command.js'

/** The file, beside the peer's folder, that says which room was the last. */
const lastRoomFile = (storage: string): string => join(storage, 'last-room')

/** The room that a command is about, which becomes the last room of the folder. */
export async function openRoom(peer: Peer, { verb, invite, storage }: Command, signal: AbortSignal): Promise<Room> {
  if (verb === 'create') return remember(await peer.rooms.create({ name: 'Terminal chat', signal }), storage)
  if (verb === 'join') return remember(await peer.rooms.join(invite, { signal }), storage)
  const room = peer.rooms.get(await lastRoom(storage))
  if (room === undefined) throw new ChatError(`The last room in ${storage} does not open.`, 'Ask for a new invite to it.')
  return room
}

async function remember(room: Room, storage: string): Promise<Room> {
  await writeFile(lastRoomFile(storage), room.id)
  return room
}

/** @throws {ChatError} when there was no room in this folder yet */
export async function lastRoom(storage: string): Promise<string> {
  try {
    return await readFile(lastRoomFile(storage), 'utf8')
  } catch {
    throw new ChatError(`There is no room in ${storage} yet.`, 'Make one with create, join one, or name another --storage.')
  }
}

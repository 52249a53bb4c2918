import { writeFile } from 'node:fs/promises'
import type { Room } from '@covey/rooms'
import { hash } from '../src/internal/crypto.js'
import { createBundle, openBundle } from '../src/internal/bundle/bundle-file.js'
import type { Frame } from '../src/internal/bundle/format.js'
import type { OpenRoom } from '../src/internal/open-room.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import type { Rows } from '../src/internal/view.js'
import { shareRoom, toHex, type TestPeer } from './support.js'

const ROWS: (keyof Rows)[] = ['meta', 'writers', 'authority', 'room', 'members', 'devices', 'epochs', 'messages', 'message-states', 'edits', 'reactions', 'pins', 'invites']

export function openedOf({ rooms }: TestPeer, id: string): OpenRoom {
  return partsOfRooms(rooms).open.get(id)!
}

/** A room of peers that do not meet any more. */
export async function partedRoom(...peers: readonly TestPeer[]): Promise<Room[]> {
  const rooms = await shareRoom(...peers)
  await Promise.all(peers.map(({ node }) => node.suspend()))
  return rooms
}

/** A hash of all that a view says. */
export async function viewHash(peer: TestPeer, id: string): Promise<string> {
  const { view } = openedOf(peer, id)
  const rows = await Promise.all(ROWS.map(async (name) => [name, await view.all(name)]))
  const text = JSON.stringify(rows, (_, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value))
  return toHex(hash('test/view', new TextEncoder().encode(text)))
}

/** The hash of the room's view as its indexers have signed it, and how long it is. */
export async function signedView(peer: TestPeer, id: string, length?: number): Promise<{ length: number; hash: string }> {
  const { core, signedLength } = openedOf(peer, id).base
  const at = length ?? signedLength
  return { length: at, hash: toHex(await core.treeHash(at)) }
}

/** The frames of a bundle, as a member's software can read them. */
export async function framesOf(peer: TestPeer, id: string, path: string): Promise<Frame[]> {
  const bundle = await openBundle(path)
  const frames = bundle.frames(openedOf(peer, id).base.encryptionKey!)
  const found: Frame[] = []
  for (let place = frames.first; found.at(-1)?.type !== 'end'; ) {
    const { frame, next } = await frames.read(place)
    found.push(frame)
    place = next
  }
  await bundle.close()
  return found
}

/** Writes what a hostile member's software might. */
export async function forge(peer: TestPeer, id: string, path: string, frames: readonly Frame[]): Promise<void> {
  const bundle = await createBundle(path, openedOf(peer, id).base.encryptionKey!)
  for (const frame of frames) await bundle.write(frame)
  await bundle.finish()
}

/** Writes bytes as a file beside another. */
export async function variant(path: string, bytes: Uint8Array): Promise<string> {
  await writeFile(`${path}.variant`, bytes)
  return `${path}.variant`
}

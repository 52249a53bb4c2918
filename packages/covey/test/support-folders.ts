import type { Folder, Network, Peer, Room } from 'covey'
import { start, temporaryFolder } from './support.js'

export interface Member {
  readonly peer: Peer
  readonly room: Room
  readonly folder: Folder
  readonly storage: string
  readonly desk: string
}

/** Members of one room, who are connected. */
export async function members(network: Network, ...names: string[]): Promise<Member[]> {
  const all: Member[] = []
  for (const name of names) {
    const storage = await temporaryFolder()
    const peer = await start({ network, name, storage })
    const room = all.length === 0 ? await peer.rooms.create({ name: 'Tea' }) : await peer.rooms.join(await all[0]!.room.createInvite())
    all.push({ peer, room, folder: await room.files.folder('Photos'), storage, desk: await temporaryFolder() })
  }
  return all
}

/** Resolves when what is in the folder is so. */
export async function until(folder: Folder, isIt: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const changed = folder.once('change')
    if (await isIt()) return
    await changed
  }
}

export async function untilAt(folder: Folder, ...paths: string[]): Promise<void> {
  await until(folder, async () => (await folder.entries()).map(({ path }) => path).join() === paths.join())
}

export async function textAt(folder: Folder, path: string, version?: string): Promise<string> {
  const file = await folder.get(path, { ...(version !== undefined && { version }) })
  return Buffer.from(await file.bytes({ maxBytes: 1_000_000, signal: AbortSignal.timeout(30_000) })).toString()
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

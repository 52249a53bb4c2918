import { createPeer, localNetwork } from 'covey'

/** Where a peer is that reads a file, and into which room it is invited. */
export interface Reading {
  readonly storage: string
  readonly bootstrap: Parameters<typeof localNetwork>[0]
  readonly invite: string
}

/** First that it is there, and then, when the first file of the room was read to its end, what that took of memory. */
export type Told = { readonly isReady: true } | { readonly bytes: number; readonly mostBytes: number }

const { storage, bootstrap, invite } = JSON.parse(process.argv[2]!) as Reading
const peer = await createPeer({ storage, name: 'Reader', network: localNetwork(bootstrap) })
const room = await peer.rooms.join(invite)
tell({ isReady: true })
for await (const message of room.messages({ live: true })) {
  const file = room.files.of(message)
  if (file === undefined) continue
  const idleBytes = process.memoryUsage.rss()
  let [bytes, mostBytes] = [0, 0]
  for await (const part of file.stream()) {
    bytes += part.length
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - idleBytes)
  }
  tell({ bytes, mostBytes })
  break
}
await peer.close()
process.disconnect?.()

function tell(told: Told): void {
  process.send?.(told)
}

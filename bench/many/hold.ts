import { createPeer, localNetwork } from 'covey'

/** What a peer is to do that is measured. */
export interface Asked {
  readonly storage: string
  readonly bootstrap: Parameters<typeof localNetwork>[0]
  readonly rooms: number
  readonly messages: number
  readonly maxOpenRooms: number | undefined
}

/** What the whole process has of memory, and what of that is in use by JavaScript, after the start and after all was read. */
export type Told = Record<'started' | 'read', { readonly residentMb: number; readonly usedMb: number }>

/** So long rooms are let be that are not used any more, and some more. */
const REST_MS = 20_000

const { storage, bootstrap, rooms, messages, maxOpenRooms } = JSON.parse(process.argv[2]!) as Asked
const peer = await createPeer({ storage, network: localNetwork(bootstrap), ...(maxOpenRooms !== undefined && { maxOpenRooms }) })
const list = peer.rooms.list()
if (list.length !== rooms) throw new Error(`There are ${list.length} rooms, not ${rooms}.`)
const started = await rest()
for (const room of list) {
  const { count } = await room.unread()
  let read = 0
  for await (const message of room.messages({ limit: messages })) if (message.text !== '') read++
  if (count !== 0 || read !== messages) throw new Error(`A room has ${count} unread of ${read} messages.`)
}
const told: Told = { started, read: await rest() }
await peer.close()
await new Promise<void>((resolve) => process.send!(told, undefined, {}, () => resolve()))
process.exit(0)

async function rest(): Promise<Told['read']> {
  await pause(REST_MS)
  // The second time takes what the first has let go.
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.()
    await pause(200)
  }
  const { rss, heapUsed, external } = process.memoryUsage()
  return { residentMb: rss / 1e6, usedMb: (heapUsed + external) / 1e6 }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

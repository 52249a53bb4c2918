// One life of a peer, in a process of its own: what it holds is what is measured.
import { setTimeout as delay } from 'node:timers/promises'
import { createPeer, localNetwork, type Peer, type Room } from 'covey'
import { answerCalls } from '../called-process.js'
import { createPrng } from '../model/prng.js'
import type { SoakCalls } from './protocol.js'

const WINDOW = 50

let peer: Peer
let room: Room
let said = 0
let isQuiet = false
let talking: Promise<void> = Promise.resolve()
const failures: string[] = []

/** As people do: mostly they write, and now and then they change, take back, or answer what is there. */
async function talk(pauseMs: number, seed: number): Promise<void> {
  const random = createPrng(seed)
  let last: string | undefined
  while (!isQuiet) {
    const { id } = await room.send(`${peer.device.id} ${said++}`.padEnd(40 + random.below(200), '.'))
    if (last !== undefined && random.chance(0.1)) await room.edit(last, 'something else')
    if (random.chance(0.05)) await room.delete(id)
    else last = id
    if (last !== undefined && random.chance(0.1)) await room.react(last, '👍')
    if (random.chance(0.1)) await room.markRead()
    await delay(random.below(2 * pauseMs))
  }
}

/** As a display does, which is always open; it ends with the peer. */
async function look(): Promise<void> {
  for await (const { messages } of room.timeline({ window: WINDOW })) {
    if (messages.length > WINDOW) throw new Error(`A window of ${WINDOW} shows ${messages.length} messages.`)
  }
}

answerCalls<SoakCalls>({
  async start({ storage, bootstrap, name, invite, pauseMs, seed }) {
    peer = await createPeer({ storage, name, network: localNetwork(bootstrap), presence: true, readReceipts: true })
    peer.rooms.on('error', (error) => failures.push(String(error.stack)))
    room = peer.rooms.list()[0] ?? (invite === undefined ? await peer.rooms.create({ name: 'Soak' }) : await peer.rooms.join(invite))
    room.on('error', (error) => failures.push(String(error.stack)))
    look().catch((error: Error) => failures.push(String(error.stack)))
    talking = talk(pauseMs, seed)
    talking.catch((error: Error) => failures.push(String(error.stack)))
    return { person: peer.identity.id }
  },
  invite: async () => ({ link: await room.createInvite({ uses: 100, expiresInMs: 604_800_000 }) }),
  async measure() {
    if (failures.length > 0) throw new Error(failures.join('\n'))
    // The second time takes what the first has let go.
    for (let i = 0; i < 2; i++) {
      globalThis.gc!()
      await delay(50)
    }
    const { heapUsed, external, rss } = process.memoryUsage()
    const resources = process.getActiveResourcesInfo()
    const kinds = [...new Set(resources)].map((kind) => `${resources.filter((each) => each === kind).length} ${kind}`).join(', ')
    return { usedBytes: heapUsed + external, residentBytes: rss, handles: resources.length, kinds }
  },
  async quiet() {
    isQuiet = true
    await talking
    return { said }
  },
  async count() {
    const counts: Record<string, number> = {}
    for await (const { author } of room.messages()) counts[author] = (counts[author] ?? 0) + 1
    return counts
  },
  async close() {
    isQuiet = true
    await talking
    await peer.close()
    return null
  }
})

import { createPeer, localNetwork, type Peer, type Room, type RoomPreview } from 'covey'
import { partsOf } from '../../packages/transport/src/internal.js'
import type { UpstreamAutobase } from '../../packages/rooms/src/internal/guards/autobase-internals.js'
import { partsOfRooms } from '../../packages/rooms/src/internal/rooms-parts.js'
import type { RoomView } from '../../packages/rooms/src/internal/view.js'
import { readMessages } from './read.js'

/** Where a peer is that is measured, and in which room. */
export interface Placed {
  readonly name: string
  readonly storage: string
  readonly bootstrap: Parameters<typeof localNetwork>[0]
  /** How many messages are read. */
  readonly last: number
  /** How many members there are at least, the peer itself included. */
  readonly members: number
}

/** What the process has of memory, and what of that is in use by JavaScript. */
export interface Memory {
  readonly residentMb: number
  readonly usedMb: number
}

/** When each message was shown, by its text, on the clock that all processes of a machine share. */
export interface Heard {
  readonly atMs: Readonly<Record<string, number>>
  /** Of all that the process did from the first message to the last. */
  readonly cpuMs: number
}

/** What such a peer can be asked to do. */
export interface Calls {
  /** From `createPeer` on a folder that knows the room until the last messages are read. */
  reopen(): Promise<{ readonly ms: number }>
  start(): Promise<void>
  /** Makes a room, and gives a link into it. */
  create(): Promise<string>
  /** From `join` until the last messages are shown, and until they are read; what comes over the network meanwhile, and what the process does, whatever it is. */
  join(invite: string): Promise<{ readonly ms: number; readonly shownMs: number; readonly receivedKb: number; readonly cpuMs: number }>
  /** Has mirrors hold the room. */
  name(mirrors: readonly string[]): Promise<void>
  /** Resolves when all that the room shows is on this device. */
  whole(): Promise<void>
  /** When it has been left alone for a while. */
  memory(): Promise<Memory>
  /** Begins to listen. */
  listen(): Promise<void>
  /** Resolves when all of these were shown. */
  heard(texts: readonly string[]): Promise<Heard>
  /** Sends these one after another, and gives when each was sent. */
  talk(texts: readonly string[], intervalMs: number): Promise<Readonly<Record<string, number>>>
  /** Sends these at once, and resolves when all are sent. */
  send(texts: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** So long it is let be before its memory is looked at. */
const REST_MS = 5_000
/** How often it is looked whether all is here. */
const LOOK_MS = 100

const { name, storage, bootstrap, last, members } = JSON.parse(process.argv[2]!) as Placed
let peer: Peer | undefined
let room: Room | undefined

const shown = new Map<string, number>()
const waiting = new Set<() => void>()

const calls: Calls = {
  async reopen() {
    const startedAt = now()
    await calls.start()
    room = peer!.rooms.list()[0]!
    await readMessages(room, last)
    const ms = now() - startedAt
    await assertMembers(room)
    return { ms }
  },
  async start() {
    peer = await createPeer({ storage, name, network: localNetwork(bootstrap) })
  },
  async join(invite) {
    const [startedAt, before, cpu] = [now(), received(peer!), process.cpuUsage()]
    let shownMs: number | undefined
    const onPreview = ({ messages }: RoomPreview): void => {
      if (messages.length === last) shownMs = now() - startedAt
    }
    room = await peer!.rooms.join(invite, { onPreview })
    await readMessages(room, last)
    const ms = now() - startedAt
    const took = { ms, shownMs: shownMs ?? ms, receivedKb: (received(peer!) - before) / 1e3, cpuMs: cpuMsSince(cpu) }
    await assertMembers(room)
    return took
  },
  async create() {
    room = await peer!.rooms.create({ name: 'Tea' })
    return room.createInvite()
  },
  async name(mirrors) {
    await room!.setMirrors(mirrors)
  },
  async whole() {
    const { base } = partsOfRooms(peer!.rooms).open.get(room!.id)!
    const { byName } = (base as unknown as UpstreamAutobase<RoomView>)._viewStore
    while ([...byName.values()].some(({ core }) => core.contiguousLength < core.length)) await pause(LOOK_MS)
  },
  async memory() {
    await pause(REST_MS)
    // The second time takes what the first has let go.
    for (let i = 0; i < 2; i++) {
      globalThis.gc?.()
      await pause(200)
    }
    const { rss, heapUsed, external } = process.memoryUsage()
    return { residentMb: rss / 1e6, usedMb: (heapUsed + external) / 1e6 }
  },
  async listen() {
    const messages = room!.messages({ live: true, limit: 1 })
    void (async () => {
      for await (const { text } of messages) {
        if (!shown.has(text)) shown.set(text, now())
        waiting.forEach((wake) => wake())
      }
    })()
  },
  async heard(texts) {
    const before = process.cpuUsage()
    while (!texts.every((text) => shown.has(text))) await woken()
    return { atMs: Object.fromEntries(texts.map((text) => [text, shown.get(text)!])), cpuMs: cpuMsSince(before) }
  },
  async talk(texts, intervalMs) {
    const sentAt: Record<string, number> = {}
    for (const text of texts) {
      sentAt[text] = now()
      await room!.send(text)
      await pause(Math.max(0, sentAt[text] + intervalMs - now()))
    }
    return sentAt
  },
  async send(texts) {
    await Promise.all(texts.map((text) => room!.send(text)))
  },
  async close() {
    await peer?.close()
  }
}

process.on('message', ({ id, call, given }: { id: number; call: keyof Calls; given: readonly never[] }) => {
  const done = (calls[call] as (...given: readonly never[]) => Promise<unknown>)(...given)
  done.then(
    (value) => process.send!({ id, value }),
    (error: unknown) => process.send!({ id, failure: String((error as Error).stack) })
  )
})
process.on('disconnect', () => process.exit(0))

async function assertMembers(joined: Room): Promise<void> {
  const all = await joined.members()
  if (all.length < members) throw new Error(`There are ${all.length} members, not ${members}.`)
}

function received({ rooms }: Peer): number {
  const swarm = partsOf(partsOfRooms(rooms).node).swarm as { readonly dht: { readonly udx: { readonly bytesReceived: number } } }
  return swarm.dht.udx.bytesReceived
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e3
}

function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

async function woken(): Promise<void> {
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      waiting.delete(wake)
      resolve()
    }
    waiting.add(wake)
  })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

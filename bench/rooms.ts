import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLocalNetwork, createTestPeer } from '@covey/testing'
import type { Message, MessagesOptions, Room } from 'covey'
import { isQuick, measure, measureEach } from './harness.js'
import { startPeer } from './members/processes.js'
import { openEcho } from './stock/echo.js'
import { openStockLog } from './stock/log.js'
import { createStockSwarm } from './stock/swarm.js'

const AWAITED_SENDS = isQuick() ? 20 : 1_000
const COALESCED_SENDS = isQuick() ? 200 : 5_000
const LATENCY_SENDS = isQuick() ? 20 : 200
/** As fast as bots talk. */
const TALK_INTERVAL_MS = 25
const INGESTED = isQuick() ? 200 : 5_000
const LARGE_ROOM_MESSAGES = isQuick() ? 500 : 10_000
const READ_MESSAGES = 50

/** A text of 81 bytes makes an op of 198, header and seal included. */
const TEXT_BYTES = 81
const OP_BYTES = 198

const STOCK_LOG = 'Autobase with a Hyperbee view'

const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
const network = await createLocalNetwork()
try {
  await measureSends()
  await measureLatency()
  await measureIngest()
  await measureLargeRoom()
} finally {
  await network.close()
  await rm(folder, { recursive: true, force: true })
}

async function measureSends(): Promise<void> {
  const peer = await createTestPeer({ network, name: 'Alice', storage: join(folder, 'sends') })
  const room = await peer.rooms.create({ name: 'Sends' })
  const stock = await openStockLog(join(folder, 'stock-sends'))

  await measure('awaited sends', {
    unit: 'messages/s',
    baselineName: `${STOCK_LOG}, appends one by one`,
    value: () => rate(AWAITED_SENDS, (count) => oneByOne(count, (i) => room.send(textOf(i)))),
    baseline: () => rate(AWAITED_SENDS, (count) => oneByOne(count, (i) => stock.append(bytesOf(i))))
  })
  await measure('coalesced sends', {
    unit: 'messages/s',
    baselineName: `${STOCK_LOG}, appends not awaited`,
    value: () => rate(COALESCED_SENDS, (count) => allAtOnce(count, (i) => room.send(textOf(i)))),
    baseline: () => rate(COALESCED_SENDS, (count) => allAtOnce(count, (i) => stock.append(bytesOf(i))))
  })
  await measureEcho(room, stock)
  await stock.close()
  await peer.close()
}

/** From the call until this device's own display has it; the log's own way of telling is an append that has resolved. */
async function measureEcho(room: Room, stock: Awaited<ReturnType<typeof openStockLog>>): Promise<void> {
  const arriving = room.messages({ limit: 1, live: true })[Symbol.asyncIterator]()
  await arriving.next()
  const shown = async (i: number): Promise<number> => {
    const startedAt = performance.now()
    const sent = room.send(textOf(i))
    await arriving.next()
    const tookMs = performance.now() - startedAt
    await sent
    return tookMs
  }
  const appended = async (i: number): Promise<number> => {
    const startedAt = performance.now()
    await stock.append(bytesOf(i))
    return performance.now() - startedAt
  }
  await measureEach(['local echo, p50', 'local echo, p95'], {
    unit: 'ms',
    baselineName: `${STOCK_LOG}, one append`,
    value: () => percentiles('local echo', shown),
    baseline: () => percentiles('local echo', appended)
  })
  await arriving.return?.()
}

async function measureLatency(): Promise<void> {
  const alice = await createTestPeer({ network, name: 'Alice' })
  const bob = await createTestPeer({ network, name: 'Bob' })
  const sending = await alice.rooms.create({ name: 'Latency' })
  const receiving = await bob.rooms.join(await sending.createInvite())
  const echo = await openEcho(network)
  const arriving = receiving.messages({ live: true })[Symbol.asyncIterator]()

  const visible = async (i: number): Promise<number> => {
    const startedAt = performance.now()
    const sent = sending.send(textOf(i))
    const arrived = await arriving.next()
    const tookMs = performance.now() - startedAt
    if (arrived.done === true || arrived.value.id !== (await sent).id) throw new Error('Another message arrived.')
    return tookMs
  }
  const returned = async (i: number): Promise<number> => {
    const startedAt = performance.now()
    await echo.roundTrip(bytesOf(i))
    return performance.now() - startedAt
  }
  await measureEach(['A→B visible, p50', 'A→B visible, p95'], {
    unit: 'ms',
    baselineName: 'Protomux round trip',
    value: () => percentiles('A→B visible', visible),
    baseline: () => percentiles('A→B visible', returned)
  })
  const spoken = async (say: (i: number) => Promise<number>, i: number): Promise<number> => {
    const tookMs = await say(i)
    await sleep(Math.max(0, TALK_INTERVAL_MS - tookMs))
    return tookMs
  }
  const atPace = `A→B visible, ${1_000 / TALK_INTERVAL_MS} a second`
  await measureEach([`${atPace}, p50`, `${atPace}, p95`], {
    unit: 'ms',
    baselineName: 'Protomux round trip',
    value: () => percentiles(atPace, (i) => spoken(visible, i)),
    baseline: () => percentiles(atPace, (i) => spoken(returned, i))
  })
  await measure('ingest, both peers in one process', {
    unit: 'messages/s',
    baselineName: 'Protomux round trips, one by one',
    async value() {
      const startedAt = performance.now()
      const sends = allAtOnce(INGESTED, (i) => sending.send(textOf(i)))
      for (let i = 0; i < INGESTED; i++) await arriving.next()
      const tookMs = performance.now() - startedAt
      await sends
      return (INGESTED * 1_000) / tookMs
    },
    baseline: () => rate(INGESTED, (count) => oneByOne(count, (i) => echo.roundTrip(bytesOf(i))))
  })
  await arriving.return?.()
  await echo.close()
  await bob.close()
  await alice.close()
}

/** What one peer takes in: who sends has a process of its own. */
async function measureIngest(): Promise<void> {
  const alice = startPeer({ name: 'Alice', storage: join(folder, 'ingest'), bootstrap: network.bootstrap, last: 0, members: 1 })
  await alice.start()
  const bob = await createTestPeer({ network, name: 'Bob' })
  const room = await bob.rooms.join(await alice.create())
  const arriving = room.messages({ live: true })[Symbol.asyncIterator]()
  const echo = await openEcho(network)
  const texts = Array.from({ length: INGESTED }, (_, i) => textOf(i))

  const taking = async (work: () => Promise<void>): Promise<Record<'ingest' | 'ingest, CPU a message', number>> => {
    const [startedAt, before] = [performance.now(), process.cpuUsage()]
    await work()
    const { user, system } = process.cpuUsage(before)
    return { ingest: (INGESTED * 1_000) / (performance.now() - startedAt), 'ingest, CPU a message': (user + system) / 1_000 / INGESTED }
  }
  await measureEach(['ingest', 'ingest, CPU a message'], {
    unit: { ingest: 'messages/s', 'ingest, CPU a message': 'ms' },
    baselineName: 'Protomux round trips, one by one',
    async value() {
      let sent: Promise<void> | undefined
      const took = await taking(async () => {
        sent = alice.send(texts)
        for (let i = 0; i < INGESTED; i++) await arriving.next()
      })
      await sent
      return took
    },
    baseline: () => taking(() => oneByOne(INGESTED, (i) => echo.roundTrip(bytesOf(i))))
  })
  await arriving.return?.()
  await echo.close()
  await bob.close()
  await alice.end()
}

async function measureLargeRoom(): Promise<void> {
  const alice = { network, storage: join(folder, 'large') }
  const stockFolder = join(folder, 'stock-large')
  await fillLargeRoom(alice)
  const known = await fillStockLog(stockFolder)

  await measure(`reopen, ${LARGE_ROOM_MESSAGES.toLocaleString('en')} messages`, {
    unit: 'ms',
    baselineName: STOCK_LOG,
    async value() {
      const startedAt = performance.now()
      const peer = await createTestPeer(alice)
      const messages = await collect(onlyRoom(peer.rooms.list()), { limit: READ_MESSAGES })
      const tookMs = performance.now() - startedAt
      assertLast(messages.at(-1), messages.length, READ_MESSAGES)
      await peer.close()
      return tookMs
    },
    async baseline() {
      const startedAt = performance.now()
      const stock = await openStockLog(stockFolder)
      const values = await stock.last(READ_MESSAGES)
      const tookMs = performance.now() - startedAt
      if (values.length !== READ_MESSAGES) throw new Error(`The stock log gave ${values.length} values.`)
      await stock.close()
      return tookMs
    }
  })

  const host = await createTestPeer(alice)
  const invite = await onlyRoom(host.rooms.list()).createInvite()
  const stockHost = await openStockLog(stockFolder)
  const stockSwarm = createStockSwarm(network, (connection) => stockHost.replicate(connection))
  await stockSwarm.join(stockHost.discoveryKey, { server: true, client: true }).flushed()

  await measure(`join, ${LARGE_ROOM_MESSAGES.toLocaleString('en')} messages`, {
    unit: 'ms',
    baselineName: `${STOCK_LOG}, as a reader, fast-forward key given`,
    async value() {
      const bob = await createTestPeer({ network, name: 'Bob' })
      const startedAt = performance.now()
      const room = await bob.rooms.join(invite)
      const arriving = room.messages({ limit: 1, live: true })[Symbol.asyncIterator]()
      const first = await arriving.next()
      const tookMs = performance.now() - startedAt
      assertLast(first.value, 1, 1)
      await arriving.return?.()
      await bob.close()
      return tookMs
    },
    async baseline() {
      const storage = await mkdtemp(join(folder, 'stock-join-'))
      const swarm = createStockSwarm(network, (connection) => void opening.then((log) => log.replicate(connection)))
      const startedAt = performance.now()
      const opening = openStockLog(storage, known)
      swarm.join(known.discoveryKey, { server: true, client: true })
      const joined = await opening
      await joined.first()
      const tookMs = performance.now() - startedAt
      await swarm.destroy()
      await joined.close()
      return tookMs
    }
  })
  await stockSwarm.destroy()
  await stockHost.close()
  await host.close()
}

async function fillLargeRoom(alice: Parameters<typeof createTestPeer>[0]): Promise<void> {
  const peer = await createTestPeer({ ...alice, name: 'Alice' })
  const room = await peer.rooms.create({ name: 'Large' })
  await inParts(LARGE_ROOM_MESSAGES, (i) => room.send(textOf(i)))
  await peer.close()
}

async function fillStockLog(storage: string) {
  const stock = await openStockLog(storage)
  await inParts(LARGE_ROOM_MESSAGES, (i) => stock.append(bytesOf(i)))
  const { key, discoveryKey, systemKey } = stock
  await stock.close()
  return { key, discoveryKey, systemKey }
}

async function rate(count: number, work: (count: number) => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work(count)
  return (count * 1_000) / (performance.now() - startedAt)
}

async function oneByOne(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work(i)
}

async function allAtOnce(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, i) => work(i)))
}

async function inParts(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  const partLength = 500
  const last = count - 1
  for (let start = 0; start < last; start += partLength) {
    await allAtOnce(Math.min(partLength, last - start), (i) => work(start + i))
  }
  // By itself: it has to be the last.
  await work(last)
}

async function percentiles<Name extends string>(
  name: Name,
  once: (i: number) => Promise<number>
): Promise<Record<`${Name}, p${50 | 95}`, number>> {
  const times: number[] = []
  for (let i = 0; i < LATENCY_SENDS; i++) times.push(await once(i))
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.ceil(times.length * share) - 1] ?? Number.NaN
  return { [`${name}, p50`]: at(0.5), [`${name}, p95`]: at(0.95) } as Record<`${Name}, p${50 | 95}`, number>
}

async function collect(room: Room, options: MessagesOptions): Promise<Message[]> {
  const messages: Message[] = []
  for await (const message of room.messages(options)) messages.push(message)
  return messages
}

function onlyRoom(rooms: readonly Room[]): Room {
  const [room] = rooms
  if (room === undefined) throw new Error('The room did not open.')
  return room
}

/** That what was timed is what was meant: all of it there, and readable, to the last message. */
function assertLast(message: Message | undefined, count: number, expectedCount: number): void {
  const text = textOf(LARGE_ROOM_MESSAGES - 1)
  if (count === expectedCount && message?.text === text) return
  throw new Error(`Expected ${expectedCount} messages up to '${text}', got ${count} up to '${message?.text}'.`)
}

function textOf(i: number): string {
  return `message ${i} `.padEnd(TEXT_BYTES, '.')
}

function bytesOf(i: number): Uint8Array {
  return Buffer.from(textOf(i).padEnd(OP_BYTES, '.'))
}

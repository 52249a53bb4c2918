import { createLocalNetwork } from '@covey/testing'
import { defineChannel } from '@covey/transport'
import { openNodes } from './channels/nodes.js'
import { isQuick, measure } from './harness.js'
import { openPipe } from './stock/pipe.js'

const LARGE_BYTES = 65_536
const LARGE_COUNT = isQuick() ? 100 : 2_000
const SMALL_BYTES = 100
const SMALL_COUNT = isQuick() ? 2_000 : 100_000
const ROUND_TRIPS = isQuick() ? 50 : 1_000
const DATAGRAM_BYTES = 1_150
const DATAGRAM_COUNT = isQuick() ? 200 : 20_000

const STOCK = 'Protomux on a HyperDHT connection'
const channelOf = defineChannel({ name: 'bench/bytes', version: 1 })

const network = await createLocalNetwork()
try {
  const nodes = await openNodes(network, 2)
  const [near, far] = nodes.map(({ node }) => node) as [(typeof nodes)[0]['node'], (typeof nodes)[0]['node']]
  // The rates are there to be reached only by who floods: here they would be what is measured.
  const options = { peers: 'any', maxMessagesPerSecond: 1e9, maxBytesPerSecond: 1e12 } as const
  const [out, into] = [near.channel(channelOf, options), far.channel(channelOf, options)]
  await near.connect(far.publicKey)
  await Promise.all([out.opened(far.id), into.opened(near.id)])
  const pipe = await openPipe(network)

  const ours = async (count: number, bytes: Uint8Array): Promise<void> => {
    const arrived = read(into.messages(), count)
    for (let i = 0; i < count; i++) await out.send(far.id, bytes)
    await arrived
  }
  await measure(`messages of ${LARGE_BYTES / 1024} KiB`, {
    unit: 'MB/s',
    baselineName: STOCK,
    value: () => megabytesPerSecond(LARGE_COUNT, LARGE_BYTES, ours),
    baseline: () => megabytesPerSecond(LARGE_COUNT, LARGE_BYTES, pipe.send)
  })
  await measure(`messages of ${SMALL_BYTES} bytes, each awaited`, {
    unit: 'messages/s',
    baselineName: STOCK,
    value: () => perSecond(SMALL_COUNT, SMALL_BYTES, ours),
    baseline: () => perSecond(SMALL_COUNT, SMALL_BYTES, pipe.send)
  })
  await measure(`messages of ${SMALL_BYTES} bytes, 50 at once`, {
    unit: 'messages/s',
    baselineName: STOCK,
    value: () =>
      perSecond(SMALL_COUNT, SMALL_BYTES, async (count, bytes) => {
        const arrived = read(into.messages(), count)
        for (let i = 0; i < count; i += 50) {
          await Promise.all(Array.from({ length: 50 }, () => out.send(far.id, bytes)))
        }
        await arrived
      }),
    baseline: () => perSecond(SMALL_COUNT, SMALL_BYTES, pipe.send)
  })

  const back = into.messages()[Symbol.asyncIterator]()
  const forth = out.messages()[Symbol.asyncIterator]()
  const bytes = new Uint8Array(SMALL_BYTES)
  await measure('round trip', {
    unit: 'ms',
    baselineName: STOCK,
    value: () =>
      millisecondsEach(ROUND_TRIPS, async () => {
        await out.send(far.id, bytes)
        await back.next()
        await into.send(near.id, bytes)
        await forth.next()
      }),
    baseline: () => millisecondsEach(ROUND_TRIPS, () => pipe.roundTrip(bytes))
  })
  await measure(`datagrams of ${DATAGRAM_BYTES} bytes, that arrived`, {
    unit: 'datagrams/s',
    baselineName: 'secret-stream, unordered messages',
    value: () => datagrams((datagram) => out.sendDatagram(far.id, datagram), into.datagrams()),
    baseline: () => datagrams(pipe.sendDatagram, pipe.datagrams())
  })
  await measure('from `resume()` to a message of the peer', {
    unit: 'ms',
    baselineName: 'HyperDHT, suspended and resumed, and a dial',
    async value() {
      await near.suspend()
      const startedAt = performance.now()
      const sent = into.send(near.id, bytes)
      await near.resume()
      await forth.next()
      const tookMs = performance.now() - startedAt
      await sent
      return tookMs
    },
    baseline: () => pipe.resume()
  })
  await pipe.close()
  for (const each of nodes) await each.close()
} finally {
  await network.close()
}

async function read(messages: AsyncIterable<unknown>, count: number): Promise<void> {
  let left = count
  for await (const _ of messages) if (--left === 0) return
}

async function perSecond(count: number, size: number, send: (count: number, bytes: Uint8Array) => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await send(count, new Uint8Array(size))
  return (count * 1_000) / (performance.now() - startedAt)
}

async function megabytesPerSecond(count: number, size: number, send: (count: number, bytes: Uint8Array) => Promise<void>): Promise<number> {
  return ((await perSecond(count, size, send)) * size) / 1e6
}

async function millisecondsEach(count: number, work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  for (let i = 0; i < count; i++) await work()
  return (performance.now() - startedAt) / count
}

/** As many a turn as a frame of video has, so that it is not a queue that is measured. */
async function datagrams(send: (datagram: Uint8Array) => unknown, arriving: AsyncIterable<unknown>): Promise<number> {
  const reading = arriving[Symbol.asyncIterator]()
  const datagram = new Uint8Array(DATAGRAM_BYTES)
  const startedAt = performance.now()
  let arrived = 0
  let isOver = false
  const counting = (async () => {
    while (!isOver) {
      await reading.next()
      arrived++
    }
  })()
  for (let sent = 0; sent < DATAGRAM_COUNT; sent += 20) {
    for (let i = 0; i < 20; i++) send(datagram)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const took = performance.now() - startedAt
  isOver = true
  send(datagram)
  await counting
  return (arrived * 1_000) / took
}

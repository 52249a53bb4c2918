import { randomBytes, randomInt } from 'node:crypto'
import { mkdir, mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalNetwork, createTestPeer } from '@covey/testing'
import { BLOCK_BYTES, type Message, type Room, type SharedFile } from 'covey'
import { isQuick, measure, measureEach } from './harness.js'
import { openLimitedLinks } from './files/limited-links.js'
import { receive } from './files/processes.js'
import type { Receiving } from './files/receive.js'
import { openStockDrive } from './stock/drive.js'
import { openEcho } from './stock/echo.js'

const MIB = 1024 * 1024
/** Of the file that is shared and fetched whole: `BENCH_FILE_MIB=1024 pnpm bench files` for one of 1 GiB. */
const FILE_MIB = isQuick() ? 4 : Number(process.env['BENCH_FILE_MIB'] ?? 64)
if (!Number.isInteger(FILE_MIB) || FILE_MIB < 1) throw new RangeError('BENCH_FILE_MIB must be a number of MiB')
/** Nobody reads it to its end: it has a size, and no bytes on the disk. */
const SPARSE_BYTES = isQuick() ? 64 * MIB : 10 * 1024 * MIB
const READ_BYTES = 65_536
/** `BENCH_PARTS=links,memory`: of `whole`, `first`, `reads`, `links` and `memory`. */
const PARTS = process.env['BENCH_PARTS']?.split(',')
const READS = isQuick() ? 5 : 100
const STOCK = 'Hyperdrive'
/** Fewer, for what a machine does meanwhile falls on time more than on this. */
const CPU_RUNS = 3
/** `BENCH_MEMORY_MIB=10240` for 10 GiB. */
const MEMORY_MIB = isQuick() ? 64 : Number(process.env['BENCH_MEMORY_MIB'] ?? 512)
if (!Number.isInteger(MEMORY_MIB) || MEMORY_MIB < 1) throw new RangeError('BENCH_MEMORY_MIB must be a number of MiB')
const MAX_MEMORY_MB = 150
/** How often it is looked how much memory there is. */
const LOOK_MS = 50
/** Devices that have a file, and how fast the link of each is: `BENCH_LINK_MB=1` where the machine cannot take in four times 10 MB/s. */
const LINKS = 4
const LINK_MB = Number(process.env['BENCH_LINK_MB'] ?? 10)
if (!(LINK_MB > 0)) throw new RangeError('BENCH_LINK_MB must be a number of MB')
/** A dozen seconds over one link, and several times what is asked for ahead. */
const LINKS_MIB = isQuick() ? 4 : Math.max(32, Math.round(LINK_MB * 12))
/** Each takes the time that the links need, whatever the machine does. */
const LINK_RUNS = 3

const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
const desk = join(folder, 'desk')
await mkdir(desk)
const network = await createLocalNetwork()
const alice = await createTestPeer({ network, name: 'Alice', storage: join(folder, 'alice') })
const bob = await createTestPeer({ network, name: 'Bob', storage: join(folder, 'bob') })
const room = await alice.rooms.create({ name: 'Files' })
const joined = await bob.rooms.join(await room.createInvite())
const arriving = joined.messages({ live: true })[Symbol.asyncIterator]()
const stock = await openStockDrive(network, folder)
const echo = await openEcho(network, randomBytes(READ_BYTES))
const idleBytes = process.memoryUsage.rss()
let names = 0
try {
  const parts = { whole: measureWhole, first: measureFirstByte, reads: measureReads, links: measureLinks, memory: measureMemory }
  await writeRandom(join(desk, 'film'), FILE_MIB)
  for (const [part, measureIt] of Object.entries(parts)) if (PARTS === undefined || PARTS.includes(part)) await measureIt()
} finally {
  await arriving.return?.()
  await echo.close()
  await stock.close()
  await bob.close()
  await alice.close()
  await network.close()
  await rm(folder, { recursive: true, force: true })
}

async function measureWhole(): Promise<void> {
  const path = join(desk, 'film')
  const nextName = (): string => `/${names++}`

  await measure(`share, ${FILE_MIB} MiB`, {
    unit: 'MB/s',
    baselineName: `${STOCK}, a write stream`,
    async value() {
      const startedAt = performance.now()
      const file = await alice.files.share(path)
      await whole(file)
      const rate = megabytesPerSecond(startedAt)
      await file.forget()
      return rate
    },
    async baseline() {
      const name = nextName()
      const startedAt = performance.now()
      await stock.put(path, name)
      const rate = megabytesPerSecond(startedAt)
      await stock.clear(name)
      return rate
    }
  })

  // Of its own: who has come and gone in a dozen rooms is slower at what is measured next.
  await using sharer = await createTestPeer({ network, name: 'Carol', storage: join(folder, 'carol') })
  const ours = async (): Promise<Cost> => {
    const shelf = await sharer.rooms.create({ name: `Download ${names++}` })
    const { file } = await shelf.files.share(path)
    await whole(file)
    const cost = await fetched({ invite: await shelf.createInvite() })
    await file.forget()
    return cost
  }
  const theirs = async (): Promise<Cost> => {
    // A drive of its own: one of which a part was cleared may never give what comes after that.
    const place = join(folder, `stock-${names++}`)
    const drive = await openStockDrive(network, place)
    await drive.put(path, '/film')
    const cost = await fetched({ drive: Buffer.from(drive.key).toString('hex'), name: '/film' })
    await drive.close()
    await rm(place, { recursive: true })
    return cost
  }
  const baselineName = `${STOCK}, a read stream into a file`
  await measure(`download, ${FILE_MIB} MiB, one source`, {
    unit: 'MB/s',
    baselineName,
    value: async () => (await ours()).megabytesPerSecond,
    baseline: async () => (await theirs()).megabytesPerSecond
  })
  await measure(`download, ${FILE_MIB} MiB, both sides`, {
    unit: 'CPU-s/GB',
    baselineName,
    value: async () => (await ours()).cpuSecondsPerGigabyte,
    baseline: async () => (await theirs()).cpuSecondsPerGigabyte,
    runs: CPU_RUNS
  })
}

/** What it takes to have the file on another device, which is a process of its own. */
async function fetched(from: Receiving['from']): Promise<Cost> {
  const place = await mkdtemp(join(folder, 'receiver-'))
  const { bytes, ms, cpuMs, sendersCpuMs } = await receive({ storage: join(place, 'store'), bootstrap: network.bootstrap, from, folder: place })
  await rm(place, { recursive: true })
  if (bytes !== FILE_MIB * MIB) throw new Error(`${bytes} bytes were received.`)
  return { megabytesPerSecond: bytes / 1e3 / ms, cpuSecondsPerGigabyte: ((cpuMs + sendersCpuMs) * 1e6) / bytes }
}

/** As many devices have the file, and each sends {@link LINK_MB} a second at most. */
async function measureLinks(): Promise<void> {
  const path = join(desk, 'links')
  await writeRandom(path, LINKS_MIB)
  const links = await openLimitedLinks(network, folder, path, LINKS, LINK_MB * 1_000_000)
  const rate = async (holders: number): Promise<number> => (LINKS_MIB * MIB) / 1_000 / (await links.fetch(holders))
  await measure(`download, ${LINKS_MIB} MiB, ${LINKS} sources of ${LINK_MB} MB/s each`, {
    unit: 'MB/s',
    baselineName: 'one such source',
    value: () => rate(LINKS),
    baseline: () => rate(1),
    runs: LINK_RUNS
  })
  await links.close()
}

/** The most memory that both sides take while a sparse file is read, above what they took before anything was measured. */
/** What each of two processes takes while one reads a file that the other shares. */
async function measureMemory(): Promise<void> {
  const path = join(desk, 'endless')
  await writeFile(path, '')
  await truncate(path, MEMORY_MIB * MIB)
  const [receiver, sharer] = [`memory above idle, ${MEMORY_MIB} MiB read: receiver`, `memory above idle, ${MEMORY_MIB} MiB read: sharer`] as const
  await measureEach([receiver, sharer], {
    unit: 'MB',
    baselineName: 'what is allowed for 10 GiB',
    async value() {
      const shelf = await alice.rooms.create({ name: `Memory ${names++}` })
      let mostBytes = 0
      const looking = setInterval(() => (mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - idleBytes)), LOOK_MS)
      const { file } = await shelf.files.share(path)
      const storage = join(folder, `reader-${names}`)
      const reading = receive({ storage, bootstrap: network.bootstrap, from: { invite: await shelf.createInvite() } })
      const { bytes, mostMemoryBytes } = await reading.finally(() => clearInterval(looking))
      if (bytes !== MEMORY_MIB * MIB) throw new Error(`${bytes} bytes were read.`)
      await Promise.all([file.forget(), rm(storage, { recursive: true })])
      return { [receiver]: mostMemoryBytes / 1e6, [sharer]: mostBytes / 1e6 }
    },
    baseline: () => Promise.resolve({ [receiver]: MAX_MEMORY_MB, [sharer]: MAX_MEMORY_MB }),
    runs: 1
  })
}

/** From the call of `share` until the receiver, who is connected and listens, has the message and the first bytes. */
async function measureFirstByte(): Promise<void> {
  const [small, sparse] = [join(desk, 'small'), join(desk, 'sparse')]
  await writeRandom(small, 1)
  await writeFile(sparse, '')
  await truncate(sparse, SPARSE_BYTES)
  const firstByte = async (path: string): Promise<number> => {
    const startedAt = performance.now()
    const { own, received } = await offer(room, path)
    for await (const _ of received.stream()) break
    const tookMs = performance.now() - startedAt
    await Promise.all([own.forget(), received.forget()])
    return tookMs
  }
  await measure('first byte after share, 1 MiB', {
    unit: 'ms',
    baselineName: 'Protomux round trip, 64 KiB back',
    value: () => firstByte(small),
    baseline: roundTrip
  })
  await measure(`first byte after share, ${SPARSE_BYTES / MIB / 1024} GiB, sparse`, {
    unit: 'ms',
    baselineName: 'ours, 1 MiB',
    value: () => firstByte(sparse),
    baseline: () => firstByte(small)
  })
}

/** Each of a block that is not at the receiver yet. */
async function measureReads(): Promise<void> {
  const path = join(desk, 'film')
  const blocks = Math.floor((FILE_MIB * MIB) / BLOCK_BYTES)
  await measure('read of 64 KiB at random, p50', {
    unit: 'ms',
    baselineName: 'Protomux round trip, 64 KiB back',
    async value() {
      const { own, received } = await offer(room, path)
      await whole(own)
      const left = Array.from({ length: blocks }, (_, block) => block)
      const times: number[] = []
      while (times.length < READS && left.length > 0) {
        const [block] = left.splice(randomInt(left.length), 1) as [number]
        const start = block * BLOCK_BYTES + randomInt(BLOCK_BYTES - READ_BYTES)
        const startedAt = performance.now()
        let length = 0
        for await (const bytes of received.stream({ start, end: start + READ_BYTES })) length += bytes.length
        times.push(performance.now() - startedAt)
        if (length !== READ_BYTES) throw new Error(`A read gave ${length} bytes.`)
      }
      await Promise.all([own.forget(), received.forget()])
      return middle(times)
    },
    baseline: roundTrip
  })
}

/** The median of as many as there are reads. */
async function roundTrip(): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < READS; i++) {
    const startedAt = performance.now()
    await echo.roundTrip(new Uint8Array(100))
    times.push(performance.now() - startedAt)
  }
  return middle(times)
}

/** Shares a file in the room, and waits until the other has the offer. */
async function offer(sending: Room, path: string): Promise<{ own: SharedFile; received: SharedFile }> {
  const sent = sending.files.share(path)
  const { value } = (await arriving.next()) as { value: Message | undefined }
  const { message, file } = await sent
  const received = value?.id === message.id ? joined.files.of(value) : undefined
  if (received === undefined) throw new Error('Another message arrived.')
  return { own: file, received }
}

/** Resolves when the sharer has read it to its end. */
async function whole(file: SharedFile): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    file.on('error', reject)
    file.on('progress', ({ state }) => state === 'whole' && resolve())
    file.progress().then(({ state }) => state === 'whole' && resolve(), reject)
  })
}

async function writeRandom(path: string, mib: number): Promise<void> {
  await using file = await open(path, 'w')
  for (let i = 0; i < mib; i++) await file.write(randomBytes(MIB))
}

/** What a file took, of the time and of the processors. */
interface Cost {
  megabytesPerSecond: number
  cpuSecondsPerGigabyte: number
}

function megabytesPerSecond(startedAt: number): number {
  return (FILE_MIB * MIB) / 1_000 / (performance.now() - startedAt)
}

function middle(times: number[]): number {
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
}

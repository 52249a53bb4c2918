// A process of its own, whose memory is that of the attacked alone. Says what came of it as JSON.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { pause } from './pause.js'
import { World, type Base } from './world.js'

const [name, mode] = process.argv.slice(2)
/** A tenth of a percent of the real one, so that the flood need not last: 1 MiB or 512 blocks, and little more. */
const quota = {
  blocks: { burst: 512, perSecond: 16 },
  bytes: { burst: 1_048_576, perSecond: 16_384 }
}
const world = new World(mode === 'guarded', 'binary', quota)
let failure: string | null = null
let figures: object | undefined
try {
  await world.open()
  figures = await measure(name!)
} catch (error) {
  failure = (error as Error).message
}
console.log(JSON.stringify({ failure, frozen: [...new Set(world.frozen)].sort(), errors: world.errors, ...figures }))
process.exit(0)

/** How much the attacker makes the others take, and how long one's word takes to the other meanwhile. */
async function measure(flood: string): Promise<object> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const script = fileURLToPath(new URL('run-flooder.ts', import.meta.url))
  const args = [flood, String(port), join(world.folder, 'flooder')]
  const flooder = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [line] = (await once(flooder.stdout, 'data')) as [Buffer]
  const { key, bytes } = JSON.parse(line.toString()) as { key: string; bytes: number }
  await world.admit(Buffer.from(key, 'hex'))
  await world.talk('before')
  // That autobase may not look for news of a writer is another matter: docs/proofs.md, "Open".
  keepOpen(world.owner, world.member)
  keepOpen(world.member, world.owner)
  const before = { disk: await diskOf(world), rss: process.memoryUsage.rss() }
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  let peak = 0
  const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20)
  // One connection to each, as the swarm would have it.
  link(world.owner, sockets[0]!)
  link(world.member, sockets[1]!)
  const waits: number[] = []
  for (let i = 0; i < 8; i++) {
    const start = performance.now()
    const isHeard = await world.hear(`word ${i}`, 12_000).then(() => true, () => false)
    waits.push(performance.now() - start)
    if (!isHeard) break
    await pause(250)
  }
  if (mode === 'guarded') await world.until('both are told', async () => world.floods.length === 2, 15_000)
  clearInterval(sampling)
  const taken = [world.owner, world.member].map((base) => takenOf(base, key))
  flooder.kill()
  server.close()
  return {
    sentMiB: mib(bytes),
    diskMiB: mib((await diskOf(world)) - before.disk),
    memoryMiB: mib(peak - before.rss),
    blocks: taken,
    slowestWordMs: Math.round(Math.max(...waits)),
    longestDelayMs: Math.round(delay.max / 1e6),
    floods: world.floods
  }
}

function link(base: Base, socket: Socket): void {
  const stream = base.replicate(false)
  stream.on('error', () => undefined)
  socket.on('error', () => undefined)
  socket.pipe(stream as never)
  stream.pipe(socket as never)
}

function keepOpen(base: Base, other: Base): void {
  base.store.get({ key: other.local.key, active: true }).download({ start: 0, end: -1 })
}

function takenOf(base: Base, key: string): number {
  const writer = [...base.activeWriters].find(({ core }) => Buffer.from(core.key!).toString('hex') === key)
  return writer === undefined ? -1 : (writer as unknown as { nodes: { length: number } }).nodes.length
}

/** Of the attacked alone. */
async function diskOf({ folder }: World): Promise<number> {
  let sum = 0
  for (const peer of ['owner', 'member']) {
    for (const file of await readdir(join(folder, peer), { recursive: true })) {
      sum += await stat(join(folder, peer, file)).then(({ size }) => size, () => 0)
    }
  }
  return sum
}

function mib(bytes: number): number {
  return Math.round(bytes / 104_857.6) / 10
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMirror, type Mirror } from '@covey/mirror'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { createPeer, localNetwork, type Peer } from 'covey'
import { createPrng } from '../model/prng.js'

/** How many kills one room goes through. */
export const KILLS_PER_ROOM = 10
/** A process mostly starts: two at a time keep two cores busy. */
export const PARALLEL_ROOMS = 2

const SENDER = fileURLToPath(new URL('sender.ts', import.meta.url))
const MAX_TEXTS = 3
/** Longer than anything may take: what is not there by then is lost. */
const READ_TIMEOUT_MS = 60_000

/**
 * One device, killed `kills` times at the moment at which what it said is durable on a mirror. Then its folder is gone for
 * good, and somebody who slept all the while reads: nothing that was durable is missing.
 */
export async function proveDurability(seed: number, kills: number): Promise<void> {
  const random = createPrng(seed)
  const folder = await mkdtemp(join(tmpdir(), 'covey-durability-'))
  const network = await createLocalNetwork()
  let mirror = await startMirror(folder, network)
  try {
    const peer = (name: string): Promise<Peer> =>
      createPeer({ storage: join(folder, name), name, network: localNetwork(network.bootstrap), mirrors: [mirror.link] })
    const room = await meet(peer)
    const said: string[] = []
    for (let kill = 0; kill < kills; kill++) {
      const texts = Array.from({ length: 1 + random.below(MAX_TEXTS) }, (_, i) => `${kill}.${i}`)
      said.push(...(await live([join(folder, 'Alice'), network.bootstrap.map(({ host, port }) => `${host}:${port}`), [mirror.link], room, texts])))
      if (!random.chance(0.2)) continue
      await mirror.close()
      mirror = await startMirror(folder, network)
    }
    await rm(join(folder, 'Alice'), { recursive: true, force: true })
    await read(await peer('Bob'), room, said)
  } finally {
    await mirror.close()
    await network.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function startMirror(folder: string, network: LocalNetwork): Promise<Mirror> {
  return createMirror({ storage: join(folder, 'mirror'), network: localNetwork(network.bootstrap) })
}

/** Lets Bob into a room of Alice's; both sleep then. */
async function meet(peer: (name: string) => Promise<Peer>): Promise<string> {
  const [alice, bob] = [await peer('Alice'), await peer('Bob')]
  try {
    const room = await alice.rooms.create({ name: 'Tea' })
    const his = await bob.rooms.join(await room.createInvite())
    await Promise.all([room.durable(), his.durable()])
    return room.id
  } finally {
    await Promise.all([alice.close(), bob.close()])
  }
}

/** What was durable when the process was killed. */
async function live(given: readonly unknown[]): Promise<string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', SENDER, JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const texts: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => texts.push(bytes))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (signal !== 'SIGKILL') throw new Error(`The sender ended by itself, with ${code ?? signal}.`)
  return Buffer.concat(texts).toString().split('\n').filter(Boolean)
}

async function read(bob: Peer, room: string, said: readonly string[]): Promise<void> {
  const missing = new Set(said)
  try {
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS)
    for await (const { text } of bob.rooms.get(room)!.messages({ live: true, pending: false, signal })) {
      if (missing.delete(text) && missing.size === 0) return
    }
  } catch (error) {
    throw new Error(`Of ${said.length} that were durable, ${missing.size} are lost: ${[...missing].join(', ')}`, { cause: error })
  } finally {
    await bob.close()
  }
}

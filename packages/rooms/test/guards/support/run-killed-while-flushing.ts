// A member whose process is killed while it writes what it has applied, and what its folder says when it
// is opened again. The room is in a process of its own, which this one starts. Says what came of it as JSON.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { UpstreamAutobase } from '../../../src/internal/guards/autobase-internals.js'
import { say, World, type Base, type View } from './world.js'

const [mode, given] = process.argv.slice(2) as [string, string | undefined]
const folder = given ?? mkdtempSync(join(tmpdir(), 'covey-killed-'))
if (given === undefined) await watch()
else await beKilled()

/** Of this process alone: a folder is open in one at a time. */
function openWorld(): World {
  return new World(mode === 'guarded', 'binary', undefined, folder)
}

async function watch(): Promise<void> {
  const args = ['--import', 'tsx', '-C', '@covey/source', fileURLToPath(import.meta.url), mode, folder]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let key = ''
  child.stdout.on('data', (chunk) => (key += String(chunk)))
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  const world = openWorld()
  let failure: string | null = signal === 'SIGKILL' ? null : 'it was not killed'
  try {
    if (failure === null) failure = await compare(world, Buffer.from(key.trim(), 'hex'))
  } catch (error) {
    failure = (error as Error).message
  }
  const { frozen, errors, splits, proofs } = world
  console.log(JSON.stringify({ failure, frozen, errors, splits, proofs }))
  process.exit(0)
}

/** What the member's view has otherwise than the owner's, once both have all. */
async function compare(world: World, key: Uint8Array): Promise<string | null> {
  await world.reopen(key)
  await world.talk('again')
  const lines = await world.read(world.member)
  return new Set(lines).size === lines.length ? null : `a line is there twice: ${lines.join()}`
}

/** Ends with this process. */
async function beKilled(): Promise<void> {
  const world = openWorld()
  await world.open()
  console.log(Buffer.from(world.key).toString('hex'))
  world.disconnect()
  await say(world.owner, 'from the owner')
  killAtNextFlush(world.member)
  world.connect()
  await world.until('it is killed', async () => false)
}

/** Once something is on the disk of what was applied, and not yet all. */
function killAtNextFlush(base: Base): void {
  const { store } = (base as unknown as UpstreamAutobase<View>)._applyState!
  const flush = store.flush.bind(store)
  store.flush = async () => {
    await flush()
    process.kill(process.pid, 'SIGKILL')
  }
}

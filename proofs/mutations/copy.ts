import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The workspace again, whose rooms may be changed: all other packages are the same. */
export interface Copy {
  /** Changes a file of the rooms' `src`, and gives what undoes that. */
  change(file: string, from: string, to: string): Promise<() => Promise<void>>
  /** Runs a proof there; `true` if it holds. */
  holds(proof: string, count: number, seed: number): Promise<boolean>
  remove(): Promise<void>
}

export async function copyWorkspace(): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-mutations-'))
  for (const name of ['node_modules', 'tsconfig.json', 'tsconfig.base.json', 'package.json', 'scripts']) {
    await symlink(join(ROOT, name), join(folder, name))
  }
  await mkdir(join(folder, 'packages/rooms'), { recursive: true })
  for (const name of await readdir(join(ROOT, 'packages'))) {
    if (name !== 'rooms') await symlink(join(ROOT, 'packages', name), join(folder, 'packages', name))
  }
  for (const name of ['package.json', 'src', 'spec']) {
    await cp(join(ROOT, 'packages/rooms', name), join(folder, 'packages/rooms', name), { recursive: true })
  }
  await symlink(join(ROOT, 'packages/rooms/node_modules'), join(folder, 'packages/rooms/node_modules'))
  await cp(join(ROOT, 'proofs'), join(folder, 'proofs'), { recursive: true, filter: (path) => !path.endsWith('node_modules') })
  await writeFile(join(folder, 'run.ts'), RUN)

  return {
    async change(file, from, to) {
      const path = join(folder, 'packages/rooms/src', file)
      const text = await readFile(path, 'utf8')
      if (text.split(from).length !== 2) throw new Error(`Not once in ${file}: ${from}`)
      await writeFile(path, text.replace(from, () => to))
      return () => writeFile(path, text)
    },
    holds(proof, count, seed) {
      return new Promise((resolve) => {
        const args = ['--import', 'tsx', '-C', '@covey/source', 'run.ts', proof, `${count}`, `${seed}`]
        // A mutant may also never come to an end.
        const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore', timeout: TIMEOUT_MS })
        child.on('close', (code) => resolve(code === 0))
      })
    },
    remove: () => rm(folder, { recursive: true, force: true })
  }
}

const TIMEOUT_MS = 300_000

/** Stops at the first failure: one is enough. */
const RUN = `import { configure, failedRuns, proof } from './proofs/harness.js'
import { proveHistory } from './proofs/model/prove.js'
const [name, count, seed] = process.argv.slice(2)
configure({ seed })
let run = proveHistory
if (name === 'rooms') {
  const { createWorld } = await import('./proofs/rooms/world.js')
  const { proveRoom } = await import('./proofs/rooms/prove.js')
  const world = await createWorld()
  run = (seed) => proveRoom(seed, world)
}
await proof(name, { count: Number(count), run: async (seed) => {
  try { await run(seed) } catch (error) { console.log(error); process.exit(1) }
} })
process.exit(failedRuns() === 0 ? 0 : 1)
`

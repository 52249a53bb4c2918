import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The workspace again, whose rooms may be changed: all other packages are the same. */
export interface Copy {
  /** Changes a file of the rooms' `src`, and gives what undoes that. */
  change(file: string, from: string, to: string): Promise<() => Promise<void>>
  /** Runs a proof there, from the run number `from` on. The number of the first run that fails, if one does. */
  failure(proof: string, count: number, seed: number, from: number): Promise<number | undefined>
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
    failure(proof, count, seed, from) {
      return new Promise((resolve, reject) => {
        const args = ['--import', 'tsx', '-C', '@covey/source', 'run.ts', proof, `${count}`, `${seed}`, `${from}`]
        const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
        const stop = (): boolean => child.kill('SIGKILL')
        // A mutant may also never come to an end.
        let timer = setTimeout(stop, RUN_TIMEOUT_MS)
        let run: number | undefined
        createInterface(child.stdout).on('line', (line) => {
          if (!line.startsWith(RUN_BEGINS)) return
          run = Number(line.slice(RUN_BEGINS.length))
          clearTimeout(timer)
          timer = setTimeout(stop, RUN_TIMEOUT_MS)
        })
        child.on('close', (code) => {
          clearTimeout(timer)
          if (code === 0) resolve(undefined)
          else if (run === undefined) reject(new Error(`The proof '${proof}' does not begin.`))
          else resolve(run)
        })
      })
    },
    remove: () => rm(folder, { recursive: true, force: true })
  }
}

/** Longer than a run may take that ends well. */
const RUN_TIMEOUT_MS = 120_000
const RUN_BEGINS = 'run '

/** Stops at the first failure, and says before each run which it is. */
const RUN = `import { seedOf } from './proofs/harness.js'
const [name, count, seed, from] = process.argv.slice(2)
const { run } = await load()
for (let i = Number(from); i < Number(count); i++) {
  process.stdout.write('${RUN_BEGINS}' + i + '\\n')
  await run(seedOf(Number(seed), i))
}
process.exit(0)

async function load() {
  if (name === 'model') return { run: (await import('./proofs/model/prove.js')).proveHistory }
  const { createWorld } = await import('./proofs/rooms/world.js')
  const { proveRoom } = await import('./proofs/rooms/prove.js')
  const { proveScene } = await import('./proofs/rooms/scenes.js')
  const world = await createWorld()
  return { run: (seed) => name === 'rooms' ? proveRoom(seed, world) : proveScene(name, seed, world) }
}
`

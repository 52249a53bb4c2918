import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { mustRun } from './run-command.js'
import { publicPackages, ROOT, workspacePackages, type WorkspacePackage } from './workspace.js'

/** Twice the longest build seen on two cores, so that a waiting test fails with a reason and not by its own time-out. */
const LOCK_TIMEOUT_MS = 300_000
const LOCK_POLL_MS = 100

/** As many builds at once as the two cores that we count on. */
const CONCURRENT_BUILDS = 2

let running: Promise<void> | undefined

/**
 * Builds every public package whose `dist` is missing or older than what it is made of, and leaves
 * the others alone. Safe to call from several test files and processes at once: one builds, the
 * rest wait.
 *
 * Freshness is told by a hash of the sources, not by file times, which git does not keep.
 *
 * @throws {Error} with the output of the compiler when a package does not build.
 */
export async function ensureBuilt(): Promise<void> {
  running ??= build()
  try {
    await running
  } finally {
    running = undefined
  }
}

async function build(): Promise<void> {
  const state = join(ROOT, 'node_modules', '.cache', 'covey-build')
  await mkdir(state, { recursive: true })
  const release = await lock(join(state, 'lock'))
  try {
    const stale: { pkg: WorkspacePackage; stamp: string; stampFile: string }[] = []
    for (const pkg of publicPackages()) {
      const stamp = await stampOf(pkg)
      const stampFile = join(state, pkg.path.replaceAll('/', '-'))
      if (!(await isFresh(pkg, stamp, stampFile))) stale.push({ pkg, stamp, stampFile })
    }
    const buildNext = async (): Promise<void> => {
      for (let next = stale.shift(); next !== undefined; next = stale.shift()) {
        await rm(next.stampFile, { force: true })
        await mustRun(process.execPath, [tsupCommand()], { cwd: next.pkg.folder })
        await writeFile(next.stampFile, next.stamp)
      }
    }
    // All of them end before the lock is released, whatever one of them throws.
    const results = await Promise.allSettled(Array.from({ length: CONCURRENT_BUILDS }, buildNext))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  } finally {
    await release()
  }
}

function tsupCommand(): string {
  return join(dirname(createRequire(import.meta.url).resolve('tsup/package.json')), 'dist', 'cli-default.js')
}

/** A hash of everything that decides what the build writes: the declarations also read the sources of dependencies. */
async function stampOf(pkg: WorkspacePackage): Promise<string> {
  const hash = createHash('sha256')
  const inputs = ['tsconfig.base.json', 'scripts/tsup.ts', 'pnpm-lock.yaml'].map((file) => join(ROOT, file))
  for (const { folder } of [pkg, ...workspaceDependencies(pkg)]) {
    inputs.push(...(await filesBelow(folder)))
  }
  for (const file of inputs) {
    hash.update(relative(ROOT, file)).update('\0')
    hash.update(await readFile(file)).update('\0')
  }
  return hash.digest('hex')
}

function workspaceDependencies(pkg: WorkspacePackage): WorkspacePackage[] {
  const all = new Map(workspacePackages().map((each) => [each.manifest.name, each]))
  const found = new Set<WorkspacePackage>()
  const visit = (each: WorkspacePackage): void => {
    for (const name of Object.keys({ ...each.manifest.dependencies, ...each.manifest.devDependencies })) {
      const dependency = all.get(name)
      if (dependency === undefined || dependency === pkg || found.has(dependency)) continue
      found.add(dependency)
      visit(dependency)
    }
  }
  visit(pkg)
  return [...found]
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = []
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (['node_modules', 'dist', 'test'].includes(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) files.push(...(await filesBelow(path)))
    else if (entry.isFile()) files.push(path)
  }
  return files
}

async function isFresh(pkg: WorkspacePackage, stamp: string, stampFile: string): Promise<boolean> {
  if (!existsSync(join(pkg.folder, 'dist', 'index.js'))) return false
  if (!existsSync(join(pkg.folder, 'dist', 'index.d.ts'))) return false
  return existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp
}

/** A folder is the lock, for making one is atomic everywhere; the process id in it tells a lock that a killed process left. */
async function lock(path: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS
  for (;;) {
    try {
      await mkdir(path)
      await writeFile(join(path, 'pid'), String(process.pid))
      return () => rm(path, { recursive: true, force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isAbandoned(path)) await rm(path, { recursive: true, force: true })
    else if (Date.now() > deadline) throw new Error(`Another process has held ${path} for too long.`)
    else await delay(LOCK_POLL_MS)
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const holder = Number(await readFile(join(path, 'pid'), 'utf8'))
    if (holder === process.pid) return false
    if (holder > 0) {
      process.kill(holder, 0)
      return false
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return true
    if (code !== 'ENOENT') throw error
  }
  // Made, but its process id not written yet: give its maker a moment.
  const made = await stat(path).catch(() => undefined)
  return made !== undefined && Date.now() - made.mtimeMs > 5_000
}

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds pnpm-workspace.yaml. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

export interface Manifest {
  name: string
  version: string
  private?: boolean
  files?: string[]
  imports?: Record<string, unknown>
  exports?: Record<string, unknown>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

export interface WorkspacePackage {
  /** Absolute path of the folder. */
  folder: string
  /** Its path from the root, with forward slashes: `packages/core`. */
  path: string
  manifest: Manifest
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** Every folder of the workspace that has a package.json, `packages/*` first, in the order of their names. */
export function workspacePackages(root = ROOT): WorkspacePackage[] {
  const found: WorkspacePackage[] = []
  for (const parent of ['packages', 'examples']) {
    if (!existsSync(join(root, parent))) continue
    for (const name of readdirSync(join(root, parent)).sort()) add(`${parent}/${name}`)
  }
  add('bench')
  add('proofs')
  return found

  function add(path: string): void {
    const folder = join(root, path)
    if (!existsSync(join(folder, 'package.json'))) return
    found.push({ folder, path, manifest: readManifest(folder) })
  }
}

/**
 * Files below `folder` that git knows or would take up, as paths from `root` with forward slashes.
 * Outside a git work tree (a source archive) it is every file that is not installed or built.
 */
export function sourceFiles(folder: string, ends: readonly string[], root = ROOT): string[] {
  const git = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', folder], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024
  })
  const all = git.status === 0 ? git.stdout.split('\0').filter(Boolean) : filesBelow(join(root, folder), root)
  return all.filter((path) => ends.some((end) => path.endsWith(end)) && existsSync(join(root, path))).sort()
}

function filesBelow(folder: string, root: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return IGNORED.has(entry.name) ? [] : filesBelow(path, root)
    return entry.isFile() ? [relative(root, path).replaceAll('\\', '/')] : []
  })
}

const IGNORED = new Set(['node_modules', 'dist', 'coverage', '.git'])

/** The packages that are published to npm. */
export function publicPackages(root = ROOT): WorkspacePackage[] {
  return workspacePackages(root).filter(
    ({ path, manifest }) => path.startsWith('packages/') && manifest.private !== true
  )
}

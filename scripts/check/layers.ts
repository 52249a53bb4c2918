import { readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import { readManifest, ROOT, sourceFiles, workspacePackages, type Manifest, type WorkspacePackage } from '../workspace.js'

const BASE = ['@covey/core', '@covey/identity']
const PARTS = ['@covey/transport', '@covey/rooms', '@covey/files', '@covey/mirror', '@covey/payments']

/**
 * What each package may import of the others: imports go downward only. A package that is missing
 * here fails the check, so that a new one takes its place in the order on purpose.
 */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  '@covey/stack-types': [],
  '@covey/core': [],
  '@covey/identity': ['@covey/core'],
  '@covey/transport': BASE,
  '@covey/rooms': [...BASE, '@covey/transport'],
  '@covey/files': [...BASE, '@covey/transport'],
  '@covey/mirror': [...BASE, '@covey/transport'],
  '@covey/payments': BASE,
  covey: [...BASE, ...PARTS],
  '@covey/bot': [...BASE, ...PARTS, 'covey'],
  '@covey/testing': [...BASE, ...PARTS, 'covey']
}

/** Types of modules that have none, for our own compiler runs: nothing may need it where it is installed. */
const PRIVATE_TYPES = '@covey/stack-types'

const SOURCE_ENDS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']

/**
 * Holds the order of the packages, by the imports of every source file and by the dependencies of
 * every manifest, and that a package names what it imports.
 */
export function checkLayers(root = ROOT): string[] {
  const problems: string[] = []
  const rootManifest = readManifest(root)
  const packages = workspacePackages(root)
  const names = new Set(packages.map(({ manifest }) => manifest.name))
  for (const pkg of packages) {
    const { manifest, path } = pkg
    const published = path.startsWith('packages/')
    const below = published ? LAYERS[manifest.name] : Object.keys(LAYERS)
    if (below === undefined) {
      problems.push(`${path}/package.json: ${manifest.name} has no place in LAYERS (scripts/check/layers.ts)`)
      continue
    }
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (name === PRIVATE_TYPES && published) {
        problems.push(`${path}/package.json: ${name} is for devDependencies only`)
      } else if (names.has(name) && !below.includes(name)) {
        problems.push(`${path}/package.json: ${manifest.name} may not depend on ${name}`)
      }
    }
    for (const name of Object.keys(manifest.devDependencies ?? {})) {
      if (names.has(name) && !allowedInTests(name, manifest, below)) {
        problems.push(`${path}/package.json: the tests of ${manifest.name} may not depend on ${name}`)
      }
    }
    for (const [name, target] of importTargets(manifest)) {
      if (isOutside(target) && !(packageOf(target) in (manifest.dependencies ?? {}))) {
        problems.push(`${path}/package.json: imports ${name} leads to ${target}, which is not in dependencies`)
      }
    }
    for (const file of sourceFiles(path, SOURCE_ENDS, root)) {
      problems.push(...checkFile(file, pkg, below, names, rootManifest, root))
    }
  }
  return problems
}

function checkFile(
  file: string,
  pkg: WorkspacePackage,
  below: readonly string[],
  names: ReadonlySet<string>,
  rootManifest: Manifest,
  root: string
): string[] {
  const { manifest } = pkg
  const problems: string[] = []
  const text = readFileSync(join(root, file), 'utf8')
  // What is generated into spec/ is built into the package as its source is.
  const shipped = pkg.path.startsWith('packages/') && /^(src|spec)\//.test(file.slice(pkg.path.length + 1))
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  const forTests = { ...declared, ...manifest.devDependencies, ...rootManifest.devDependencies }
  for (const { fileName: specifier, pos } of ts.preProcessFile(text, true, true).importedFiles) {
    const problem = problemWith(specifier)
    if (problem === undefined) continue
    problems.push(`${file}:${text.slice(0, pos).split('\n').length}: '${specifier}' ${problem}`)
  }
  return problems

  function problemWith(specifier: string): string | undefined {
    if (specifier.startsWith('.')) {
      const target = relative(pkg.folder, resolve(dirname(join(root, file)), specifier)).replaceAll('\\', '/')
      if (target.startsWith('..')) {
        if (shipped) return `leaves ${pkg.path}: import the package by its name`
        // Proofs and benches look at what no app can see.
        if (pkg.path === 'proofs' || pkg.path === 'bench') return undefined
        const other = relative(root, resolve(pkg.folder, target)).replaceAll('\\', '/')
        return /^(packages|examples)\//.test(other) ? 'reaches into another package: import it by its name' : undefined
      }
      if (shipped && /^(test|dist)\//.test(target)) return 'is not part of the published source'
      return undefined
    }
    if (specifier.startsWith('#')) {
      return specifier in (manifest.imports ?? {}) ? undefined : `is not in the imports of ${pkg.path}/package.json`
    }
    if (!isOutside(specifier)) return undefined
    const name = packageOf(specifier)
    if (name === manifest.name) return shipped ? 'is this very package: import the file' : undefined
    if (name === PRIVATE_TYPES) return 'is never imported: tsconfig.base.json names it'
    if (names.has(name)) {
      const allowed = shipped ? below.includes(name) : allowedInTests(name, manifest, below)
      if (!allowed) return `is not below ${manifest.name} in the order of the packages`
    }
    if (shipped ? name in declared : name in forTests) return undefined
    return `is not in the ${shipped ? 'dependencies' : 'devDependencies'} of ${pkg.path}/package.json`
  }
}

/** Tests stand beside the package and not in its layer: they may use whole peers on a local network. */
function allowedInTests(name: string, manifest: Manifest, below: readonly string[]): boolean {
  return below.includes(name) || [manifest.name, PRIVATE_TYPES, '@covey/testing', 'covey'].includes(name)
}

function isOutside(specifier: string): boolean {
  if (/^(\.|#|node:)/.test(specifier)) return false
  return !builtinModules.includes(packageOf(specifier))
}

function packageOf(specifier: string): string {
  return specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

function importTargets(manifest: Manifest): [name: string, target: string][] {
  const targets = (value: unknown): string[] => {
    if (typeof value === 'string') return [value]
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(targets) : []
  }
  return Object.entries(manifest.imports ?? {}).flatMap(([name, value]) =>
    targets(value).map((target): [string, string] => [name, target])
  )
}

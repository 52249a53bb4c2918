import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import ts from 'typescript'
import { packPackages, type PackedPackage } from '../packed-packages.js'
import { mustRun, runCommand } from '../run-command.js'
import { readManifest, ROOT, type Manifest } from '../workspace.js'

/** Packs every public package and looks at what would be published. */
export async function checkPackaging(): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-pack-'))
  try {
    const problems: string[] = []
    for (const packed of await packPackages(folder)) {
      const found = [...(await checkTarball(packed, folder)), ...(await checkTypesResolve(packed.tarball))]
      problems.push(...found.map((problem) => `${packed.pkg.manifest.name}: ${problem}`))
    }
    return problems
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkTarball({ pkg, tarball }: PackedPackage, folder: string): Promise<string[]> {
  const unpacked = join(folder, 'unpacked', pkg.path)
  await mkdir(unpacked, { recursive: true })
  await mustRun('tar', ['-xzf', tarball, '-C', unpacked])
  const packageFolder = join(unpacked, 'package')
  const { messages, pkg: published } = await publint({ pkgDir: packageFolder, pack: false, strict: true })
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, published, { color: false }) ?? message.code}`),
    ...(await checkContents(packageFolder))
  ]
}

/** What an unpacked tarball must and must not hold. */
export async function checkContents(folder: string): Promise<string[]> {
  const manifest = readManifest(folder)
  const text = readFileSync(join(folder, 'package.json'), 'utf8')
  const problems: string[] = []
  for (const file of ['README.md', 'LICENSE']) {
    if (!existsSync(join(folder, file))) problems.push(`${file} is missing`)
  }
  for (const word of ['@covey/source', 'workspace:']) {
    if (text.includes(word)) problems.push(`package.json still says ${word}`)
  }
  if (manifest.private === true) problems.push('package.json is private')
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    // What is installed must be the set that was tested: the stack's own ranges resolve to sets that do not work.
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(range)) problems.push(`dependency ${name} is not one exact version: ${range}`)
  }
  for (const file of await filesBelow(folder)) {
    const path = relative(folder, file)
    if (/\.(test|example)\.|\.tsbuildinfo$|(^|\/)(test|src)\//.test(path)) problems.push(`${path} does not belong into the tarball`)
    if (/\.(js|d\.ts)$/.test(path)) problems.push(...checkImports(path, await readFile(file, 'utf8'), manifest))
  }
  return problems
}

function checkImports(path: string, text: string, manifest: Manifest): string[] {
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  return ts.preProcessFile(text, true, true).importedFiles.flatMap(({ fileName: specifier }) => {
    if (/^\.|^node:/.test(specifier)) return []
    if (specifier.startsWith('#')) {
      return specifier in (manifest.imports ?? {}) ? [] : [`${path} imports ${specifier}, which package.json does not map`]
    }
    const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
    return name in declared ? [] : [`${path} imports ${specifier}, which is not in dependencies`]
  })
}

async function checkTypesResolve(tarball: string): Promise<string[]> {
  const attw = join(ROOT, 'node_modules', '.bin', 'attw')
  const { code, output } = await runCommand(attw, [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'])
  return code === 0 ? [] : [`attw:\n${output.trim()}`]
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

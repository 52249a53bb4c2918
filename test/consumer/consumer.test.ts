import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packPackages } from '../../scripts/packed-packages.js'
import { mustRun, runCommand } from '../../scripts/run-command.js'
import { readManifest, ROOT } from '../../scripts/workspace.js'

/** A build of every package on a busy machine, and an install from the registry. */
const SETUP_TIMEOUT_MS = 400_000
const RUN_TIMEOUT_MS = 120_000

/** The set that works together. Overrides of this workspace do not travel, so the manifests must bring it about. */
const SINGLE_COPIES = { hypercore: '11.37.1', hyperdht: '6.32.0' }

/** Strict, and the declarations of every package are checked too: they may mention only what a consumer has. */
const TSCONFIG = {
  compilerOptions: {
    module: 'NodeNext',
    target: 'ES2022',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
    outDir: 'out'
  },
  files: ['program.ts']
}

describe('an app that installs the packed packages with npm', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'covey-consumer-'))
    const packed = await packPackages(join(folder, 'tarballs'))
    const { devDependencies = {} } = readManifest(ROOT)
    const manifest = {
      name: 'consumer',
      private: true,
      type: 'module',
      dependencies: Object.fromEntries(packed.map(({ pkg, tarball }) => [pkg.manifest.name, `file:${tarball}`])),
      devDependencies: {
        '@types/node': devDependencies['@types/node'],
        typescript: devDependencies['typescript']
      }
    }
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
    await copyFile(join(ROOT, 'test/consumer/program.ts'), join(folder, 'program.ts'))
    await mustRun('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, env: outsideEnvironment() })
  }, SETUP_TIMEOUT_MS)

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it.each(Object.entries(SINGLE_COPIES))('gets one copy of %s, at %s', async (name, version) => {
    expect(await installedVersions(join(folder, 'node_modules'), name)).toEqual([version])
  })

  it('gets nothing of our private types', async () => {
    expect(await installedVersions(join(folder, 'node_modules'), '@covey/stack-types')).toEqual([])
  })

  it(
    'compiles with strict settings, the declarations included',
    async () => {
      const { output } = await runCommand(tsc(folder), ['-p', '.', '--noEmit'], { cwd: folder })
      expect(output).toBe('')
    },
    RUN_TIMEOUT_MS
  )

  it(
    'makes a room on a local network, and a message arrives',
    async () => {
      await mustRun(tsc(folder), ['-p', '.', '--noCheck'], { cwd: folder })
      const { code, output } = await runCommand(process.execPath, ['out/program.js'], {
        cwd: folder,
        env: outsideEnvironment(),
        timeoutMs: RUN_TIMEOUT_MS
      })
      expect(output).toContain('received hello')
      expect(code).toBe(0)
    },
    RUN_TIMEOUT_MS + 10_000
  )
})

function tsc(folder: string): string {
  return join(folder, 'node_modules', '.bin', 'tsc')
}

/** Ours, without what pnpm and Vitest put there for their own children; the settings for the registry stay. */
function outsideEnvironment(): NodeJS.ProcessEnv {
  const foreign =
    /^(npm_(package|lifecycle)_|npm_(command|execpath)$|npm_config_(local_|global_)?prefix$|pnpm_|PNPM_|VITEST|NODE_(ENV|OPTIONS|PATH)$|TEST$)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}

/** The versions of every copy of a package in the tree, however deep. */
async function installedVersions(nodeModules: string, wanted: string): Promise<string[]> {
  const versions: string[] = []
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name)
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue
      if (entry.name.startsWith('@')) {
        await visit(path)
        continue
      }
      if (path.endsWith(join('node_modules', wanted))) versions.push(readManifest(path).version)
      await visit(join(path, 'node_modules'))
    }
  }
  await visit(nodeModules)
  return versions
}

import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../../scripts/run-command.js'
import { ROOT } from '../../scripts/workspace.js'
import { publicManifest, workspace } from './fixture.js'

const TSCONFIG = JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions: { types: [] }, include: ['src'] })

/** The compiler runs many times, on a machine that may be busy. */
const TIMEOUT_MS = 240_000

/** Packages that build for real; node_modules is a folder of links, for the state of the build lies in it. */
function packages(...names: ('core' | 'rooms')[]): string {
  const files: Record<string, string> = { 'pnpm-lock.yaml': '' }
  for (const name of names) {
    const dependencies = name === 'rooms' ? { '@covey/core': 'workspace:*' } : {}
    files[`packages/${name}/package.json`] = publicManifest(`@covey/${name}`, { dependencies })
    files[`packages/${name}/tsconfig.json`] = TSCONFIG
    files[`packages/${name}/tsup.config.ts`] = "import { library } from '../../scripts/tsup.js'\n\nexport default library()\n"
    files[`packages/${name}/src/index.ts`] = `export const ${name}: string = '${name}'\n`
  }
  const root = workspace(files, ['scripts', 'tsconfig.base.json'])
  mkdirSync(join(root, 'node_modules'))
  for (const entry of readdirSync(join(ROOT, 'node_modules'))) {
    if (!entry.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', entry), join(root, 'node_modules', entry))
  }
  return root
}

const build = (root: string): ReturnType<typeof runCommand> =>
  runCommand(process.execPath, ['--import', 'tsx', 'scripts/build.ts'], { cwd: root })

const builtAt = (root: string, name: string): number => statSync(join(root, 'packages', name, 'dist', 'index.js')).mtimeMs

describe('the build', { timeout: TIMEOUT_MS }, () => {
  it('builds what is missing, then what has changed and what depends on it, and nothing else', async () => {
    const root = packages('core', 'rooms')
    expect(await build(root)).toMatchObject({ code: 0 })
    expect(existsSync(join(root, 'packages/core/dist/index.d.ts'))).toBe(true)
    const first = { core: builtAt(root, 'core'), rooms: builtAt(root, 'rooms') }

    await build(root)
    expect({ core: builtAt(root, 'core'), rooms: builtAt(root, 'rooms') }).toEqual(first)

    writeFileSync(join(root, 'packages/rooms/src/index.ts'), "export const rooms = 'more'\n")
    await build(root)
    expect(builtAt(root, 'core')).toBe(first.core)
    expect(builtAt(root, 'rooms')).toBeGreaterThan(first.rooms)

    const second = builtAt(root, 'rooms')
    writeFileSync(join(root, 'packages/core/src/index.ts'), "export const core = 'more'\n")
    await build(root)
    expect(builtAt(root, 'core')).toBeGreaterThan(first.core)
    expect(builtAt(root, 'rooms')).toBeGreaterThan(second)

    rmSync(join(root, 'packages/rooms/dist'), { recursive: true })
    await build(root)
    expect(existsSync(join(root, 'packages/rooms/dist/index.js'))).toBe(true)
  })

  it('is done once when two processes want it', async () => {
    const root = packages('core')
    const results = await Promise.all([build(root), build(root)])
    expect(results.map(({ code, output }) => [code, output])).toEqual([[0, ''], [0, '']])
    const first = builtAt(root, 'core')
    await build(root)
    expect(builtAt(root, 'core')).toBe(first)
  })

  it('takes over from a process that was killed', async () => {
    const root = packages('core')
    const lock = join(root, 'node_modules/.cache/covey-build/lock')
    mkdirSync(lock, { recursive: true })
    // Beyond the highest process id of Linux and macOS.
    writeFileSync(join(lock, 'pid'), String(2 ** 30))
    expect(await build(root)).toMatchObject({ code: 0 })
    expect(existsSync(lock)).toBe(false)
  })

  it('fails with what the compiler says, and tries again the next time', async () => {
    const root = packages('core')
    writeFileSync(join(root, 'packages/core/src/index.ts'), "export const core: number = 'core'\n")
    for (let attempt = 0; attempt < 2; attempt++) {
      const { code, output } = await build(root)
      expect(output).toContain("Type 'string' is not assignable to type 'number'")
      expect(code).toBe(1)
    }
  })
})

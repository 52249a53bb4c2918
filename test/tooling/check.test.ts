import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkApi } from '../../scripts/check/api.js'
import { checkExamples } from '../../scripts/check/examples.js'
import { checkContents } from '../../scripts/check/packaging.js'
import { checkSize } from '../../scripts/check/size.js'
import { checkTypes } from '../../scripts/check/types.js'
import { runCommand } from '../../scripts/run-command.js'
import { ROOT } from '../../scripts/workspace.js'
import { installedWorkspace, manifest, publicManifest, workspace } from './fixture.js'

describe('check', () => {
  const check = (...args: string[]): ReturnType<typeof runCommand> =>
    runCommand(process.execPath, ['--import', 'tsx', 'scripts/check.ts', ...args], { cwd: ROOT })

  it('runs the one step that it is asked for', async () => {
    const { code, stdout } = await check('size')
    expect(stdout).toMatch(/^[✓✗] size +\d+\.\d s$/m)
    expect(stdout).not.toContain('lint')
    expect(code).toBe(stdout.includes('✓') ? 0 : 1)
  })

  it('names the steps when it knows none of that name', async () => {
    const { code, output } = await check('lnit')
    expect(output).toContain('There is no step lnit. The steps: lint, layers, size, types,')
    expect(code).toBe(2)
  })

  it('fails with the problems of a step that fails', async () => {
    const long = 'export {}\n'.repeat(401)
    const root = installedWorkspace({ 'packages/core/package.json': publicManifest('@covey/core'), 'packages/core/src/a.ts': long }, ['scripts'])
    const { code, output } = await runCommand(process.execPath, ['--import', 'tsx', 'scripts/check.ts', 'size', 'layers'], { cwd: root })
    expect(output).toMatch(/✗ size .*\n +packages\/core\/src\/a\.ts: 401 lines, at most 400/)
    expect(output).toContain('✓ layers')
    expect(output).toContain('1 of 2 steps failed: size.')
    expect(code).toBe(1)
  })
})

it('a source file of 401 lines is refused, generated and test files are not', () => {
  const long = 'export {}\n'.repeat(401)
  const files = { 'packages/core/src/spec/a.ts': long, 'packages/core/test/a.ts': long, 'packages/core/src/b.ts': 'export {}\n'.repeat(400) }
  expect(checkSize(workspace(files))).toEqual([])
  expect(checkSize(workspace({ ...files, 'packages/core/src/c.ts': long }))).toEqual(['packages/core/src/c.ts: 401 lines, at most 400'])
})

it('a type error is refused in packages and scripts, and a file that no project includes', () => {
  const files = {
    'packages/core/package.json': publicManifest('@covey/core'),
    'packages/core/tsconfig.json': JSON.stringify({ extends: '../../tsconfig.base.json', include: ['src'] }),
    'packages/core/src/index.ts': 'export const seats: number = 4\n',
    'scripts/a.ts': 'export const seats: number = 4\n'
  }
  const copied = ['tsconfig.json', 'tsconfig.base.json']
  expect(checkTypes(installedWorkspace(files, copied))).toEqual([])
  const wrong = {
    'packages/core/src/index.ts': "export const seats: number = 'four'\n",
    'scripts/a.ts': "export const seats: number = 'four'\n",
    'packages/core/tools/a.ts': 'export {}\n'
  }
  const problems = checkTypes(installedWorkspace({ ...files, ...wrong }, copied))
  expect(problems).toHaveLength(3)
  expect(problems.join('\n')).toMatch(/packages\/core\/src\/index\.ts:1:14: Type 'string'/)
  expect(problems.join('\n')).toMatch(/scripts\/a\.ts:1:14: Type 'string'/)
  expect(problems).toContain('packages/core/tools/a.ts: no tsconfig.json includes it')
})

describe('the API reference', () => {
  const api = (source: string): Promise<string[]> => {
    const files = { 'packages/core/package.json': publicManifest('@covey/core'), 'packages/core/src/index.ts': source }
    return checkApi(installedWorkspace(files, ['tsconfig.base.json', 'tsconfig.api.json']))
  }

  it('is built from documented exports', async () => {
    expect(await api('/** How many may sit. */\nexport const seats = 4\n')).toEqual([])
  })

  it('refuses an export, and a member of one, without documentation', async () => {
    expect(await api('export const seats = 4\n')).toEqual([expect.stringContaining('seats')])
    expect(await api('/** A row. */\nexport interface Row {\n  seats: number\n}\n')).toEqual([expect.stringContaining('Row.seats')])
  })

  it('refuses a link to nothing', async () => {
    expect(await api('/** See {@link Rows}. */\nexport const seats = 4\n')).toEqual([expect.stringContaining('Rows')])
  })
})

describe('a tarball', () => {
  const good = {
    'package.json': publicManifest('@covey/core', { exports: { '.': './dist/index.js' }, dependencies: { z32: '1.1.0' } }),
    'README.md': '# Core\n',
    LICENSE: 'Apache',
    'dist/index.js': "import z32 from 'z32'\nexport { z32 }\n",
    'dist/index.d.ts': 'export declare const z32: unknown\n'
  }

  it('that is complete is accepted', async () => {
    expect(await checkContents(workspace(good))).toEqual([])
  })

  it.each(['README.md', 'LICENSE'] as const)('without %s is refused', async (file) => {
    const root = workspace(good)
    rmSync(join(root, file))
    expect(await checkContents(root)).toEqual([`${file} is missing`])
  })

  it.each(['^1.1.0', '~1.1.0', '1.x', '*', 'latest', 'workspace:*', '>=1.0.0'])('with the dependency range %s is refused', async (range) => {
    const problems = await checkContents(workspace({ ...good, 'package.json': manifest('@covey/core', { dependencies: { z32: range } }) }))
    expect(problems).toContain(`dependency z32 is not one exact version: ${range}`)
  })

  it('that leads to our sources is refused', async () => {
    const problems = await checkContents(workspace({ ...good, 'package.json': publicManifest('@covey/core', { dependencies: { z32: '1.1.0' } }) }))
    expect(problems).toEqual(['package.json still says @covey/source'])
  })

  it('that holds tests, or imports what it does not name, is refused', async () => {
    const problems = await checkContents(workspace({
      ...good,
      'dist/index.d.ts': "import type { Core } from 'hypercore'\nexport type A = Core | import('#fs').B\n",
      'test/a.test.js': ''
    }))
    expect(problems.sort()).toEqual([
      'dist/index.d.ts imports #fs, which package.json does not map',
      'dist/index.d.ts imports hypercore, which is not in dependencies',
      'test/a.test.js does not belong into the tarball'
    ])
  })
})

describe('an example', () => {
  const example = (scripts: Record<string, string>, more: Record<string, string> = {}): Promise<string[]> =>
    checkExamples(workspace({
      'examples/tea/package.json': manifest('example-tea', { private: true, scripts }),
      'examples/tea/README.md': '# Tea\n',
      ...more
    }))

  it('whose smoke script ends well is accepted', async () => {
    expect(await example({ smoke: 'node --version' })).toEqual([])
  })

  it('whose smoke script fails is refused, with what it printed', async () => {
    const problems = await example({ smoke: 'node -e "console.log(40 + 2); process.exit(3)"' })
    expect(problems).toEqual([expect.stringMatching(/^examples\/tea: its smoke script ended with code \d+\n[^]*42/)])
  })

  it('that nothing runs is refused', async () => {
    expect(await example({})).toEqual(['examples/tea: nothing runs it: give it a smoke script, or tests in test/'])
    expect(await example({}, { 'examples/tea/test/a.test.ts': 'export {}\n' })).toEqual([])
  })
})

it('unused files, exports and dependencies are refused', async () => {
  const root = installedWorkspace(
    {
      'package.json': manifest('fixture', { private: true }),
      'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
      'packages/core/package.json': publicManifest('@covey/core', { dependencies: { tsx: '1.0.0' } }),
      'packages/core/src/index.ts': "export { one } from './one.js'\n",
      'packages/core/src/one.ts': 'export const one = 1\nexport const two = 2\n',
      'packages/core/src/three.ts': 'export const three = 3\n'
    },
    ['knip.jsonc', 'tsconfig.base.json']
  )
  mkdirSync(join(root, 'scripts'))
  writeFileSync(join(root, 'scripts', 'a.ts'), 'export {}\n')
  const { checkUnused } = await import('../../scripts/check/unused.js')
  const output = (await checkUnused(root)).join('\n')
  expect(output).toMatch(/Unused files[^]*packages\/core\/src\/three\.ts/)
  expect(output).toMatch(/Unused exports[^]*two/)
  expect(output).toMatch(/Unused dependencies[^]*tsx/)
})

import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pnpmCommand, runCommand } from '../../scripts/run-command.js'
import { readManifest, ROOT, workspacePackages } from '../../scripts/workspace.js'
import { installedWorkspace, manifest, workspace } from './fixture.js'

const pnpm = pnpmCommand()
const runPnpm = (cwd: string, ...args: string[]): ReturnType<typeof runCommand> =>
  runCommand(pnpm.command, [...pnpm.args, ...args], { cwd, timeoutMs: 60_000 })

describe('with a lockfile that does not fit the manifests', () => {
  const broken = (): string => {
    const root = workspace({}, ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', 'scripts'])
    for (const { path } of workspacePackages()) cpSync(join(ROOT, path, 'package.json'), join(root, path, 'package.json'))
    const { devDependencies, ...rest } = readManifest(ROOT)
    writeFileSync(join(root, 'package.json'), JSON.stringify({ ...rest, devDependencies: { ...devDependencies, vitest: '4.1.11' } }))
    return root
  }

  it.each(['test', 'demo', 'build', 'check', 'bench', 'proof'])('pnpm %s fails, and mends nothing', async (script) => {
    const root = broken()
    const lockfile = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')
    const { code, output } = await runPnpm(root, 'run', script)
    expect(output).toContain('ERR_PNPM_OUTDATED_LOCKFILE')
    expect(code).not.toBe(0)
    expect(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8')).toBe(lockfile)
    expect(existsSync(join(root, 'node_modules', 'vitest'))).toBe(false)
  })
})

describe('the totals of a test run', () => {
  const TEST = `
import { describe, expect, it } from 'vitest'
it('passes', () => expect(1).toBe(1))
it('has no network', ({ skip }) => skip('no network here'))
it.skip('is off', () => {})
describe('inner', () => { it('fails', () => expect(1).toBe(2)) })
`

  it('count what ran, and say why the rest did not', async () => {
    const root = installedWorkspace({ 'a.test.ts': TEST, 'b.test.ts': "import './gone.js'\n" }, ['scripts'])
    const args = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=./scripts/totals-reporter.ts']
    const { code } = await runCommand(process.execPath, args, { cwd: root, env: { ...process.env, TEST_TOTALS: join(root, 'totals.json') } })
    expect(code).toBe(1)
    expect(JSON.parse(readFileSync(join(root, 'totals.json'), 'utf8'))).toEqual({
      passed: 1,
      failed: 2,
      skipped: 2,
      skips: ['a.test.ts > has no network: no network here', 'a.test.ts > is off: no reason given']
    })
  })
})

describe('.ci/run', () => {
  const TOTALS = { passed: 3, failed: 0, skipped: 0, skips: [] as string[] }

  /** A workspace whose scripts only do as the steps of ours would, so that what is tested is how they are summed. */
  async function ci(scripts: Record<string, string> = {}, totals: object = TOTALS): Promise<{ code: number; output: string; last: string }> {
    const all = { build: 'node --version', check: 'node --version', test: 'node test.mjs', demo: 'node -p 6*7', ...scripts }
    const root = workspace(
      {
        'package.json': manifest('fixture', { scripts: all }),
        'pnpm-lock.yaml': "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n",
        'examples/demo/src/main.ts': '',
        'test.mjs': `import { writeFileSync } from 'node:fs'\nwriteFileSync(process.env.TEST_TOTALS, '${JSON.stringify(totals)}')\n`,
        // In place of the real one, which asks the registry each time: the pnpm that runs us already.
        'bin/npx': `#!/bin/sh\n[ "$1 $2" = "-y pnpm@12" ] || exit 9\nshift 2\nexec ${[pnpm.command, ...pnpm.args].join(' ')} "$@"\n`
      },
      ['.ci']
    )
    chmodSync(join(root, 'bin/npx'), 0o755)
    const path = pnpm.command === 'npx' ? '' : `${join(root, 'bin')}:`
    const env = { ...process.env, PATH: path + (process.env['PATH'] ?? '') }
    const { code, output, stdout } = await runCommand(join(root, '.ci', 'run'), [], { env, timeoutMs: 60_000 })
    return { code, output, last: stdout.trimEnd().split('\n').at(-1) ?? '' }
  }

  it('ends with the sum', async () => {
    const { code, output, last } = await ci()
    expect(last).toBe('3 passed, 0 failed')
    expect(output).toContain('42')
    expect(code).toBe(0)
  })

  it('fails for failed tests', async () => {
    const { code, last } = await ci({}, { ...TOTALS, failed: 2 })
    expect(last).toBe('3 passed, 2 failed')
    expect(code).toBe(1)
  })

  it('prints why tests were skipped', async () => {
    const { code, output, last } = await ci({}, { ...TOTALS, skipped: 1, skips: ['a.test.ts > b: no network here'] })
    expect(output).toContain('a.test.ts > b: no network here')
    expect(last).toBe('3 passed, 0 failed, 1 skipped')
    expect(code).toBe(0)
  })

  it.each(['check', 'demo'])('fails, and runs the tests all the same, when %s fails', async (step) => {
    const { code, output, last } = await ci({ [step]: 'exit 1' })
    expect(output).toContain(`== ${step}: FAILED`)
    expect(last).toBe('3 passed, 1 failed')
    expect(code).toBe(1)
  })

  it('stops when the build fails', async () => {
    const { code, output, last } = await ci({ build: 'exit 1' })
    expect(output).toContain('== build: FAILED')
    expect(last).toBe('0 passed, 1 failed')
    expect(code).toBe(1)
  })

  it('fails when the tests wrote no results, or failed with none to show', async () => {
    expect(await ci({ test: 'exit 1' })).toMatchObject({ code: 1, last: '0 passed, 1 failed' })
    expect(await ci({ test: 'node --import ./test.mjs gone.mjs' })).toMatchObject({ code: 1, last: '3 passed, 1 failed' })
  })
})

import { describe, expect, it } from 'vitest'
import { checkLint } from '../../scripts/check/lint.js'
import { workspace } from './fixture.js'

const TSCONFIG = JSON.stringify({
  compilerOptions: { target: 'ES2023', lib: ['ES2023', 'DOM'], module: 'ESNext', moduleResolution: 'Bundler', strict: true, types: [] }
})

async function lint(path: string, code: string): Promise<string> {
  const root = workspace({ 'tsconfig.json': TSCONFIG, [path]: code }, ['.oxlintrc.json'])
  return (await checkLint(root)).join('\n')
}

describe('in the source of a library', () => {
  const file = 'packages/rooms/src/room.ts'

  it.each([
    ['no-explicit-any', 'export const seats: any = 1'],
    ['no-empty', 'export function open(work: () => void): void { try { work() } catch {} }'],
    ['no-console', "export function open(): void { console.log('open') }"],
    ['no-default-export', 'const seats = 1\nexport default seats'],
    ['no-restricted-globals', 'export const bytes = Buffer'],
    ['no-restricted-globals', 'export const platform = process'],
    ['no-restricted-globals', 'export const title = window'],
    ['no-restricted-globals', 'export const title = document'],
    ['no-restricted-imports', "import { join } from 'node:path'\nexport const path = join('a', 'b')"],
    ['no-restricted-imports', "import { join } from 'path'\nexport const path = join('a', 'b')"],
    ['no-restricted-imports', "export { readFile } from 'fs/promises'"],
    ['no-restricted-imports', "export const os = import('node:os')"],
    ['no-floating-promises', 'declare function save(): Promise<void>\nexport function close(): void { save() }'],
    ['no-misused-promises', 'export function each(ids: string[]): void { ids.forEach(async (id) => { await Promise.resolve(id) }) }'],
    ['await-thenable', 'declare const seats: number\nexport async function count(): Promise<number> { return await seats }'],
    ['consistent-type-imports', "import { Seat } from './seat.js'\nexport type Row = Seat[]"],
    ['explicit-module-boundary-types', 'export function count() { return 1 }'],
    ['eqeqeq', 'export const same = (a: unknown, b: unknown): boolean => a == b']
  ])('%s refuses %s', async (rule, code) => {
    expect(await lint(file, code)).toContain(rule)
  })

  it('accepts what follows the rules', async () => {
    const code = `import { readFile } from '#fs'
/** Reads it. */
export async function read(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch {
    // Not there: a first run.
    return undefined
  }
}
`
    expect(await lint(file, code)).toBe('')
  })

  it('accepts a console statement that says why it is there, and no needless excuse', async () => {
    const excuse = '// oxlint-disable-next-line no-console -- nobody listens: the last resort\n'
    expect(await lint(file, `export function open(): void {\n  ${excuse}  console.error('open')\n}\n`)).toBe('')
    expect(await lint(file, `${excuse}export const seats = 1\n`)).toContain('Unused')
  })
})

it.each(['core', 'identity', 'transport', 'rooms', 'files', 'payments', 'covey'])('%s is held to what runs on Bare', async (name) => {
  const code = "import { join } from 'node:path'\nexport const path = join(process.argv[0] ?? '', 'b')"
  const output = await lint(`packages/${name}/src/path.ts`, code)
  expect(output).toContain('no-restricted-imports')
  expect(output).toContain('no-restricted-globals')
})

it.each(['scripts/a.ts', 'examples/demo/src/main.ts', 'bench/a.ts', 'packages/rooms/test/a.ts', 'packages/rooms/tsup.config.ts'])(
  '%s may use Node and print',
  async (path) => {
    expect(await lint(path, "import { join } from 'node:path'\nconsole.log(join('a', 'b'), process.argv)\n")).toBe('')
  }
)

it('a service may use Node, and prints nothing either', async () => {
  const file = 'packages/mirror/src/service.ts'
  expect(await lint(file, "import { join } from 'node:path'\nexport const path = join('a', 'b')\n")).toBe('')
  expect(await lint(file, 'console.log(1)\n')).toContain('no-console')
})

it('a focused test is refused', async () => {
  const code = "import { expect, it } from 'vitest'\nit.only('adds', () => { expect(1 + 1).toBe(2) })\n"
  expect(await lint('packages/rooms/test/room.test.ts', code)).toContain('no-focused-tests')
})

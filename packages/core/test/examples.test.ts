import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = readdirSync(join(root, 'src')).filter((name) => name.endsWith('.ts')).map((name) => join(root, 'src', name))

/** Every code block marked `ts`, by a name that says where it stands. */
const examples = [join(root, 'README.md'), ...sources].flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^( \* | {3}\* )?```ts\n(.*?)^( \* | {3}\* )?```$/gms)].map(([, , block], index) => ({
    name: `${basename(file)} ${index + 1}`,
    code: block!.replace(/^ +\* ?/gm, '')
  }))
)

// Inside the package, so that it resolves its own name.
let folder: string
let files: string[]
beforeAll(() => {
  folder = mkdtempSync(join(root, 'test', '.examples-'))
  files = examples.map(({ code }, index) => {
    const file = join(folder, `${index}.ts`)
    writeFileSync(file, `${code}\nexport {}\n`)
    return file
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the examples of the documentation', () => {
  it('compile', () => {
    const config = ts.readConfigFile(join(root, '../../tsconfig.base.json'), ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
    const program = ts.createProgram(files, options)
    const problems = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
      const index = files.indexOf(diagnostic.file?.fileName ?? '')
      return `${examples[index]?.name ?? diagnostic.file?.fileName}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`
    })
    expect(problems).toEqual([])
  })

  it('run', () => {
    const main = join(folder, 'all.ts')
    writeFileSync(main, files.map((file) => `await import('./${basename(file)}')`).join('\n'))
    const node = ['--import', 'tsx', '--conditions', '@covey/source', relative(root, main)]
    const { status, stdout, stderr } = spawnSync(process.execPath, node, { cwd: root, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('The link is cut short: 3 characters are missing at the end.')
  })

  it('exist for every function and class', () => {
    const lacking = sources.flatMap((file) => {
      const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
      return source.statements.filter(isPublic).filter((node) => !docOf(node, source).includes('@example')).map((node) => node.name?.text)
    })
    expect(lacking).toEqual([])
  })
})

const exported = new Set(readFileSync(join(root, 'src/index.ts'), 'utf8').match(/\w+/g))

function isPublic(node: ts.Statement): node is ts.FunctionDeclaration | ts.ClassDeclaration {
  return (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && exported.has(node.name?.text ?? '')
}

function docOf(node: ts.Node, source: ts.SourceFile): string {
  return node.getFullText(source).slice(0, node.getStart(source) - node.getFullStart())
}

import { describe, expect, it } from 'vitest'
import { blocksOfDocstrings, blocksOfMarkdown } from '../../scripts/check/code-blocks.js'
import { checkDocs } from '../../scripts/check/docs.js'
import { installedWorkspace, publicManifest } from './fixture.js'

const PACKAGE = {
  'packages/core/package.json': publicManifest('@covey/core'),
  'packages/core/src/index.ts': 'export const seats: number = 4\n'
}

function docs(files: Record<string, string>): string[] {
  return checkDocs(installedWorkspace({ ...PACKAGE, ...files }, ['tsconfig.base.json']))
}

const fenced = (code: string, mark = ''): string => `# Title\n\n\`\`\`ts${mark}\n${code}\n\`\`\`\n`

describe('code blocks', () => {
  it('compile, each alone, with await at the top', () => {
    const twice = fenced("import { seats } from '@covey/core'\nconst free: number = await Promise.resolve(seats)\nconsole.log(free)")
    expect(docs({ 'README.md': twice + twice })).toEqual([])
  })

  it('that do not compile are refused, at their line', () => {
    const wrong = fenced("import { seats } from '@covey/core'\nconst name: string = seats")
    expect(docs({ 'README.md': wrong })).toEqual([expect.stringMatching(/^README\.md:5:7: Type 'number' is not assignable/)])
    expect(docs({ 'docs/guides/a.md': wrong })).toEqual([expect.stringMatching(/^docs\/guides\/a\.md:5:7: /)])
    expect(docs({ 'packages/core/README.md': wrong })).toEqual([expect.stringMatching(/^packages\/core\/README\.md:5:7: /)])
  })

  it('see what a package exports, and nothing else of it', () => {
    expect(docs({ 'README.md': fenced("import { rows } from '@covey/core'\nconsole.log(rows)") })).toHaveLength(1)
    expect(docs({ 'README.md': fenced("import { seats } from '@covey/core/src/index.js'\nconsole.log(seats)") })).toHaveLength(1)
  })

  it('in docstrings are compiled too, and found at their line', () => {
    const source = "\n/**\n * Rows.\n *\n * @example\n * ```ts\n * const rows: string = 4\n * ```\n */\nexport const rows = 4\n"
    expect(docs({ 'packages/core/src/rows.ts': source })).toEqual([expect.stringMatching(/^packages\/core\/src\/rows\.ts:7:10: Type 'number'/)])
  })

  it('are what an @example in a docstring has', () => {
    const source = '/**\n * Rows.\n *\n * @example\n * rows()\n *\n * @see `docs`\n *\n * ```ts\n * rows()\n * ```\n */\nexport declare function rows(): void\n'
    expect(docs({ 'packages/core/src/rows.ts': source })).toContain('packages/core/src/rows.ts:4: @example has no ```ts block')
    expect(docs({ 'packages/core/src/rows.ts': '/**\n * @example A row\n * ```ts\n * export {}\n * ```\n */\nexport const row = 1\n' })).toEqual([])
  })

  it('are left unchecked only for a reason', () => {
    expect(docs({ 'README.md': fenced('not code', ' no-check: the shape of a message, not a program') })).toEqual([])
    expect(docs({ 'README.md': fenced('not code', ' no-check') })).toEqual(['README.md:3: no-check needs a reason behind it'])
  })

  it('are found in lists and quotes, and not where a fence is only shown', () => {
    const found = blocksOfMarkdown('a.md', '- one\n\n  ```ts\n  const a = 1\n  ```\n\n> ```typescript\n> const b = 2\n> ```\n\n````md\n```ts\nconst c = 3\n```\n````\n\n```js\nd\n```\n')
    expect(found.map(({ line, code }) => [line, code.trim()])).toEqual([
      [4, 'const a = 1'],
      [8, 'const b = 2']
    ])
  })

  it('are found in the docstrings of members and of the file', () => {
    const source = '/**\n * ```ts\n * one()\n * ```\n */\n\n/** Two. */\nexport interface Two {\n  /**\n   * ```ts\n   * three()\n   * ```\n   */\n  three(): void\n}\n'
    expect(blocksOfDocstrings('a.ts', source).map(({ line, code }) => [line, code.trim()])).toEqual([
      [3, 'one()'],
      [11, 'three()']
    ])
  })
})

describe('links', () => {
  it('that lead nowhere are refused', () => {
    expect(docs({ 'README.md': 'See [the guide](docs/guide.md).\n' })).toEqual(['README.md:1: docs/guide.md leads to docs/guide.md, which does not exist'])
    expect(docs({ 'README.md': 'See [it][1].\n\n[1]: ./gone.png\n' })).toHaveLength(1)
    expect(docs({ 'README.md': '[up](../secrets.md)\n' })).toEqual(['README.md:1: ../secrets.md leaves the repository'])
  })

  it('that lead to no heading are refused', () => {
    const guide = '# Guide\n\n## Who may: do what?\n\n## Again\n\n## Again\n'
    const page = (anchor: string): Record<string, string> => ({ 'docs/guide.md': guide, 'README.md': `[a](docs/guide.md#${anchor})\n` })
    expect(docs(page('who-may-do-what'))).toEqual([])
    expect(docs(page('again-1'))).toEqual([])
    expect(docs(page('nobody'))).toEqual(['README.md:1: docs/guide.md#nobody finds no heading #nobody in docs/guide.md'])
  })

  it('to the web, and those in code, are left alone', () => {
    expect(docs({ 'README.md': '[a](https://example.com/x) `[b](gone.md)`\n\n```md\n[c](gone.md)\n```\n' })).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { checkLayers, LAYERS } from '../../scripts/check/layers.js'
import { manifest, workspace } from './fixture.js'

type Dependencies = Record<string, string>

/** A workspace in which every package of the order names all others, so that only the order is at fault. */
function layers(files: Record<string, string>, manifests: Record<string, string> = {}): string[] {
  const all: Record<string, string> = {}
  for (const [name, below] of Object.entries(LAYERS)) {
    const dependencies: Dependencies = Object.fromEntries(below.map((each) => [each, 'workspace:*']))
    all[`${folderOf(name)}/package.json`] = manifest(name, { dependencies })
  }
  all['examples/demo/package.json'] = manifest('example-demo', { dependencies: { covey: 'workspace:*' } })
  return checkLayers(workspace({ ...all, ...manifests, ...files }))
}

function folderOf(name: string): string {
  return `packages/${name.replace('@covey/', '')}`
}

it('a workspace in order has no problems', () => {
  expect(layers({})).toEqual([])
})

describe('an import against the order', () => {
  const pairs: [string, string][] = [
    ['@covey/core', '@covey/identity'],
    ['@covey/core', '@covey/rooms'],
    ['@covey/identity', '@covey/transport'],
    ['@covey/transport', '@covey/rooms'],
    ['@covey/rooms', '@covey/files'],
    ['@covey/files', '@covey/rooms'],
    ['@covey/mirror', '@covey/rooms'],
    ['@covey/payments', '@covey/transport'],
    ['@covey/payments', '@covey/rooms'],
    ['@covey/rooms', '@covey/payments'],
    ['@covey/rooms', 'covey'],
    ['covey', '@covey/testing']
  ]

  it.each(pairs)('%s does not import %s', (from, to) => {
    const file = `${folderOf(from)}/src/index.ts`
    expect(layers({ [file]: `import { x } from '${to}'\nexport { x }\n` }).join('\n')).toContain(`${file}:1: '${to}' is not below ${from}`)
  })

  it.each(pairs)('%s does not depend on %s', (from, to) => {
    const path = `${folderOf(from)}/package.json`
    const problems = layers({}, { [path]: manifest(from, { dependencies: { [to]: 'workspace:*' } }) })
    expect(problems).toEqual([`${path}: ${from} may not depend on ${to}`])
  })

  it.each(['import type { X }', 'export { x }', 'export *', 'import x, { y }'])('is found in the form %s … from', (form) => {
    expect(layers({ 'packages/core/src/a.ts': `\n\n${form} from '@covey/rooms'\n` })).toEqual([
      "packages/core/src/a.ts:3: '@covey/rooms' is not below @covey/core in the order of the packages"
    ])
  })

  it('is found in a dynamic import, in a type and in an entry below the package', () => {
    expect(layers({ 'packages/core/src/a.ts': "export const a = import('@covey/rooms')\n" })).toHaveLength(1)
    expect(layers({ 'packages/core/src/a.ts': "export type A = import('@covey/rooms').Room\n" })).toHaveLength(1)
    expect(layers({ 'packages/core/src/a.ts': "import '@covey/rooms/internal'\n" })).toHaveLength(1)
  })

  it('is found in tests, which may use the local network but not the package above', () => {
    expect(layers({ 'packages/rooms/test/a.test.ts': "import 'covey'\n" })).toHaveLength(1)
    const withTesting = manifest('@covey/rooms', { devDependencies: { '@covey/testing': 'workspace:*' } })
    const files = { 'packages/rooms/test/a.test.ts': "import '@covey/testing'\n" }
    expect(layers(files, { 'packages/rooms/package.json': withTesting })).toEqual([])
  })
})

describe('a path in place of a name', () => {
  it('may not lead into another package', () => {
    expect(layers({ 'packages/rooms/src/a.ts': "import '../../core/src/index.js'\n" })).toEqual([
      "packages/rooms/src/a.ts:1: '../../core/src/index.js' leaves packages/rooms: import the package by its name"
    ])
    expect(layers({ 'packages/rooms/test/a.test.ts': "import '../../core/src/index.js'\n" })).toHaveLength(1)
    expect(layers({ 'examples/demo/src/main.ts': "import '../../../packages/covey/src/index.js'\n" })).toHaveLength(1)
  })

  it('may not lead from the source to the tests', () => {
    expect(layers({ 'packages/rooms/src/a.ts': "import '../test/fixture.js'\n" })).toHaveLength(1)
  })

  it('may lead anywhere in its own package, and from tests to shared scripts', () => {
    expect(layers({ 'packages/rooms/src/a.ts': "import '../spec/schema.js'\nimport './b.js'\n" })).toEqual([])
    expect(layers({ 'packages/rooms/test/a.test.ts': "import '../../../scripts/built-packages.js'\n" })).toEqual([])
  })
})

describe('what a package imports', () => {
  it('is named in its dependencies', () => {
    expect(layers({ 'packages/rooms/src/a.ts': "import 'autobase'\n" })).toEqual([
      "packages/rooms/src/a.ts:1: 'autobase' is not in the dependencies of packages/rooms/package.json"
    ])
    const onlyDev = manifest('@covey/rooms', { devDependencies: { autobase: '7.28.1' } })
    expect(layers({ 'packages/rooms/src/a.ts': "import 'autobase'\n" }, { 'packages/rooms/package.json': onlyDev })).toHaveLength(1)
    expect(layers({ 'packages/rooms/test/a.ts': "import 'autobase'\n" }, { 'packages/rooms/package.json': onlyDev })).toEqual([])
  })

  it('is named also where the source was generated', () => {
    expect(layers({ 'packages/rooms/spec/db/index.js': "const db = require('hyperdb/runtime')\n" })).toEqual([
      "packages/rooms/spec/db/index.js:1: 'hyperdb/runtime' is not in the dependencies of packages/rooms/package.json"
    ])
  })

  it('is named in its imports map, with what the map leads to', () => {
    const file = { 'packages/rooms/src/a.ts': "import '#fs'\n" }
    expect(layers(file)).toHaveLength(1)
    const imports = { '#fs': { bare: 'bare-fs/promises', default: 'node:fs/promises' } }
    expect(layers(file, { 'packages/rooms/package.json': manifest('@covey/rooms', { imports }) })).toEqual([
      'packages/rooms/package.json: imports #fs leads to bare-fs/promises, which is not in dependencies'
    ])
    const complete = manifest('@covey/rooms', { imports, dependencies: { 'bare-fs': '4.8.4' } })
    expect(layers(file, { 'packages/rooms/package.json': complete })).toEqual([])
  })

  it('is never the private types', () => {
    expect(layers({ 'packages/rooms/src/a.ts': "import type {} from '@covey/stack-types'\n" })).toHaveLength(1)
    const dependent = manifest('@covey/rooms', { dependencies: { '@covey/stack-types': 'workspace:*' } })
    expect(layers({}, { 'packages/rooms/package.json': dependent })).toEqual([
      'packages/rooms/package.json: @covey/stack-types is for devDependencies only'
    ])
  })
})

it('a package without a place in the order is refused', () => {
  expect(layers({ 'packages/calls/package.json': manifest('@covey/calls') })).toEqual([
    'packages/calls/package.json: @covey/calls has no place in LAYERS (scripts/check/layers.ts)'
  ])
})

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  declared,
  describeType,
  fits,
  instanceMembers,
  isMethod,
  ownMembers,
  writtenAnys,
  type Declared
} from './declared.js'
import { makeWorld, type World } from './world.js'

const require = createRequire(import.meta.url)
const here = dirname(new URL(import.meta.url).pathname)

/** Interfaces with functions that the caller hands in: the runtime has no object of them. */
const GIVEN_BY_CALLERS = /(Options|Handlers|Description|Key|Stream)$|^(BlindEncryption)$/

/** Bags of options: each name must be one that the sources read. */
const OPTION_BAG = /(Options|Handlers|Range|Query|Input|Description)$/

/** Where the rest of a module's behaviour lives. */
const SOURCES: Readonly<Record<string, readonly string[]>> = {
  hyperdht: ['dht-rpc', '@hyperswarm/secret-stream', 'udx-native'],
  hyperswarm: ['hyperdht', 'dht-rpc', 'shuffled-priority-queue'],
  hypercore: ['hypercore-storage', '@hyperswarm/secret-stream'],
  corestore: ['hypercore', 'hypercore-storage'],
  autobase: ['ready-resource', 'corestore', 'hypercore'],
  hyperbee: ['ready-resource', 'hypercore'],
  'blind-pairing': ['ready-resource', 'blind-pairing-core'],
  '@hyperswarm/secret-stream': ['streamx'],
  'hypercore-storage': ['rocksdb-native']
}

const packageOf = (module: string): string =>
  module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')

function packageDir(name: string, from: NodeJS.Require = require): string {
  for (const base of from.resolve.paths(name) ?? []) {
    try {
      return dirname(require.resolve(join(base, name, 'package.json')))
    } catch {
      continue
    }
  }
  throw new Error(`${name} is not installed`)
}

function readSources(dir: string): string {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => !['node_modules', 'test', 'prebuilds'].includes(entry.name))
    .map((entry) => {
      if (entry.isDirectory()) return readSources(join(dir, entry.name))
      return /\.[cm]?js$/.test(entry.name) ? readFileSync(join(dir, entry.name), 'utf8') : ''
    })
    .join('\n')
}

const sourceCache = new Map<string, string>()

function sourcesOf(module: string): string {
  const name = packageOf(module)
  let text = sourceCache.get(name)
  if (text === undefined) {
    const dir = packageDir(name)
    const inside = createRequire(join(dir, 'package.json'))
    text = [dir, ...(SOURCES[name] ?? []).map((other) => packageDir(other, inside))]
      .map(readSources)
      .join('\n')
    sourceCache.set(name, text)
  }
  return text
}

async function runtimeOf(entry: Declared): Promise<unknown> {
  const namespace: Record<string, unknown> = await import(entry.module)
  return namespace[entry.name]
}

const modules = [...new Set(declared.map((entry) => entry.module))]
const values = declared.filter((entry) => entry.kind === 'class' || entry.kind === 'value')
const interfaces = declared.filter((entry) => entry.kind === 'interface')
const needSpecimen = declared.filter(
  (entry) =>
    entry.kind === 'class' ||
    (entry.kind === 'interface' &&
      !GIVEN_BY_CALLERS.test(entry.name) &&
      instanceMembers(entry).some(isMethod))
)

describe('the versions that the types were written for', () => {
  const { devDependencies } = JSON.parse(readFileSync(join(here, '../package.json'), 'utf8')) as {
    devDependencies: Record<string, string>
  }

  it('pins every declared module', () => {
    expect(Object.keys(devDependencies)).toEqual(
      expect.arrayContaining([...new Set(modules.map(packageOf))])
    )
  })

  it.each(Object.entries(devDependencies))('%s is %s', (name, version) => {
    const { version: installed } = JSON.parse(
      readFileSync(join(packageDir(name), 'package.json'), 'utf8')
    ) as { version: string }
    expect(installed).toBe(version)
  })
})

describe('the declarations', () => {
  it('say no `any`', () => {
    expect(writtenAnys()).toEqual([])
  })

  it('cover the stack', () => {
    expect(modules.length).toBeGreaterThanOrEqual(20)
    expect(values.length).toBeGreaterThanOrEqual(25)
  })
})

describe('what the types export exists', () => {
  it.each(values.map((entry) => [entry.id, entry] as const))('%s', async (_id, entry) => {
    const value = await runtimeOf(entry)
    expect(value, `${entry.id} is undefined at runtime`).toBeDefined()
    if (entry.kind === 'class') expect(typeof value).toBe('function')
    const missing = ownMembers(entry)
      .filter((member) => !fits(member.type, (value as Record<string, unknown>)[member.name]))
      .map((member) => `${member.name}: ${describeType(member.type)}`)
    expect(missing).toEqual([])
  })
})

describe('the methods of classes exist', () => {
  const classes = declared.filter((entry) => entry.kind === 'class')

  it.each(classes.map((entry) => [entry.id, entry] as const))('%s', async (_id, entry) => {
    const { prototype } = (await runtimeOf(entry)) as { prototype: Record<string, unknown> }
    const missing = instanceMembers(entry)
      .filter(isMethod)
      .filter((member) => !(member.name in prototype))
      // A field that holds a function is found on a specimen, below.
      .filter((member) => member.type.symbol.name !== '__type')
      .map((member) => member.name)
    expect(missing).toEqual([])
  })
})

describe('the sources know', () => {
  const bags = interfaces.filter(
    (entry) => OPTION_BAG.test(entry.name) && !needSpecimen.includes(entry)
  )
  const events = interfaces.filter((entry) => entry.name.endsWith('Events'))

  it.each(bags.map((entry) => [entry.id, entry] as const))('each option of %s', (_id, entry) => {
    const text = sourcesOf(entry.module)
    const unknown = instanceMembers(entry)
      .map((member) => member.name)
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(text))
    expect(unknown).toEqual([])
  })

  it.each(events.map((entry) => [entry.id, entry] as const))('each event of %s', (_id, entry) => {
    const text = sourcesOf(entry.module)
    const unknown = instanceMembers(entry)
      .map((member) => member.name)
      .filter((name) => !text.includes(`'${name}'`))
    expect(unknown).toEqual([])
  })
})

describe('live objects are what the types say', () => {
  let world: World | undefined

  beforeAll(async () => {
    world = await makeWorld()
  })
  afterAll(() => world?.close())

  it('has a specimen for every class, and for every interface with behaviour', () => {
    const ids = needSpecimen.map((entry) => entry.id)
    expect(ids.filter((id) => !world?.specimens[id]?.length)).toEqual([])
  })

  it('has no specimen that no type describes', () => {
    const ids = new Set(declared.map((entry) => entry.id))
    expect(Object.keys(world?.specimens ?? {}).filter((id) => !ids.has(id))).toEqual([])
  })

  const described = declared.filter((entry) => entry.kind !== 'value' && entry.kind !== 'type')

  it.each(described.map((entry) => [entry.id, entry] as const))('%s', (id, entry) => {
    const wrong = (world?.specimens[id] ?? []).flatMap((specimen) =>
      instanceMembers(entry)
        .filter((member) => {
          const value = (specimen as Record<string, unknown>)[member.name]
          return !(member.optional && value === undefined) && !fits(member.type, value)
        })
        .map((member) => {
          const value = (specimen as Record<string, unknown>)[member.name]
          return `${member.name}: ${describeType(member.type)}, but ${typeof value} ${String(value)}`
        })
    )
    expect([...new Set(wrong)]).toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineContent, encodeUtf8, isContent, jsonCodec, MAX_CONTENT_BYTES, type ContentDefinition } from '../src/index.js'

interface Recipe {
  readonly title: string
}

const recipe = defineContent<Recipe>({
  name: 'example.org/recipe',
  version: 2,
  codec: jsonCodec((value) => {
    const { title } = value as { title?: unknown }
    if (typeof title !== 'string') throw new TypeError('a recipe has a title')
    return { title }
  })
})

describe('content', () => {
  test('what was created is read, by its type alone', () => {
    const content = recipe.create({ title: 'Tea' })
    expect(content).toEqual({ type: 'example.org/recipe', version: 2, data: encodeUtf8('{"title":"Tea"}') })
    expect(recipe.read(content)).toEqual({ title: 'Tea' })
    expect(recipe.read({ ...content, type: 'example.org/song' })).toBeUndefined()
    expect(recipe.read(undefined)).toBeUndefined()
  })

  test('an earlier version is read, a later one is not', () => {
    const content = recipe.create({ title: 'Tea' })
    expect(recipe.read({ ...content, version: 1 })).toEqual({ title: 'Tea' })
    expect(recipe.read({ ...content, version: 3 })).toBeUndefined()
  })

  test('the codec is told which version it reads', () => {
    const versions: number[] = []
    const type = defineContent<null>({
      name: 'v',
      version: 7,
      codec: {
        encode: () => new Uint8Array(),
        decode: (_, version) => {
          versions.push(version)
          return null
        }
      }
    })
    type.read({ type: 'v', version: 3, data: new Uint8Array() })
    expect(versions).toEqual([3])
  })

  test('whatever a peer wrote is a value or unknown', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(encodeUtf8)), (data) => {
        const value = recipe.read({ type: recipe.name, version: 1, data })
        expect(value === undefined || typeof value.title === 'string').toBe(true)
      })
    )
  })

  test('what a type creates is content, and what is malformed is none', () => {
    const content = recipe.create({ title: 'Tea' })
    expect(isContent(content)).toBe(true)
    const wrong = [{ type: '' }, { type: 5 }, { type: 'a'.repeat(65) }, { type: 'a b' }, { version: 0 }, { version: 65_536 }, { version: '1' }, { data: [] }, { data: new Uint8Array(MAX_CONTENT_BYTES + 1) }]
    for (const field of wrong) expect([field, isContent({ ...content, ...field })]).toEqual([field, false])
    for (const none of [undefined, null, 'text', 5, {}]) expect(isContent(none)).toBe(false)
  })

  test('a value that is none of the type, or too large, is refused', () => {
    expect(() => recipe.create({} as Recipe)).toThrow('a recipe has a title')
    expect(() => recipe.create({ title: 'x'.repeat(MAX_CONTENT_BYTES) })).toThrow(`at most ${MAX_CONTENT_BYTES} bytes`)
    const odd = defineContent<string>({ name: 'odd', version: 1, codec: { encode: (text) => text as never, decode: String } })
    expect(() => odd.create('text')).toThrow('definition.codec.encode must return a Uint8Array')
  })

  test.each<[string, Partial<Record<keyof ContentDefinition<Recipe>, unknown>>]>([
    ['definition.name', { name: '' }],
    ['definition.name', { name: 'Example.org/recipe' }],
    ['definition.name', { name: 'example.org/' }],
    ['definition.name', { name: 'a'.repeat(65) }],
    ['definition.version', { version: 0 }],
    ['definition.version', { version: 1.5 }],
    ['definition.codec.encode', { codec: undefined }],
    ['definition.codec.decode', { codec: { encode: encodeUtf8 } }],
    ['no option "nam"', { nam: 'x' } as object]
  ])('a definition that is wrong is refused by its field: %s', (field, wrong) => {
    const right = { name: 'example.org/recipe', version: 1, codec: jsonCodec((value) => value as Recipe) }
    expect(() => defineContent({ ...right, ...wrong } as ContentDefinition<Recipe>)).toThrow(field)
  })
})

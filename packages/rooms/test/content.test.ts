import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeKey, defineContent, jsonCodec, MAX_CONTENT_BYTES, type Content } from '@covey/core'
import { MAX_TEXT_BYTES, type Room } from '@covey/rooms'
import { readBody, encodeBody } from '../src/internal/message-body.js'
import { encodeStruct } from '../src/internal/structs.js'
import { codeOf, messagesOf, shareRoom, start, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

const recipe = defineContent({
  name: 'example.org/recipe',
  version: 2,
  codec: jsonCodec((value) => {
    const { title } = value as { title?: unknown }
    if (typeof title !== 'string') throw new TypeError('a recipe has a title')
    return { title }
  })
})

async function roomOfOne(): Promise<Room> {
  return (await start(net)).rooms.create({ name: 'Tea' })
}

test('content comes through, is read by its type, and is kept by who does not know it', async () => {
  const [room, theirs] = await shareRoom(await start(net), await start(net))
  const largest = new Uint8Array(MAX_CONTENT_BYTES).fill(7)
  const sent = await room!.send(recipe.create({ title: 'Tea' }))
  await room!.send({ type: 'example.org/unheard-of', version: 65_535, data: largest })
  expect(sent).toMatchObject({ kind: 'content', text: '', content: { type: 'example.org/recipe', version: 2 } })

  const [first, second] = await until(theirs!, async () => {
    const messages = await messagesOf(theirs!)
    return messages.length === 2 ? messages : undefined
  })
  expect(recipe.read(first!.content)).toEqual({ title: 'Tea' })
  expect(second).toMatchObject({ kind: 'content', text: '', content: { type: 'example.org/unheard-of', version: 65_535 } })
  expect(Buffer.compare(second!.content!.data, largest)).toBe(0)
  expect(recipe.read(second!.content)).toBeUndefined()
})

test.each<[string, unknown, string]>([
  ['a byte too much', { type: 'a', version: 1, data: new Uint8Array(MAX_CONTENT_BYTES + 1) }, 'MESSAGE_TOO_LARGE'],
  ['no type', { version: 1, data: new Uint8Array() }, 'TypeError'],
  ['a type that is no name', { type: 'A recipe', version: 1, data: new Uint8Array() }, 'TypeError'],
  ['a type that is too long', { type: 'a'.repeat(65), version: 1, data: new Uint8Array() }, 'TypeError'],
  ['a version of none', { type: 'a', version: 0, data: new Uint8Array() }, 'TypeError'],
  ['half a version', { type: 'a', version: 1.5, data: new Uint8Array() }, 'TypeError'],
  ['data that is text', { type: 'a', version: 1, data: 'x' }, 'TypeError']
])('%s is not sent', async (_, content, code) => {
  const room = await roomOfOne()
  expect(await codeOf(() => room.send(content as Content))).toBe(code)
  expect(await messagesOf(room)).toEqual([])
})

test('what a body says is a text, a content, or unknown, whatever it is made of', () => {
  const body = fc.record(
    {
      text: fc.string({ maxLength: 20 }),
      content: fc.oneof(fc.constantFrom('', 'a', 'example.org/recipe', '../a', 'a'.repeat(65)), fc.string()),
      version: fc.constantFrom(0, 1, 2, 65_535, 65_536, Number.MAX_SAFE_INTEGER),
      data: fc.oneof(fc.uint8Array(), fc.constant(new Uint8Array(MAX_CONTENT_BYTES + 1))),
      replyTo: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      forwarded: fc.boolean(),
      mentions: fc.array(fc.record({ identity: fc.constant(new Uint8Array(32).fill(1)), start: fc.nat(9), length: fc.nat(9) }), { maxLength: 3 })
    },
    { requiredKeys: [] }
  )
  const kinds = new Set<string>()
  fc.assert(
    fc.property(fc.oneof(body.map((value) => encodeStruct('message-body', value)), fc.uint8Array()), (bytes) => {
      const said = readBody(bytes)
      kinds.add(said.kind)
      if (said.kind === 'unknown' || (said.kind === 'text' && said.text === '')) return
      // What was taken could have been sent.
      const replyTo = said.replyTo === undefined ? undefined : decodeKey(said.replyTo, 'replyTo')
      expect(readBody(encodeBody(said.content ?? said.text, { ...said, replyTo }))).toEqual(said)
    }),
    { numRuns: 1_000 }
  )
  expect([...kinds].toSorted()).toEqual(['content', 'text', 'unknown'])
})

test('the longest text and the largest content are ops', () => {
  expect(encodeBody('x'.repeat(MAX_TEXT_BYTES)).length).toBeGreaterThan(MAX_TEXT_BYTES)
  const content = { type: 'a'.repeat(64), version: 65_535, data: new Uint8Array(MAX_CONTENT_BYTES) }
  expect(readBody(encodeBody(content))).toMatchObject({ kind: 'content', text: '', content })
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_CONTENT_BYTES, type ContentType } from '@covey/core'
import { linkPreviewContent, locationContent, pollContent, voiceNoteContent } from '@covey/rooms'

const poll = { question: 'Which?', options: ['a', 'b'], isMultiple: false }
const location = { latitude: -90, longitude: 180 }
const preview = { text: '', url: 'https://example.org/a', title: 'A' }
const note = { mediaType: 'audio/ogg; codecs=opus', durationMs: 1, levels: new Uint8Array(), audio: Uint8Array.of(1) }

const TYPES: [string, ContentType<never>, object][] = [
  ['poll', pollContent as ContentType<never>, poll],
  ['location', locationContent as ContentType<never>, location],
  ['link preview', linkPreviewContent as ContentType<never>, preview],
  ['voice note', voiceNoteContent as ContentType<never>, note]
]

test.each<[string, ContentType<never>, object]>([
  ...TYPES,
  ['poll of the most', pollContent as ContentType<never>, { question: '"'.repeat(1_024), options: Array.from({ length: 32 }, (_, i) => `${i}`.padEnd(256, '\0')), isMultiple: true }],
  ['location with a name', locationContent as ContentType<never>, { ...location, accuracyMeters: 0.5, name: '☕' }],
  ['link preview of the most', linkPreviewContent as ContentType<never>, { text: '\0'.repeat(4_096), url: `http://${'a'.repeat(2_041)}`, title: '\0'.repeat(256), description: '\0'.repeat(1_024), image: new Uint8Array(32_768).fill(7) }],
  ['voice note of the most', voiceNoteContent as ContentType<never>, { ...note, durationMs: 600_000, levels: new Uint8Array(128).fill(3), audio: new Uint8Array(80_000).fill(5) }]
])('a %s comes back as it was', (_, type, value) => {
  const content = type.create(value as never)
  expect(content.data.length).toBeLessThanOrEqual(MAX_CONTENT_BYTES)
  expect(type.read(content)).toEqual(value)
})

test.each<[string, ContentType<never>, object, object[]]>([
  ['poll', pollContent as ContentType<never>, poll, [{ question: '' }, { question: 'x'.repeat(1_025) }, { options: ['a'] }, { options: ['a', 'a'] }, { options: ['a', ''] }, { options: Array.from({ length: 33 }, String) }, { options: 'ab' }, { isMultiple: 1 }]],
  ['location', locationContent as ContentType<never>, location, [{ latitude: 91 }, { latitude: NaN }, { longitude: -181 }, { longitude: '1' }, { accuracyMeters: -1 }, { name: '' }, { name: 5 }]],
  ['link preview', linkPreviewContent as ContentType<never>, preview, [{ url: 'javascript:alert(1)' }, { url: 'https://' }, { url: `https://${'a'.repeat(2_048)}` }, { title: '' }, { text: 'x'.repeat(4_097) }, { description: '' }, { image: new Uint8Array(32_769) }, { image: 'x' }]],
  ['voice note', voiceNoteContent as ContentType<never>, note, [{ mediaType: 'text/html' }, { mediaType: `audio/${'a'.repeat(60)}` }, { durationMs: 0 }, { durationMs: 600_001 }, { levels: new Uint8Array(129) }, { levels: [1] }, { audio: new Uint8Array() }, { audio: new Uint8Array(80_001) }]]
])('a %s that is none is not made, and not read', (_, type, value, wrong) => {
  for (const fields of wrong) expect(() => type.create({ ...value, ...fields } as never), JSON.stringify(fields).slice(0, 80)).toThrow(TypeError)
})

test('whatever a peer sends for content is what it should be, or nothing', () => {
  for (const [name, type, value] of TYPES) {
    const { data } = type.create(value as never)
    let taken = 0
    const altered = fc.tuple(fc.array(fc.tuple(fc.nat(data.length - 1), fc.nat(255)), { maxLength: 3 }), fc.nat(data.length)).map(([bytes, cut]) => {
      const copy = new Uint8Array(data)
      for (const [at, byte] of bytes) copy[at] = byte
      return cut % 4 === 0 ? copy.subarray(0, cut) : copy
    })
    fc.assert(
      fc.property(fc.oneof(altered, fc.uint8Array({ maxLength: 100 }), fc.json().map((text) => new Uint8Array(Buffer.from(text)))), (bytes) => {
        const read = type.read({ type: type.name, version: 1, data: bytes })
        if (read === undefined) return
        taken++
        // What was taken could have been made.
        expect(type.read(type.create(read))).toEqual(read)
      }),
      { numRuns: 1_000 }
    )
    expect([name, taken > 0]).toEqual([name, true])
  }
})

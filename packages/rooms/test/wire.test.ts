import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { decodeLink, equalBytes } from '@covey/core'
import { createBoxKeyPair, agree, randomBytes } from '../src/internal/crypto.js'
import { isEquivocation } from '../src/internal/equivocation.js'
import { codeOf, commitmentOf, decodeDeviceLink, encodeDeviceLink, proofOf, type Transcript } from '../src/internal/linking/handshake.js'
import { decodeOp, encodeOp, MAX_OP_BYTES, opId, OpType } from '../src/internal/op.js'
import { commitmentTo, openParent, openSlot, sealParents, sealSlots, slotsFor } from '../src/internal/slots.js'
import { decodeStruct, encodeStruct, type Structs } from '../src/internal/structs.js'
import { decodeInvite, encodeInvite } from '../src/invite.js'
import { fromHex, toHex } from './support.js'

/** Written once by the code of the first version, and never again: what is on the wire is for ever. */
const vectors = JSON.parse(readFileSync(new URL('vectors/wire.json', import.meta.url), 'utf8')) as {
  types: Record<string, number>
  ops: { name: string; header: Record<string, string | number>; sealed: string; bytes: string; id: string }[]
  structs: { name: keyof Structs; value: Record<string, unknown>; bytes: string }[]
  invites: { value: Record<string, string | number>; link: string }[]
  slot: { room: string; device: string; secretKey: string; box: string; ephemeral: string; slots: string; key: string; commitment: string }
  parent: { room: string; key: string; parents: string; id: string; parentKey: string }
  equivocation: { writer: string; bytes: string }
  linking: Record<keyof Transcript | 'link' | 'proof' | 'commitment' | 'code', string> & { expiresAt: number }
}

const FUZZ_RUNS = 20_000
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
const uint = fc.maxSafeNat()

const header: fc.Arbitrary<Structs['op-header']> = fc.record({
  type: uint,
  sentAt: uint.map((ms) => ms % 8.64e15),
  previous: maybe(bytes32),
  target: maybe(bytes32),
  epoch: maybe(bytes32),
  payload: maybe(fc.uint8Array({ minLength: 1, maxLength: 300 }))
})

const TEXT_FIELDS = new Set(['name', 'text', 'content', 'emoji', 'bio', 'type', 'mirrorLinks'])

/** Hex in the vectors is bytes in the structs. */
function fromJson<Value>(value: Record<string, unknown>): Value {
  const fieldOf = (key: string, field: unknown): unknown => {
    if (Array.isArray(field)) return field.map((item) => fieldOf(key, item))
    if (typeof field === 'object' && field !== null) return fromJson(field as Record<string, unknown>)
    return typeof field === 'string' && !TEXT_FIELDS.has(key) ? fromHex(field) : field
  }
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, fieldOf(key, field)])) as Value
}

/** Of a decoded struct what a vector names. */
function pick(decoded: object, like: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(like).map(([key, alike]: [string, unknown]) => {
      const field = (decoded as Record<string, unknown>)[key]
      if (field instanceof Uint8Array) return [key, toHex(field)]
      if (Array.isArray(field)) return [key, field.map((item: unknown, i) => pickItem(item, (alike as unknown[])[i]))]
      return [key, typeof field === 'object' && field !== null ? pick(field, alike as object) : field]
    })
  )
}

function pickItem(item: unknown, like: unknown): unknown {
  if (item instanceof Uint8Array) return toHex(item)
  return typeof item === 'object' ? pick(item!, like as object) : item
}

test('the numbers of the types of ops are for ever', () => {
  expect(OpType).toMatchObject(vectors.types)
  expect(new Set(Object.values(OpType)).size).toBe(Object.keys(OpType).length)
})

test.each(vectors.ops)('op $name', ({ header, sealed, bytes, id }) => {
  const encoded = encodeOp(fromJson(header), sealed === '' ? undefined : () => fromHex(sealed))
  expect(toHex(encoded)).toBe(bytes)
  const op = decodeOp(fromHex(bytes))!
  expect(pick(op.header, header)).toEqual(header)
  expect(toHex(op.sealed)).toBe(sealed)
  expect(toHex(op.clear) + sealed).toBe(bytes)
  expect(toHex(opId(new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), fromHex(bytes)))).toBe(id)
})

test.each(vectors.structs)('struct $name', ({ name, value, bytes }) => {
  expect(toHex(encodeStruct(name, fromJson(value)))).toBe(bytes)
  expect(pick(decodeStruct(name, fromHex(bytes))!, value)).toEqual(value)
})

test.each(vectors.invites)('invite $link', ({ value, link }) => {
  expect(encodeInvite(fromJson(value))).toBe(link)
  expect(pick(decodeInvite(link), value)).toEqual(value)
})

test('a sealed key of the first version opens', () => {
  const { room, device, secretKey, box, ephemeral, slots, key, commitment } = vectors.slot
  const [sealed] = slotsFor(fromHex(device), fromHex(slots))
  const offer = { ephemeral: fromHex(ephemeral), sealed: sealed! }
  const opened = openSlot(fromHex(room), offer, fromHex(commitment), fromHex(box), (theirs) => agree(fromHex(secretKey), theirs))
  expect(toHex(opened!)).toBe(key)
  expect(toHex(commitmentTo(fromHex(room), fromHex(key)))).toBe(commitment)
})

test('a carried-on key of the first version opens', () => {
  const { room, key, parents, id, parentKey } = vectors.parent
  expect(toHex(openParent(fromHex(room), fromHex(key), fromHex(parents), fromHex(id))!)).toBe(parentKey)
})

test('a handshake of the first version has the same link, proof, commitment and code', () => {
  const { expiresAt, link, proof, commitment, code, ...fields } = vectors.linking
  const seen = fromJson<Transcript>(fields)
  expect(encodeDeviceLink({ device: seen.host, secret: seen.secret, expiresAt })).toBe(link)
  expect(decodeDeviceLink(link)).toMatchObject({ device: seen.host, secret: seen.secret, expiresAt })
  expect(toHex(proofOf(seen, seen.secret))).toBe(proof)
  expect(toHex(commitmentOf({ nonce: seen.guestNonce, request: seen.request }))).toBe(commitment)
  expect(codeOf(seen)).toBe(code)
})

test('a proof of two pasts of the first version proves', () => {
  const { writer, bytes } = vectors.equivocation
  const proof = decodeStruct('equivocation', fromHex(bytes))!
  expect(isEquivocation(proof)).toBe(true)
  expect(toHex(proof.writer)).toBe(writer)
  expect(toHex(encodeStruct('equivocation', proof))).toBe(bytes)
})

test('every op comes back as it was', () => {
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 100 }), (header, sealed) => {
      const op = decodeOp(encodeOp(header, () => sealed))!
      expect(pick(op.header, header)).toEqual(pick(header, header))
      expect(op.sealed).toEqual(sealed)
    }),
    { numRuns: 500 }
  )
})

test('the body is bound to the clear bytes that it stands behind', () => {
  fc.assert(
    fc.property(header, (header) => {
      let given: Uint8Array | undefined
      const encoded = encodeOp(header, (clear) => {
        given = clear
        return new Uint8Array([1, 2, 3])
      })
      expect(toHex(decodeOp(encoded)!.clear)).toBe(toHex(given!))
    }),
    { numRuns: 200 }
  )
})

test('no bytes make the op decoder throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const op = decodeOp(bytes)
      if (op !== undefined) expect(Number.isSafeInteger(op.header.type)).toBe(true)
    }),
    { numRuns: FUZZ_RUNS }
  )
})

test('no damage makes the op decoder throw, and what it takes, it took whole', () => {
  fc.assert(
    fc.property(header, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(40), (header, at, flip, cut) => {
      const bytes = encodeOp(header, () => new Uint8Array(8))
      bytes[at % bytes.length]! ^= flip
      const damaged = bytes.subarray(0, bytes.length - (cut % bytes.length))
      const op = decodeOp(damaged)
      if (op !== undefined) expect(op.clear.length + op.sealed.length).toBe(damaged.length)
    }),
    { numRuns: FUZZ_RUNS }
  )
})

test('an op of another version, an empty one and one beyond the limit are none', () => {
  const op = encodeOp({ type: OpType.message, sentAt: 1 })
  expect(decodeOp(op)).toBeDefined()
  for (const version of [0, 2, 255]) expect(decodeOp(new Uint8Array([version, ...op.subarray(1)]))).toBeUndefined()
  expect(decodeOp(new Uint8Array())).toBeUndefined()
  const largest = encodeOp({ type: 1, sentAt: 1 }, (clear) => new Uint8Array(MAX_OP_BYTES - clear.length))
  expect(decodeOp(largest)).toBeDefined()
  expect(decodeOp(Uint8Array.of(...largest, 0))).toBeUndefined()
  expect(() => encodeOp({ type: 1, sentAt: 1 }, (clear) => new Uint8Array(MAX_OP_BYTES + 1 - clear.length))).toThrow(TypeError)
})

test('an op has the same id only in the same room, by the same writer, with the same bytes', () => {
  fc.assert(
    fc.property(bytes32, bytes32, fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 64 }), (a, b, x, y) => {
      fc.pre(!equalBytes(a, b) && !equalBytes(x, y))
      const ids = [opId(a, b, x), opId(b, a, x), opId(a, a, x), opId(a, b, y)].map(toHex)
      expect(new Set(ids).size).toBe(4)
      expect(toHex(opId(a, b, x))).toBe(ids[0])
    }),
    { numRuns: 300 }
  )
})

const STRUCTS: (keyof Structs)[] = [
  'op-header',
  'create',
  'admit',
  'enter',
  'knock',
  'knock-request',
  'knock-body',
  'rotate',
  'grant',
  'keep-epoch',
  'invite',
  'set-role',
  'remove',
  'unban',
  'mute',
  'transfer',
  'revoke-device',
  'signed-tree',
  'equivocation',
  'message-body',
  'reaction-body',
  'unreact',
  'vote-body',
  'settings-body',
  'profile-body',
  'profile-version',
  'profile-card',
  'signed-profile',
  'dm-message',
  'join-request',
  'invite-link',
  'preview',
  'room-record',
  'room-note'
]

test('no bytes make a struct decoder throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(...STRUCTS), fc.uint8Array({ maxLength: 200 }), (name, bytes) => {
      decodeStruct(name, bytes)
    }),
    { numRuns: FUZZ_RUNS }
  )
})

test('what a struct decoder takes of anybody’s bytes can be written again', () => {
  fc.assert(
    fc.property(fc.constantFrom(...STRUCTS), fc.uint8Array({ minLength: 30, maxLength: 200 }), (name, bytes) => {
      const value = decodeStruct(name, bytes)
      if (value !== undefined) encodeStruct(name, value)
    }),
    { numRuns: FUZZ_RUNS }
  )
})

test('a length that promises more than there is takes no memory', () => {
  // A list, or bytes, of 2^32 and of 2^53 - 1 items.
  for (const length of ['feffffffff', 'ffffffffffffff1f00']) {
    expect(decodeStruct('grant', fromHex('00'.repeat(32) + length))).toBeUndefined()
    expect(decodeStruct('remove', fromHex('00'.repeat(32) + length))).toBeUndefined()
    expect(decodeStruct('message-body', fromHex('40' + length))).toBeUndefined()
    expect(decodeStruct('vote-body', fromHex(length))).toBeUndefined()
    expect(decodeStruct('preview', fromHex('00'.repeat(32) + length))).toBeUndefined()
  }
})

test('every invite comes back as it was', () => {
  const invite = fc.record({ seed: bytes32, discoveryKey: bytes32, expiresAt: maybe(fc.integer({ min: 1, max: 2 ** 52 })) })
  fc.assert(
    fc.property(invite, (invite) => {
      const link = encodeInvite(invite)
      expect(decodeLink(link).kind).toBe('invite')
      expect(pick(decodeInvite(link), { seed: 0, discoveryKey: 0 })).toEqual(pick(invite, { seed: 0, discoveryKey: 0 }))
      expect(decodeInvite(link).expiresAt || null).toBe(invite.expiresAt)
    }),
    { numRuns: 300 }
  )
})

test('a slot opens for its device and for nobody else, in its room alone', () => {
  const room = randomBytes(32)
  const key = randomBytes(32)
  const devices = Array.from({ length: 5 }, () => ({ writer: randomBytes(32), ...createBoxKeyPair() }))
  const recipients = devices.slice(0, 4).map(({ writer, publicKey }) => ({ writer, box: publicKey }))
  const { ephemeral, slots } = sealSlots(room, key, recipients)
  const commitment = commitmentTo(room, key)
  const open = (at: number, by: number, where = room, promised = commitment) => {
    const [sealed] = slotsFor(devices[at]!.writer, slots)
    const { publicKey, secretKey } = devices[by]!
    return sealed && openSlot(where, { ephemeral, sealed }, promised, publicKey, (theirs) => agree(secretKey, theirs))
  }
  for (let at = 0; at < 4; at++) {
    expect(toHex(open(at, at)!)).toBe(toHex(key))
    expect(open(at, (at + 1) % 5)).toBeUndefined()
    expect(open(at, at, randomBytes(32))).toBeUndefined()
    expect(open(at, at, room, randomBytes(32))).toBeUndefined()
  }
  expect(slotsFor(devices[4]!.writer, slots)).toEqual([])
})

test('no damage of slots makes the opening throw, and a damaged slot opens for nobody', () => {
  const room = randomBytes(32)
  const key = randomBytes(32)
  const { publicKey, secretKey } = createBoxKeyPair()
  const writer = randomBytes(32)
  const sealed = sealSlots(room, key, [{ writer, box: publicKey }])
  const agreeWith = (theirs: Uint8Array) => agree(secretKey, theirs)
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(70), (at, flip, cut) => {
      const slots = new Uint8Array(sealed.slots)
      slots[at % slots.length]! ^= flip
      for (const damaged of [slots, slots.subarray(0, Math.max(0, slots.length - cut))]) {
        for (const offer of slotsFor(writer, damaged)) {
          expect(openSlot(room, { ephemeral: sealed.ephemeral, sealed: offer }, commitmentTo(room, key), publicKey, agreeWith)).toBeUndefined()
        }
      }
    }),
    { numRuns: 2_000 }
  )
  // An ephemeral key of low order would make a secret that everyone knows.
  const [offer] = slotsFor(writer, sealed.slots)
  expect(openSlot(room, { ephemeral: new Uint8Array(32), sealed: offer! }, commitmentTo(room, key), publicKey, agreeWith)).toBeUndefined()
})

test('a carried-on key opens with its own id and the later key only', () => {
  const [room, key] = [randomBytes(32), randomBytes(32)]
  const parents = [1, 2, 3].map(() => ({ id: randomBytes(32), key: randomBytes(32) }))
  const sealed = sealParents(room, key, parents)
  for (const parent of parents) expect(toHex(openParent(room, key, sealed, parent.id)!)).toBe(toHex(parent.key))
  expect(openParent(room, randomBytes(32), sealed, parents[0]!.id)).toBeUndefined()
  expect(openParent(randomBytes(32), key, sealed, parents[0]!.id)).toBeUndefined()
  expect(openParent(room, key, sealed, randomBytes(32))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes32, (bytes, id) => {
      expect(openParent(room, key, bytes, id)).toBeUndefined()
    }),
    { numRuns: 2_000 }
  )
})

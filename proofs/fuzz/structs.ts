import { readFileSync } from 'node:fs'
import { encodeStruct, type Structs } from '../../packages/rooms/src/internal/structs.js'
import type { Prng } from '../model/prng.js'
import { randomBytes } from './mutate.js'

interface Field {
  readonly name: string
  readonly type: string
  readonly required?: boolean
  readonly array?: boolean
}

/** The committed description of what is on the wire and on disk. */
const { schema } = JSON.parse(readFileSync(new URL('../../packages/rooms/spec/schema/schema.json', import.meta.url), 'utf8')) as {
  schema: { name: string; fields: Field[] }[]
}

export const STRUCT_NAMES = schema.map(({ name }) => name as keyof Structs)

const NUMBERS = [0, 1, 2, 5, 252, 253, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER]
const TEXTS = ['', 'Tea', '\0', 'Ǎlice ☕', '\uD800', '\u202E', 'x'.repeat(300)]

/** A struct with any values that its fields can hold. */
export function randomStruct(random: Prng, name: keyof Structs): Uint8Array {
  return encodeStruct(name, randomValue(random, name) as never)
}

function randomValue(random: Prng, name: string): object {
  const { fields } = schema.find((struct) => struct.name === name)!
  const chosen = fields.filter(({ required }) => required || random.chance(0.6))
  return Object.fromEntries(chosen.map((field) => [field.name, randomField(random, field)]))
}

function randomField(random: Prng, { type, array }: Field): unknown {
  if (array) return Array.from({ length: random.below(6) }, () => randomField(random, { name: '', type }))
  switch (type) {
    case 'uint':
      return random.chance(0.5) ? random.pick(NUMBERS) : random.below(2 ** 32)
    case 'bool':
      return random.chance(0.5)
    case 'string':
      return random.pick(TEXTS)
    case 'buffer':
      return randomBytes(random, random.below(random.chance(0.05) ? 2_000 : 100))
    case 'fixed32':
      return randomBytes(random, 32)
    case 'fixed64':
      return randomBytes(random, 64)
    default:
      return randomValue(random, type.slice('@covey/'.length))
  }
}

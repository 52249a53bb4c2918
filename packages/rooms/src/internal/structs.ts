import { decode, encode } from '../../spec/schema/index.js'
import type { Structs } from '../../spec/structs.js'

export type { Structs }

export function encodeStruct<Name extends keyof Structs>(name: Name, value: Structs[Name]): Uint8Array {
  return encode(`@covey/${name}`, value)
}

/** The struct, or `undefined` for bytes that are none: they may come from anybody. */
export function decodeStruct<Name extends keyof Structs>(name: Name, bytes: Uint8Array): Structs[Name] | undefined {
  try {
    return decode(`@covey/${name}`, bytes) as Structs[Name]
  } catch {
    // The generated decoders tell malformed bytes by exceptions of no particular type.
    return undefined
  }
}

import { decodeOp, OpType } from './op.js'
import { SLOT_BYTES } from './slots.js'
import { decodeStruct, type Structs } from './structs.js'

/** What a rotation says, or `undefined` for bytes that are none. */
export function rotationOf(bytes: Uint8Array): Structs['rotate'] | undefined {
  const header = decodeOp(bytes)?.header
  const rotation = header?.type === OpType.rotate && header.payload ? decodeStruct('rotate', header.payload) : undefined
  return rotation && rotation.slots.length % SLOT_BYTES === 0 ? rotation : undefined
}

import fc from 'fast-check'

/** Bytes that have nothing to do with `valid`, and such that have much to do with it. */
export function hostileBytes(valid: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'repeat'),
    at: fc.nat({ max: valid.length }),
    value: fc.integer({ min: 1, max: 255 })
  })
  return fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: valid.length + 32 }) },
    { weight: 4, arbitrary: fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => edits.reduce(apply, valid)) }
  )
}

function apply(bytes: Uint8Array, { kind, at, value }: { kind: string; at: number; value: number }): Uint8Array {
  const index = Math.min(at, bytes.length)
  const before = bytes.subarray(0, index)
  const after = bytes.subarray(index)
  if (kind === 'cut') return Uint8Array.from(before)
  if (kind === 'insert') return Uint8Array.of(...before, value, ...after)
  if (kind === 'repeat') return Uint8Array.of(...bytes, ...after)
  const changed = Uint8Array.from(bytes)
  if (index < changed.length) changed[index] = kind === 'flip' ? changed[index]! ^ (1 << value % 8) : value
  return changed
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

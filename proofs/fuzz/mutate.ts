import type { Prng } from '../model/prng.js'

/** Lengths and numbers as a liar writes them, in the integer encodings of both codecs. */
const LIES = ['fc', 'fdffff', 'fd0001', 'fd0000', 'feffffffff', 'fe00000100', 'ffffffffffffff1f00', 'ffffffffffffffffff', 'ff0000000001000000', '80', '7f', '00']
  .map((hex) => new Uint8Array(Buffer.from(hex, 'hex')))

export function randomBytes(random: Prng, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 3) {
    const bits = random.below(2 ** 24)
    bytes[at] = bits
    // What lies beyond the end is not written.
    bytes[at + 1] = bits >>> 8
    bytes[at + 2] = bits >>> 16
  }
  return bytes
}

/** Bytes that have nothing to do with `valid`, and mostly such that have much to do with it. */
export function hostile(random: Prng, valid: readonly Uint8Array[]): Uint8Array {
  if (random.chance(1 / 10)) return randomBytes(random, random.below(random.chance(0.02) ? 5_000 : 200))
  return mutate(random, random.pick(valid), valid)
}

/** One to four changes of bytes; now and then none. */
export function mutate(random: Prng, bytes: Uint8Array, others: readonly Uint8Array[] = [bytes]): Uint8Array {
  if (random.chance(1 / 32)) return bytes
  let changed = bytes
  for (let left = 1 + random.below(4); left > 0; left--) changed = change(random, changed, others)
  return changed
}

function change(random: Prng, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1)
  const end = Math.min(bytes.length, at + 1 + random.below(random.chance(0.5) ? 8 : 80))
  switch (random.below(10)) {
    case 0: // one bit
      return overwrite(bytes, at, Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.below(8))))
    case 1: // one byte
      return overwrite(bytes, at, Uint8Array.of(random.below(256)))
    case 2: // a length, or a number
      return overwrite(bytes, at, random.pick(LIES))
    case 3: // a longer length, or number, in place of a byte
      return join(bytes.subarray(0, at), random.pick(LIES), bytes.subarray(at + 1))
    case 4:
      return bytes.subarray(0, at)
    case 5:
      return join(bytes, random.chance(0.05) ? new Uint8Array(random.below(70_000)).fill(random.below(256)) : randomBytes(random, 1 + random.below(40)))
    case 6: // a part left out
      return join(bytes.subarray(0, at), bytes.subarray(end))
    case 7: // a part twice
      return join(bytes.subarray(0, end), bytes.subarray(at))
    case 8: { // the end of another
      const other = random.pick(others)
      return join(bytes.subarray(0, at), other.subarray(random.below(other.length + 1)))
    }
    default: // all the same
      return overwrite(bytes, at, new Uint8Array(end - at).fill(random.pick([0, 1, 0x7f, 0x80, 0xff])))
  }
}

function overwrite(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  const changed = new Uint8Array(bytes)
  changed.set(part.subarray(0, Math.max(0, changed.length - at)), Math.min(at, changed.length))
  return changed
}

function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

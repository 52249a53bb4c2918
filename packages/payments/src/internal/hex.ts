const HASH = /^[0-9a-f]{64}$/

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Of a well-formed text. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}

/** The id of a block or transaction, which people read from its last byte on. */
export function toId(hash: Uint8Array): string {
  return toHex(Uint8Array.from(hash).reverse())
}

export function fromId(id: string): Uint8Array {
  return fromHex(id).reverse()
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && HASH.test(value)
}

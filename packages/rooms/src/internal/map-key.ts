/** Bytes as the key of a `Map` or `Set`. (`String(bytes)` differs between a Buffer and a Uint8Array.) */
export function mapKey(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}

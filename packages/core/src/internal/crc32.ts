/**
 * The checksum of zip and PNG. It finds every change within 32 neighbouring bits, and so each
 * mistyped character and each pair of swapped neighbours in a link.
 *
 * @see {@link https://www.w3.org/TR/png-3/#D-CRCAppendix}
 */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    // 0xedb88320 is the polynomial 0x04c11db7 with its bits reversed. No table: links are short.
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0)
  }
  return ~crc >>> 0
}

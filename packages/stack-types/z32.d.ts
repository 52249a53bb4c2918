declare module 'z32' {
  interface ZBase32 {
    readonly ALPHABET: string
    /** A string is encoded as its UTF-8 bytes. */
    encode(bytes: Uint8Array | string): string
    /** Throws on a character outside the alphabet; accepts trailing bits that are not zero. */
    decode(text: string, out?: Uint8Array): Uint8Array
  }

  const z32: ZBase32
  export default z32
}

import { encodeUtf8 } from '@covey/core'
import { keccak_256 } from '@noble/hashes/sha3.js'

/**
 * The address in lower case, or `undefined` for what is none: of letters in both cases, it has to have the checksum of
 * EIP-55, which finds typing mistakes.
 */
export function readEvmAddress(text: string): string | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined
  const digits = text.slice(2)
  const lower = digits.toLowerCase()
  if (digits === lower || digits === digits.toUpperCase()) return `0x${lower}`
  const hash = keccak_256(encodeUtf8(lower))
  const isRight = Array.from(digits).every((digit, index) => {
    if (/[0-9]/.test(digit)) return true
    const nibble = (hash[index >> 1]! >> (index % 2 === 0 ? 4 : 0)) & 0xf
    return (digit === digit.toUpperCase()) === nibble >= 8
  })
  return isRight ? `0x${lower}` : undefined
}

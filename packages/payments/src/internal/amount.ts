import type { ByteReader, ByteWriter } from '@covey/core'
import { isAssetId } from '../assets.js'
import { MAX_ASSET_ID_LENGTH } from '../constants.js'
import type { Money } from '../money.js'

/** The asset id, then the amount in as few big-endian bytes as it takes, so that an amount has one encoding. */
export function writeMoney(writer: ByteWriter, { asset, amount }: Money): ByteWriter {
  const hex = amount.toString(16)
  const digits = hex.padStart(hex.length + (hex.length % 2), '0')
  const bytes = Uint8Array.from(digits.match(/../g)!, (byte) => Number.parseInt(byte, 16))
  return writer.text(asset, MAX_ASSET_ID_LENGTH).prefixedBytes(bytes, 32)
}

export function readMoney(reader: ByteReader): Money {
  const asset = reader.text(MAX_ASSET_ID_LENGTH)
  if (!isAssetId(asset)) reader.fail('An asset id is malformed.')
  const bytes = reader.prefixedBytes(32)
  // Without a zero in front, and so from 1 on.
  if ((bytes[0] ?? 0) === 0) reader.fail('An amount is zero, or not in its shortest form.')
  return { asset, amount: bytes.reduce((amount, byte) => amount * 256n + BigInt(byte), 0n) }
}

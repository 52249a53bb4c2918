import { concatBytes, encodeZ32, readBytes, writeBytes, type Result } from '@covey/core'

/** A transaction, and the signature of whose tokens it has moved. */
export interface EvmProof {
  /** 32 bytes. */
  readonly hash: Uint8Array
  /** By EIP-191, of {@link proofText}: 65 bytes. */
  readonly signature: Uint8Array
}

/** What it takes to find a payment again, and to send it again: the signed transaction itself. */
export interface EvmHandle extends EvmProof {
  readonly nonce: number
  /** A block from before it was sent. */
  readonly fromBlock: number
  readonly transaction: Uint8Array
}

const PROOF_BYTES = 97
const MAX_TRANSACTION_BYTES = 8_192

/**
 * What the payer's key signs, so that a transaction proves the payment of one person, for one request, and nobody who
 * sees it in the chain can claim it.
 */
export function proofText(requestHash: Uint8Array, payer: Uint8Array, hash: Uint8Array): string {
  return `covey payment receipt 1\nrequest ${encodeZ32(requestHash)}\npayer ${encodeZ32(payer)}\ntransaction ${toHex(hash)}`
}

export function encodeProof({ hash, signature }: EvmProof): Uint8Array {
  return concatBytes(hash, signature)
}

export function decodeProof(bytes: Uint8Array): EvmProof | undefined {
  return bytes.length === PROOF_BYTES ? { hash: bytes.slice(0, 32), signature: bytes.slice(32) } : undefined
}

export function encodeHandle({ hash, signature, nonce, fromBlock, transaction }: EvmHandle): Uint8Array {
  return writeBytes((writer) =>
    writer.uint8(1).bytes(hash).bytes(signature).varint(nonce).varint(fromBlock).prefixedBytes(transaction, MAX_TRANSACTION_BYTES)
  )
}

export function decodeHandle(bytes: Uint8Array): Result<EvmHandle> {
  return readBytes(bytes, (reader) => {
    if (reader.uint8() !== 1) reader.fail('The handle was made by a newer version.')
    return {
      hash: reader.bytes(32),
      signature: reader.bytes(65),
      nonce: reader.varint(),
      fromBlock: reader.varint(),
      transaction: reader.prefixedBytes(MAX_TRANSACTION_BYTES)
    }
  })
}

export function toHex(bytes: Uint8Array): `0x${string}` {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
}

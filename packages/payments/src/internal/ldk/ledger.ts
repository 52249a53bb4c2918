import { readBytes, writeBytes, type ByteReader } from '@covey/core'
import type { PaymentErrorCode } from '../../errors.js'
import type { OutgoingPayment } from '../../ldk/node.js'
import { toHex } from '../hex.js'

const VERSION = 1
const MAX_ENTRIES = 2 ** 32
const STATUSES = ['pending', 'paid', 'failed'] as const

interface Received {
  readonly paymentHash: Uint8Array
  readonly amountMsat: bigint
}

/** What the node has paid and received, of which LDK forgets what is a few minutes old. Written with the state of LDK. */
export class Ledger {
  /** Changed since it was encoded. */
  isDirty = false
  readonly #paid = new Map<string, OutgoingPayment>()
  readonly #received = new Map<string, Received>()
  /** The same, as far as it is written. */
  readonly #written = { paid: new Map<string, OutgoingPayment>(), received: new Map<string, Received>() }
  #unwritten: (() => void)[] = []

  /** @throws {CoveyError} DECODE_FAILED */
  static decode(bytes: Uint8Array): Ledger {
    const ledger = new Ledger()
    const decoded = readBytes(
      bytes,
      (reader) => {
        if (reader.uint8() !== VERSION) reader.fail('It was written by a newer version.')
        for (let left = reader.varint(MAX_ENTRIES); left > 0; left--) ledger.put(readPayment(reader))
        for (let left = reader.varint(MAX_ENTRIES); left > 0; left--) ledger.receive(reader.bytes(32), BigInt(reader.varint()))
      },
      { maxBytes: Number.MAX_SAFE_INTEGER }
    )
    if (!decoded.ok) throw decoded.error
    ledger.takeWritten()()
    ledger.isDirty = false
    return ledger
  }

  encode(): Uint8Array {
    this.isDirty = false
    return writeBytes((writer) => {
      writer.uint8(VERSION).varint(this.#paid.size)
      for (const { paymentHash, status, amountMsat, feeMsat, preimage, code } of this.#paid.values()) {
        writer.bytes(paymentHash).uint8(STATUSES.indexOf(status)).varint(Number(amountMsat)).varint(Number(feeMsat))
        writer.prefixedBytes(preimage ?? new Uint8Array(), 32).text(code ?? '', 64)
      }
      writer.varint(this.#received.size)
      for (const { paymentHash, amountMsat } of this.#received.values()) writer.bytes(paymentHash).varint(Number(amountMsat))
    })
  }

  /** To be called once what was encoded is written. */
  takeWritten(): () => void {
    const unwritten = this.#unwritten
    this.#unwritten = []
    return () => unwritten.forEach((write) => write())
  }

  /**
   * What is written of a payment; that it was sent is, before it is. What is newer may be in the written state or not, also
   * after an error of the disk: it is `pending`.
   */
  payment(hash: Uint8Array): OutgoingPayment | undefined {
    const [newest, written] = [this.newest(hash), this.#written.paid.get(toHex(hash))]
    if (newest === written || newest === undefined) return written
    return { ...newest, status: 'pending', feeMsat: 0n, preimage: null, code: null }
  }

  received(hash: Uint8Array): bigint | undefined {
    return this.#written.received.get(toHex(hash))?.amountMsat
  }

  /** What is known of a payment, written or not. */
  newest(hash: Uint8Array): OutgoingPayment | undefined {
    return this.#paid.get(toHex(hash))
  }

  hasReceived(hash: Uint8Array): boolean {
    return this.#received.has(toHex(hash))
  }

  pendingCount(): number {
    let count = 0
    for (const { status } of this.#paid.values()) if (status === 'pending') count++
    return count
  }

  put(payment: OutgoingPayment): void {
    const key = toHex(payment.paymentHash)
    this.#paid.set(key, Object.freeze(payment))
    this.#changed(() => this.#written.paid.set(key, payment))
  }

  receive(paymentHash: Uint8Array, amountMsat: bigint): void {
    const key = toHex(paymentHash)
    this.#received.set(key, { paymentHash, amountMsat })
    this.#changed(() => this.#written.received.set(key, { paymentHash, amountMsat }))
  }

  #changed(write: () => void): void {
    this.isDirty = true
    this.#unwritten.push(write)
  }
}

function readPayment(reader: ByteReader): OutgoingPayment {
  const paymentHash = reader.bytes(32)
  const status = STATUSES[reader.uint8()] ?? reader.fail('The status is not known.')
  const amountMsat = BigInt(reader.varint())
  const feeMsat = BigInt(reader.varint())
  const preimage = reader.prefixedBytes(32)
  const code = reader.text(64)
  return { paymentHash, status, amountMsat, feeMsat, preimage: preimage.length === 32 ? preimage : null, code: code === '' ? null : (code as PaymentErrorCode) }
}

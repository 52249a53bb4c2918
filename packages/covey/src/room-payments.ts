import { assertOptions, decodeKey, encodeZ32 } from '@covey/core'
import {
  paymentReceiptContent,
  paymentRequestContent,
  readReceipt,
  readRequest,
  type PaymentReceipt,
  type PaymentRequest,
  type Payments,
  type PaymentsRequestInit,
  type PayOptions,
  type Verification
} from '@covey/payments'
import type { CallOptions, Message, Room } from '@covey/rooms'

/** A receipt in a room, and what is to be made of it. */
export interface RoomReceipt {
  /** The message that it came in. */
  readonly message: Message
  readonly receipt: PaymentReceipt
  readonly verification: Verification
}

/** The payments of one room. */
export interface RoomPayments {
  /**
   * Asks to be paid, by a message of the room. Resolves when that is durable on this device.
   *
   * @throws {PaymentError} UNKNOWN_ASSET, NO_METHOD, and what providers fail with
   * @throws {RoomError} what sending a message fails with
   */
  request(init: Omit<PaymentsRequestInit, 'room'>, options?: CallOptions): Promise<{ message: Message; request: PaymentRequest }>
  /**
   * The request that a message of this room carries, or `undefined` where it carries none that is sound: signed by a device
   * of its payee, for this room, in a message of that same person.
   */
  read(message: Message): PaymentRequest | undefined
  /**
   * Pays a request of this room, once, and says so by a message of the room. Safe to call again after any error: what was
   * paid is not paid anew, and its receipt is sent again.
   *
   * @throws {PaymentError} see `PaymentErrorCode`
   * @throws {RoomError} what sending a message fails with
   */
  pay(request: PaymentRequest, options: PayOptions): Promise<{ message: Message; receipt: PaymentReceipt }>
  /**
   * The receipts of a request that are in the room, in its order, verified by this device now, each proof once. The order
   * may change until the room's indexers have signed it. It goes through all messages of the
   * room; those that are no receipt for it, or not of who signed them, are left out, and
   * so are messages that came ahead of the log, until they are in the order.
   */
  receipts(request: PaymentRequest, options?: CallOptions): Promise<RoomReceipt[]>
}

/** The payments of `room`, by a wallet of this person. */
export function paymentsIn(room: Room, payments: Payments): RoomPayments {
  const key = decodeKey(room.id, 'room.id')
  return {
    async request(init, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const request = await payments.request({ ...init, room: key }, options)
      return { message: await room.send(paymentRequestContent.create(request.bytes), options), request }
    },
    read(message) {
      const bytes = paymentRequestContent.read(message.content)
      if (bytes === undefined) return undefined
      const read = readRequest(bytes, { room: key, payee: decodeKey(message.author), atMs: Date.now() })
      return read.ok ? read.value : undefined
    },
    async pay(request, options) {
      const receipt = await payments.pay({ ...request, room: key }, options)
      const { signal } = options
      return { message: await room.send(paymentReceiptContent.create(receipt.bytes), { ...(signal && { signal }) }), receipt }
    },
    async receipts(request, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const found: { message: Message; receipt: PaymentReceipt }[] = []
      for await (const message of room.messages(options)) {
        const bytes = paymentReceiptContent.read(message.content)
        if (bytes === undefined) continue
        const read = readReceipt(bytes, { request, atMs: Date.now() })
        // Who tells of somebody else's payment does not get into the order before them.
        if (!read.ok || !isSame(read.value.payer, message.author)) continue
        found.push({ message, receipt: read.value })
      }
      const verified = await payments.verifyAll(found.map(({ receipt }) => ({ request, receipt })), options)
      return found.map((each, index) => ({ ...each, verification: verified[index]! }))
    }
  }
}

function isSame(payer: Uint8Array, author: string): boolean {
  return encodeZ32(payer) === author
}

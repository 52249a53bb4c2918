import { assertOptions, decodeKey, encodeZ32, equalBytes } from '@covey/core'
import {
  paymentReceiptContent,
  paymentRequestContent,
  PaymentError,
  type PaymentReceipt,
  type PaymentRequest,
  type Payments,
  type PaymentsRequestInit,
  type PayOptions,
  type RefundInit,
  type Verification
} from '@covey/payments'
import type { CallOptions, Message, Room } from '@covey/rooms'
import { findCancel, noticeContent, readAbout, requestIn, type AboutRequest, type RoomNotice } from './internal/payment-messages.js'

export type { RoomNotice } from './internal/payment-messages.js'

/** What the payee of a receipt says of having given it back. */
export interface RoomRefund extends RoomNotice {
  /** By which the payer has asked for it. */
  readonly request: PaymentRequest
  /** Whether it was: of a receipt of the payee that is in the room. `unknown` while there is none. */
  readonly verification: Verification
}

/** A receipt in a room, and what is to be made of it. */
export interface RoomReceipt {
  /** The message that it came in. */
  readonly message: Message
  readonly receipt: PaymentReceipt
  readonly verification: Verification
  /** The payee says that the money is there; `null` where they have not. */
  readonly ack: RoomNotice | null
  /** The payee says that they have given it back; `null` where they have not, or by no request that is in the room. */
  readonly refund: RoomRefund | null
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
   * A request that its payee has taken back is not paid, and never by this device from then on: the room is looked through
   * first, and for what comes until the payment is sent. **A cancel that has not arrived by then is too late.**
   *
   * @throws {PaymentError} CANCELLED; see `PaymentErrorCode`
   * @throws {RoomError} what sending a message fails with
   */
  pay(request: PaymentRequest, options: PayOptions): Promise<{ message: Message; receipt: PaymentReceipt }>
  /**
   * Takes a request of this person back, by a message of the room. Who has paid before they hear of it has paid: it can be
   * given back by {@link refund}.
   *
   * @throws {TypeError} when it is a request of somebody else
   * @throws {RoomError} what sending a message fails with
   */
  cancel(request: PaymentRequest, options?: CallOptions): Promise<RoomNotice>
  /** The message by which its payee has taken a request back, as far as it is in the room here. */
  cancelled(request: PaymentRequest, options?: CallOptions): Promise<RoomNotice | undefined>
  /**
   * The receipts of a request that are in the room, in its order, verified by this device now, each proof once, with what the
   * payee says of them. The order may change until the room's indexers have signed it. It goes through all messages of the
   * room; those that are no receipt for it, or not of who signed them, are left out, and
   * so are messages that came ahead of the log, until they are in the order.
   */
  receipts(request: PaymentRequest, options?: CallOptions): Promise<RoomReceipt[]>
  /**
   * Says, as the payee, that the money of a receipt is here; of several with one proof, of the first in the room's order
   * alone. Where it was said before, that is what it resolves to.
   *
   * @throws {PaymentError} NOT_PAID: retryable while the receipt waits for the chain, or for its place in the room
   * @throws {TypeError} when it is a request of somebody else
   * @throws {RoomError} what sending a message fails with
   */
  ack(request: PaymentRequest, receipt: PaymentReceipt, options?: CallOptions): Promise<RoomNotice>
  /**
   * Gives back, as the payee, what a receipt in the room shows, by paying a request of its payer (see `refundReferenceOf`), and
   * says so by two messages: a notice, and a receipt. Safe to call again after any error, as {@link pay} is, and not paid either
   * where the payer has taken their request back.
   *
   * @throws {PaymentError} NOT_PAID, as with {@link ack}; MESSAGE_MISMATCH where the request is not for this receipt;
   *   DUPLICATE where it was given back by another; and what {@link pay} fails with
   * @throws {TypeError} when it is a request of somebody else
   * @throws {RoomError} what sending a message fails with
   */
  refund(init: RefundInit, options: PayOptions): Promise<RoomNotice & { receipt: PaymentReceipt }>
}

/** The payments of `room`, by a wallet of this person. */
export function paymentsIn(room: Room, payments: Payments): RoomPayments {
  const key = decodeKey(room.id, 'room.id')
  const inRoom: RoomPayments = {
    async request(init, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const request = await payments.request({ ...init, room: key }, options)
      return { message: await room.send(paymentRequestContent.create(request.bytes), options), request }
    },
    read: (message) => requestIn(message, key),
    async pay(given, options) {
      const request = { ...given, room: key }
      const receipt = await unlessCancelled(request, options, () => payments.pay(request, options))
      return { message: await room.send(paymentReceiptContent.create(receipt.bytes), signalOf(options)), receipt }
    },
    async cancel(request, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const notice = payments.cancel(request)
      return { message: await room.send(noticeContent(notice), options), notice }
    },
    async cancelled(request, options = {}) {
      assertOptions(options, 'options', ['signal'])
      return findCancel(room, request, options)
    },
    async receipts(request, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const about = await readAbout(room, request, options)
      const { receipts, acks } = about
      const verified = await payments.verifyAll(receipts.map(({ receipt }) => ({ request, receipt })), options)
      return Promise.all(
        receipts.map(async ({ message, receipt }, index) => ({
          message,
          receipt,
          verification: verified[index]!,
          ack: acks.find(({ notice }) => equalBytes(notice.receipt!, receipt.hash)) ?? null,
          refund: await refundOf(request, receipt, about, options)
        }))
      )
    },
    async ack(request, receipt, options = {}) {
      const { ack } = await counted(request, receipt, options)
      if (ack !== null) return ack
      const notice = await payments.ack(request, receipt, options)
      return { message: await room.send(noticeContent(notice), options), notice }
    },
    async refund(init, options) {
      await counted(init.request, init.receipt, signalOf(options))
      const refundRequest = { ...init.refundRequest, room: key }
      const { notice, receipt } = await unlessCancelled(refundRequest, options, () => payments.refund(init, options))
      const message = await room.send(noticeContent(notice), signalOf(options))
      await room.send(paymentReceiptContent.create(receipt.bytes), signalOf(options))
      return { message, notice, receipt }
    }
  }
  return inRoom

  /** Pays, and has the wallet hear of a cancel that is here, or comes while it pays. */
  async function unlessCancelled<Value>(request: PaymentRequest, options: PayOptions, pay: () => Promise<Value>): Promise<Value> {
    const heed = async (): Promise<void> => {
      const cancel = await findCancel(room, request, signalOf(options))
      if (cancel !== undefined) await payments.heedCancel(request, cancel.notice.bytes)
    }
    let heeding: Promise<void> | undefined
    let isStale = false
    // What fails there is told by the room's `error` event.
    const stop = room.on('update', async () => {
      isStale = true
      heeding ??= (async () => {
        for (; isStale; await heed()) isStale = false
      })().finally(() => (heeding = undefined))
      await heeding
    })
    try {
      await heed()
      return await pay()
    } finally {
      stop()
      isStale = false
    }
  }

  /** The receipt with the place that it has in the room. */
  async function counted(request: PaymentRequest, { hash }: PaymentReceipt, options: CallOptions): Promise<RoomReceipt> {
    const found = (await inRoom.receipts(request, options)).find(({ receipt }) => equalBytes(receipt.hash, hash))
    if (found === undefined) throw new PaymentError('NOT_PAID', 'The receipt has no place in the room.', { retryable: true })
    const { status, reason } = found.verification
    if (status === 'valid') return found
    throw new PaymentError('NOT_PAID', `The receipt is ${status}: ${reason}`, { retryable: status !== 'invalid' })
  }

  async function refundOf(request: PaymentRequest, receipt: PaymentReceipt, about: AboutRequest, options: CallOptions): Promise<RoomRefund | null> {
    let best: RoomRefund | null = null
    for (const { message, notice } of about.refunds.filter(({ notice }) => equalBytes(notice.receipt!, receipt.hash))) {
      const refundRequest = about.requestOf(encodeZ32(receipt.payer), notice.refundRequest!)
      if (refundRequest === undefined) continue
      best ??= { message, notice, request: refundRequest, verification: NOT_YET }
      for (const refundReceipt of about.receiptsOf(encodeZ32(request.payee), refundRequest)) {
        const verification = await payments.verifyRefund({ request, receipt, refundRequest, notice, refundReceipt }, options)
        if (verification.status === 'valid') return { message, notice, request: refundRequest, verification }
        best = { message, notice, request: refundRequest, verification }
      }
    }
    return best
  }
}

const NOT_YET: Verification = { status: 'unknown', level: null, confirmations: null, spends: null, reason: 'There is no receipt of it here.' }

function signalOf({ signal }: { signal?: AbortSignal | undefined }): CallOptions {
  return signal === undefined ? {} : { signal }
}

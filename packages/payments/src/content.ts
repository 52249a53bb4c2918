import { defineContent, type ContentType } from '@covey/core'
import { MAX_SIGNED_MESSAGE_BYTES } from './constants.js'

/** A request in a room: the `bytes` of a `PaymentRequest`. What comes from others is for `readRequest` to judge. */
export const paymentRequestContent: ContentType<Uint8Array> = signedContent('covey/payment-request')

/** A receipt in a room: the `bytes` of a `PaymentReceipt`. What comes from others is for `readReceipt` to judge. */
export const paymentReceiptContent: ContentType<Uint8Array> = signedContent('covey/payment-receipt')

/** An ack in a room: the `bytes` of a `PaymentNotice`. What comes from others is for `readNotice` to judge. */
export const paymentAckContent: ContentType<Uint8Array> = signedContent('covey/payment-ack')

/** A cancel in a room: the `bytes` of a `PaymentNotice`. What comes from others is for `readNotice` to judge. */
export const paymentCancelContent: ContentType<Uint8Array> = signedContent('covey/payment-cancel')

/** A refund in a room: the `bytes` of a `PaymentNotice`. What comes from others is for `readNotice` to judge. */
export const paymentRefundContent: ContentType<Uint8Array> = signedContent('covey/payment-refund')

/** The data is the signed message itself, which names its version and is judged with the room and time at hand. */
function signedContent(name: string): ContentType<Uint8Array> {
  return defineContent<Uint8Array>({
    name,
    version: 1,
    codec: { encode: checkLength, decode: (data) => Uint8Array.from(checkLength(data)) }
  })
}

function checkLength(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0 && bytes.length <= MAX_SIGNED_MESSAGE_BYTES) return bytes
  throw new TypeError(`a signed message has 1 to ${MAX_SIGNED_MESSAGE_BYTES} bytes`)
}

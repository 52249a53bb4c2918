import { encodeZ32, equalBytes, type Content, type ContentType } from '@covey/core'
import {
  paymentAckContent,
  paymentCancelContent,
  paymentReceiptContent,
  paymentRefundContent,
  paymentRequestContent,
  readNotice,
  readReceipt,
  readRequest,
  type PaymentNotice,
  type PaymentReceipt,
  type PaymentRequest
} from '@covey/payments'
import type { CallOptions, Message, Room } from '@covey/rooms'

/** A notice, and the message that it came in. */
export interface RoomNotice {
  readonly message: Message
  readonly notice: PaymentNotice
}

/** What a room holds about one request, in its order; each in a message of who signed it. */
export interface AboutRequest {
  readonly receipts: { readonly message: Message; readonly receipt: PaymentReceipt }[]
  readonly acks: RoomNotice[]
  readonly refunds: RoomNotice[]
  /** The request of this hash that this person has made, where it is in the room. */
  requestOf(author: string, coreHash: Uint8Array): PaymentRequest | undefined
  /** The receipts of this person for another request. */
  receiptsOf(author: string, request: PaymentRequest): PaymentReceipt[]
}

const NOTICES: Readonly<Record<PaymentNotice['kind'], ContentType<Uint8Array>>> = {
  ack: paymentAckContent,
  cancel: paymentCancelContent,
  refund: paymentRefundContent
}
/** How many messages are looked through first for a cancel; twice as many each time. */
const FIRST_MESSAGES = 128

export function noticeContent({ kind, bytes }: PaymentNotice): Content {
  return NOTICES[kind].create(bytes)
}

/** The request that a message carries, where it is sound and of the author of the message. */
export function requestIn(message: Message, room: Uint8Array): PaymentRequest | undefined {
  const bytes = paymentRequestContent.read(message.content)
  if (bytes === undefined) return undefined
  const read = readRequest(bytes, { room, atMs: Date.now() })
  return read.ok && encodeZ32(read.value.payee) === message.author ? read.value : undefined
}

/** Goes through all messages of the room. */
export async function readAbout(room: Room, request: PaymentRequest, options: CallOptions): Promise<AboutRequest> {
  const about: Pick<AboutRequest, 'receipts' | 'acks' | 'refunds'> = { receipts: [], acks: [], refunds: [] }
  const [requests, receipts]: [Message[], Message[]] = [[], []]
  for await (const message of room.messages(options)) {
    if (message.content?.type === paymentRequestContent.name) requests.push(message)
    if (message.content?.type === paymentReceiptContent.name) receipts.push(message)
    const receipt = receiptIn(message, request)
    if (receipt !== undefined) about.receipts.push({ message, receipt })
    for (const kind of ['ack', 'refund'] as const) {
      const notice = noticeIn(message, request, kind)
      if (notice !== undefined) about[`${kind}s`].push({ message, notice })
    }
  }
  return {
    ...about,
    requestOf(author, coreHash) {
      const own = requests.filter((message) => message.author === author)
      return own.map((message) => requestIn(message, request.room)).find((each) => each !== undefined && equalBytes(each.coreHash, coreHash))
    },
    receiptsOf(author, other) {
      const own = receipts.filter((message) => message.author === author)
      return own.flatMap((message) => receiptIn(message, other) ?? [])
    }
  }
}

/** Looks from the newest message back to that of the request: what takes it back comes after it. */
export async function findCancel(room: Room, request: PaymentRequest, options: CallOptions): Promise<RoomNotice | undefined> {
  for (let limit = FIRST_MESSAGES; ; limit *= 2) {
    const messages: Message[] = []
    for await (const message of room.messages({ ...options, limit })) messages.push(message)
    for (const message of messages.toReversed()) {
      const notice = noticeIn(message, request, 'cancel')
      if (notice !== undefined) return { message, notice }
      const bytes = paymentRequestContent.read(message.content)
      if (bytes !== undefined && equalBytes(bytes, request.bytes) && message.author === encodeZ32(request.payee)) return undefined
    }
    if (messages.length < limit) return undefined
  }
}

/** Who tells of somebody else's payment does not get into the order before them. */
function receiptIn(message: Message, request: PaymentRequest): PaymentReceipt | undefined {
  const bytes = paymentReceiptContent.read(message.content)
  if (bytes === undefined) return undefined
  const read = readReceipt(bytes, { request, atMs: Date.now() })
  return read.ok && encodeZ32(read.value.payer) === message.author ? read.value : undefined
}

function noticeIn(message: Message, request: PaymentRequest, kind: PaymentNotice['kind']): PaymentNotice | undefined {
  const bytes = NOTICES[kind].read(message.content)
  if (bytes === undefined || message.author !== encodeZ32(request.payee)) return undefined
  const read = readNotice(bytes, { kind, request, atMs: Date.now() })
  return read.ok ? read.value : undefined
}

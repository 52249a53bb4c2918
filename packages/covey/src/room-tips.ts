import { assertOptions, decodeKey, encodeZ32, equalBytes, throwIfAborted, type Turns } from '@covey/core'
import {
  assertMoney,
  PaymentError,
  paymentReceiptContent,
  paymentRequestContent,
  paymentTipContent,
  readReceipt,
  readTipReference,
  tipReference,
  type Money,
  type PaymentReceipt,
  type PaymentRequest,
  type Payments,
  type PayOptions,
  type TipOffer,
  type Verification
} from '@covey/payments'
import type { CallOptions, Message, Room } from '@covey/rooms'
import type { RoomPayments } from './room-payments.js'

/** A tip for a message, as it stands in the room. */
export interface RoomTip {
  /** The message that the receipt came in; its author is who tips. */
  readonly message: Message
  readonly money: Money
  /** Of the author of the tipped message, in answer to the offer of who tips. */
  readonly request: PaymentRequest
  readonly receipt: PaymentReceipt
  /** What this device makes of it. */
  readonly verification: Verification
}

/** What became of an offer to tip. */
export interface TipAnswer {
  /** The message that the offer came in; its author is who wants to tip. */
  readonly message: Message
  readonly offer: TipOffer
  /** What it was answered with; `null` where it was not. */
  readonly request: PaymentRequest | null
  /** Why it was not answered; `null` where it was. */
  readonly error: PaymentError | null
}

/** How {@link RoomTips.acceptTips} accepts. */
export interface AcceptTipsOptions extends CallOptions {
  /** The least that is taken, by asset; nothing is taken in others. Default: whatever the wallet can be paid in. */
  readonly minimum?: readonly Money[]
}

/** The tips of one room. */
export interface RoomTips {
  /**
   * Tips the author of a message. Nobody can know where to pay them without asking: so it offers, by a message of the room,
   * waits for the author to answer with a request to this person (see {@link acceptTips}), pays that, and sends the receipt.
   * **It waits for as long as the author's devices are away**: give it a signal.
   *
   * Safe to call again after any error, abort or crash: a tip of the same money for the same message that was not finished
   * is finished, and none is begun beside it. What was finished is not looked at: a call after that is another tip.
   *
   * @throws {PaymentError} see `PaymentErrorCode`
   * @throws {RoomError} what sending a message fails with
   * @throws {TypeError} when the message is one's own, or an argument is wrong.
   */
  tip(message: Message, money: Money, options: PayOptions): Promise<RoomTip>
  /**
   * The tips for a message that are in the room, in its order, verified by this device now, each proof once: a receipt of who
   * has offered, for a request that the message's author has made to them in answer, of the same money. It goes through all
   * messages of the room. What a tip of the level `preimage` is worth, `Verification` says: **do not rank people by it**.
   */
  tips(message: Message, options?: CallOptions): Promise<RoomTip[]>
  /**
   * Answers who wants to tip this person's messages with requests, for as long as it is iterated: those first who have
   * offered while nobody answered. A person has at most {@link MAX_OPEN_TIPS} requests that have not expired; what is beyond
   * that, is too small, or cannot be asked for, is given with an `error`, and is not answered until this begins anew.
   *
   * @throws {RoomError} as it is iterated: what reading and sending messages fails with
   */
  acceptTips(options?: AcceptTipsOptions): AsyncIterable<TipAnswer>
}

/** How many requests that have not expired a person is given for tips in a room. */
export const MAX_OPEN_TIPS = 16

interface Offered extends TipOffer {
  readonly message: string
  /** The message that it came in. */
  readonly by: Message
}

/** The tips of `room`. `tipping` is shared by all rooms of a wallet: what this device is doing, one after the other. */
export function tipsIn(room: Room, payments: Payments, inRoom: RoomPayments, tipping: Turns): RoomTips {
  /**
   * Offers, answers to them, and receipts for those, as far as they are about this message and belong together. They may come in
   * any order: who answers may have heard what they answer before the log had it.
   */
  async function read({ id, author }: Message, options: CallOptions) {
    const offers = new Map<string, Offered>()
    const answers: Message[] = []
    const shown: { message: Message; bytes: Uint8Array }[] = []
    for await (const message of room.messages(options)) {
      const offer = paymentTipContent.read(message.content)
      if (offer?.message === id) offers.set(message.id, { ...offer, by: message })
      if (message.author === author && paymentRequestContent.read(message.content) !== undefined) answers.push(message)
      const bytes = paymentReceiptContent.read(message.content)
      if (bytes !== undefined) shown.push({ message, bytes })
    }
    const requests = answers.flatMap((message) => answerIn(message, offers) ?? [])
    const receipts: { offer: Offered; request: PaymentRequest; message: Message; receipt: PaymentReceipt }[] = []
    for (const { message, bytes } of shown) {
      for (const { offer, request } of requests) {
        if (offer.by.author !== message.author) continue
        const receipt = readReceipt(bytes, { request, atMs: Date.now() })
        if (receipt.ok) receipts.push({ offer, request, message, receipt: receipt.value })
      }
    }
    return { offers, requests, receipts }
  }

  /** The request of the author of the message, where it answers one of the offers with what was offered. */
  function answerIn(message: Message, offers: ReadonlyMap<string, Offered>): { offer: Offered; request: PaymentRequest } | undefined {
    const request = inRoom.read(message)
    const reference = request && readTipReference(request.reference)
    const offer = reference && offers.get(reference.offer)
    if (request === undefined || offer === undefined || offer.message !== reference!.message || request.payer === null) return undefined
    const isSame = request.money.asset === offer.money.asset && request.money.amount === offer.money.amount
    return isSame && encodeZ32(request.payer) === offer.by.author ? { offer, request } : undefined
  }

  /** What this device has paid, or may have. */
  function isBegun({ coreHash }: PaymentRequest): boolean {
    return payments.list().some(({ requestHash, state }) => state !== 'failed' && equalBytes(requestHash, coreHash))
  }

  /** An own offer of the same money that was not finished, and may yet be. */
  async function unfinished(message: Message, money: Money, options: CallOptions): Promise<Offered | undefined> {
    const { offers, requests, receipts } = await read(message, options)
    return [...offers.values()].find((offer) => {
      if (!offer.by.isOwn || offer.money.asset !== money.asset || offer.money.amount !== money.amount) return false
      const answers = requests.filter((each) => each.offer === offer).map(({ request }) => request)
      const isOver = answers.length > 0 && answers.every((request) => Date.now() >= request.expiresMs && !isBegun(request))
      return !isOver && !receipts.some((each) => each.offer === offer)
    })
  }

  /** The answer to an offer: the one that is being paid, where there are several, and otherwise the first that can be. */
  async function answerTo(message: Message, offer: Offered, options: CallOptions): Promise<PaymentRequest> {
    const known = (await read(message, options)).requests.filter((each) => each.offer.by.id === offer.by.id).map(({ request }) => request)
    const chosen = known.find(isBegun) ?? known.find(({ expiresMs }) => Date.now() < expiresMs)
    if (chosen !== undefined) return chosen
    const offers = new Map([[offer.by.id, offer]])
    for await (const each of room.messages({ ...options, live: true })) {
      const answer = each.author === message.author ? answerIn(each, offers) : undefined
      if (answer !== undefined && Date.now() < answer.request.expiresMs) return answer.request
    }
    throw new PaymentError('PAYMENTS_CLOSED', 'The room was closed.')
  }

  async function tipNow(message: Message, money: Money, { maxFee, signal }: PayOptions): Promise<RoomTip> {
    const options: CallOptions = signal === undefined ? {} : { signal }
    let offer = await unfinished(message, money, options)
    if (offer === undefined) {
      const by = await room.send(paymentTipContent.create({ message: message.id, money }), options)
      offer = { message: message.id, money, by }
    }
    const request = await answerTo(message, offer, options)
    const paid = await inRoom.pay(request, { maxFee, signal })
    return { ...paid, money: request.money, request, verification: await payments.verify(request, paid.receipt, options) }
  }

  async function* answer({ minimum, ...options }: AcceptTipsOptions): AsyncGenerator<TipAnswer> {
    const answered = new Set<string>()
    const open = new Map<string, number[]>()
    const note = (message: Message): void => {
      const request = message.isOwn ? inRoom.read(message) : undefined
      const reference = request && readTipReference(request.reference)
      if (request === undefined || reference === undefined || request.payer === null || answered.has(reference.offer)) return
      answered.add(reference.offer)
      const payer = encodeZ32(request.payer)
      open.set(payer, [...(open.get(payer) ?? []), request.expiresMs])
    }
    // What was answered before, by this device or another of this person, is not answered again.
    for await (const message of room.messages(options)) note(message)
    for await (const message of room.messages({ ...options, live: true, pending: false })) {
      note(message)
      const offer = paymentTipContent.read(message.content)
      if (offer === undefined || message.isOwn || answered.has(message.id)) continue
      const tipped = await room.message(offer.message)
      if (!tipped?.isOwn || tipped.kind === 'deleted') continue
      try {
        refuseSmall(offer.money, minimum)
        const { author } = message
        const lasting = (open.get(author) ?? []).filter((expiresMs) => Date.now() < expiresMs)
        if (lasting.length >= MAX_OPEN_TIPS) throw new PaymentError('DECLINED', 'The person has too many requests for tips that have not expired.')
        const reference = tipReference({ message: offer.message, offer: message.id })
        const { request } = await inRoom.request({ money: offer.money, purpose: 'Tip', reference, payer: decodeKey(author) }, options)
        answered.add(message.id)
        open.set(author, [...lasting, request.expiresMs])
        yield { message, offer, request, error: null }
      } catch (error) {
        throwIfAborted(options.signal)
        if (!(error instanceof PaymentError)) throw error
        yield { message, offer, request: null, error }
      }
    }
  }

  return {
    async tip(message, money, options) {
      assertOptions(options, 'options', ['maxFee', 'signal'])
      assertMoney(money, 'money')
      if (message.isOwn) throw new TypeError('message must be of somebody else')
      // Each sees what the one before has finished.
      const key = `${room.id}/${message.id}`
      return tipping.take(key, options.signal, () => tipNow(message, { asset: money.asset, amount: money.amount }, options))
    },
    async tips(message, options = {}) {
      assertOptions(options, 'options', ['signal'])
      const { receipts } = await read(message, options)
      const verified = await payments.verifyAll(receipts.map(({ request, receipt }) => ({ request, receipt })), options)
      return receipts.map(({ offer, request, message: by, receipt }, index) => ({ message: by, money: offer.money, request, receipt, verification: verified[index]! }))
    },
    acceptTips(options = {}) {
      assertOptions(options, 'options', ['minimum', 'signal'])
      for (const [index, money] of (options.minimum ?? []).entries()) assertMoney(money, `options.minimum[${index}]`)
      return answer(options)
    }
  }
}

function refuseSmall({ asset, amount }: Money, minimum: readonly Money[] | undefined): void {
  const least = minimum?.find((money) => money.asset === asset)
  if (minimum !== undefined && least === undefined) throw new PaymentError('UNKNOWN_ASSET', 'Tips are not taken in this asset.')
  if (least !== undefined && amount < least.amount) throw new PaymentError('DECLINED', 'The tip is too small.')
}

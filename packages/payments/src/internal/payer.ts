import { encodeZ32, equalBytes, raceSignal, throwIfAborted } from '@covey/core'
import type { AssetRegistry } from '../assets.js'
import { PaymentError } from '../errors.js'
import type { JournalEntry, PaymentJournal } from '../journal.js'
import type { PayOptions, RecoveredPayment } from '../payments.js'
import type { SpendingPolicy } from '../policy.js'
import type { Fee, PaymentOrder, PaymentOutcome, PaymentProvider } from '../provider.js'
import { signReceipt, type PaymentReceipt } from '../receipt.js'
import { readRequest, type PaymentRequest } from '../request.js'
import { readNotice } from '../settlement.js'
import { createBook } from './book.js'
import { asPaymentError, assertFee, checkOutcome, checkQuote, checkVerification, notKnown, refuse, unknownOutcome } from './outcomes.js'
import type { Signer } from './signed-message.js'
import { createStop, type Stop } from './stop.js'

interface PayerInit {
  readonly signer: Signer
  readonly journal: PaymentJournal
  readonly providers: readonly PaymentProvider[]
  readonly assets: AssetRegistry
  readonly policy: SpendingPolicy
  readonly now: () => number
}

interface Payer {
  /** `refundOf` is what the payment gives back, empty where it is no refund: that is given back once. */
  pay(request: PaymentRequest, options: PayOptions, refundOf?: Uint8Array): Promise<PaymentReceipt>
  /** Whether it came before anything was sent. */
  heedCancel(request: PaymentRequest, cancel: Uint8Array): Promise<boolean>
  recover(signal: AbortSignal | undefined): Promise<RecoveredPayment[]>
  close(): Promise<void>
}

/** A payment that a provider is about to make, or has made: what it takes to look it up again. */
interface Attempt {
  readonly provider: PaymentProvider
  readonly order: PaymentOrder
  entry: JournalEntry
}

/** Pays each request once: one attempt at a time, written down before it is made. */
export function createPayer({ signer, journal, providers, assets, policy, now }: PayerInit): Payer {
  /** By request: what is under way, never rejecting. It holds its place until its provider is done, whoever still waits. */
  const underWay = new Map<string, Promise<unknown>>()
  /** Of what is under way: it ends with the wallet. */
  const stops = new Set<Stop>()
  const book = createBook(journal)
  let isClosed = false
  const payer = signer.identity.publicKey

  async function inTurn<Value>(requestHash: Uint8Array, signal: AbortSignal | undefined, work: (stop: Stop) => Promise<Value>): Promise<Value> {
    const key = encodeZ32(requestHash)
    for (let other = underWay.get(key); other !== undefined; other = underWay.get(key)) await raceSignal(other, signal)
    throwIfAborted(signal)
    if (isClosed) throw closedError()
    const stop = createStop(signal)
    stops.add(stop)
    const working = work(stop)
    const settled = working.then(ignore, ignore).then(() => {
      stop.done()
      stops.delete(stop)
      underWay.delete(key)
    })
    underWay.set(key, settled)
    return raceSignal(working, signal)
  }

  async function payInTurn(request: PaymentRequest, maxFee: Fee, refundOf: Uint8Array, stop: Stop): Promise<PaymentReceipt> {
    const former = journal.get(request.coreHash)
    if (former?.state === 'paid' || former?.state === 'sent') {
      // It was paid by `pay`, and gives something back all the same.
      if (refundOf.length > 0 && former.refundOf.length === 0) await book.giveBack(request.coreHash, refundOf)
      // As it was paid: its payee may have signed other ways to pay the same since.
      const made = reread({ bytes: former.request, room: former.room }, former.beganMs)
      return receiptOf(made, former.state === 'paid' ? former : await look(attemptOf(made, former), stop))
    }
    return receiptOf(request, await send(await begin(request, maxFee, refundOf, stop), stop))
  }

  /** All that is asked before anything is paid, and the entry that says it is about to be. */
  async function begin(request: PaymentRequest, maxFee: Fee, refundOf: Uint8Array, { signal, until }: Stop): Promise<Attempt> {
    book.refuseCancelled(request.coreHash)
    if (request.payer !== null && !equalBytes(request.payer, payer)) throw new TypeError('request is for another payer')
    assets.get(request.money.asset)
    refuseExpired(request)
    const { provider, method, index } = choose(request)
    const order = { request, method }
    const quote = checkQuote(await until(provider.quote(order, { signal })).catch(refuse(signal)))
    if (quote.fee.asset !== maxFee.asset || quote.fee.amount > maxFee.amount) {
      throw new PaymentError('FEE_TOO_HIGH', `The fee may be ${quote.fee.amount} of ${quote.fee.asset}; maxFee is ${maxFee.amount} of ${maxFee.asset}.`)
    }
    const { confirm, limits = [] } = policy
    const { money } = request
    if (confirm !== undefined && (await until(confirm({ request, money, fee: quote.fee }, { signal }))) !== true) {
      throw new PaymentError('DECLINED', 'The payment was declined.')
    }
    throwIfAborted(signal)
    // Whoever confirms may take their time.
    refuseExpired(request)
    const former = journal.get(request.coreHash)
    const entry: JournalEntry = {
      requestHash: request.coreHash,
      state: 'begun',
      room: request.room,
      request: request.bytes,
      provider: provider.name,
      method: index,
      money,
      maxFee: { asset: maxFee.asset, amount: maxFee.amount },
      destination: quote.destination,
      handle: new Uint8Array(),
      proof: new Uint8Array(),
      attempts: (former?.attempts ?? 0) + 1,
      beganMs: now(),
      isCancelled: false,
      // What was begun as a refund is one, whoever begins it again.
      refundOf: refundOf.length === 0 && former !== undefined ? former.refundOf : refundOf
    }
    await book.reserve(entry, limits)
    return { provider, order, entry }
  }

  async function send(attempt: Attempt, stop: Stop): Promise<JournalEntry> {
    const { signal, until } = stop
    const { provider, order, entry } = attempt
    let saving: Promise<void> | undefined
    let isDone = false
    const save = (handle: Uint8Array): Promise<void> => {
      if (isDone || saving !== undefined || handle.length === 0) {
        return Promise.reject(new PaymentError('PROVIDER_INVALID', 'A provider saves something, once, while it pays.'))
      }
      saving = write(attempt, { state: 'sent', handle: Uint8Array.from(handle) })
      return saving
    }
    let outcome: PaymentOutcome
    try {
      outcome = checkOutcome(await until(provider.pay(order, { maxFee: entry.maxFee.amount, payer, save, signal })))
    } catch (cause) {
      isDone = true
      // What was to be saved may be durable by now: then nobody knows.
      await saving?.catch(ignore)
      if (attempt.entry.state === 'begun') {
        await write(attempt, { state: 'failed' })
        throwIfAborted(signal)
        book.refuseCancelled(entry.requestHash)
        throw asPaymentError(cause)
      }
      throwIfAborted(signal)
      throw unknownOutcome(cause)
    }
    isDone = true
    return record(attempt, outcome, stop)
  }

  async function look(attempt: Attempt, stop: Stop): Promise<JournalEntry> {
    const { signal, until } = stop
    const { provider, order, entry } = attempt
    const resend = now() < order.request.expiresMs && !entry.isCancelled
    let outcome: PaymentOutcome
    try {
      outcome = checkOutcome(await until(provider.lookup(order, entry.handle, { payer, resend, signal })))
    } catch (cause) {
      throwIfAborted(signal)
      throw unknownOutcome(cause)
    }
    // Of what it has not saved a provider can say that it was paid, and not that it never will be.
    if (outcome.status === 'failed' && entry.handle.length === 0) throw unknownOutcome()
    return record(attempt, outcome, stop)
  }

  /**
   * What the provider says goes into the journal only where it is for good, and a proof only where it proves. What fails on
   * the way leaves the payment as it was: to be looked up.
   */
  async function record(attempt: Attempt, outcome: PaymentOutcome, { signal, until }: Stop): Promise<JournalEntry> {
    if (outcome.status === 'failed') {
      await write(attempt, { state: 'failed' }).catch(notKnown(signal))
      throw new PaymentError(outcome.code, outcome.message)
    }
    // A provider that has not saved may have sent all the same, also what was taken back: it is not begun again.
    if (attempt.entry.state === 'begun') await write(attempt, { state: 'sent' }).catch(notKnown(signal))
    if (outcome.status !== 'paid') throw unknownOutcome()
    const { provider, order } = attempt
    const { proof } = outcome
    const { status, reason } = checkVerification(await until(provider.verify({ ...order, payer, proof }, { signal })).catch(notKnown(signal)))
    if (status === 'invalid') throw new PaymentError('PROVIDER_INVALID', `The provider says that it has paid, and its proof is none: ${reason}`)
    await write(attempt, { state: 'paid', proof }).catch(notKnown(signal))
    return attempt.entry
  }

  async function write(attempt: Attempt, to: Partial<JournalEntry>): Promise<void> {
    attempt.entry = await book.write(attempt.entry.requestHash, to)
  }

  function attemptOf(request: PaymentRequest, entry: JournalEntry): Attempt {
    const provider = providers.find(({ name }) => name === entry.provider)
    const method = request.methods[entry.method]
    if (provider === undefined || method === undefined) {
      throw new PaymentError('UNKNOWN_OUTCOME', `It was being paid by the provider "${entry.provider}", which is not here.`, { retryable: true })
    }
    return { provider, order: { request, method }, entry }
  }

  function receiptOf(request: PaymentRequest, { method, proof }: JournalEntry): PaymentReceipt {
    return signReceipt(signer, request, { method: request.methods[method]!.type, proof, createdMs: now() })
  }

  function refuseExpired(request: PaymentRequest): void {
    if (now() >= request.expiresMs) throw new PaymentError('EXPIRED', 'The request has expired.', { hint: 'Ask for a new one.' })
  }

  function choose(request: PaymentRequest): { provider: PaymentProvider; method: PaymentRequest['methods'][number]; index: number } {
    for (const [index, method] of request.methods.entries()) {
      const provider = providers.find(
        (each) => each.capabilities.pay && each.methods.includes(method.type) && each.supports(request.money.asset)
      )
      if (provider !== undefined) return { provider, method, index }
    }
    throw new PaymentError('NO_METHOD', 'No provider here can pay by any method of the request.')
  }

  /** The request as its payee has signed it, whatever the caller's object says. */
  function reread({ bytes, room }: Pick<PaymentRequest, 'bytes' | 'room'>, atMs: number): PaymentRequest {
    const read = readRequest(bytes, { room, atMs })
    if (!read.ok) throw read.error
    return read.value
  }

  return {
    async pay(given, { maxFee, signal }, refundOf = new Uint8Array()) {
      assertFee(maxFee)
      throwIfAborted(signal)
      const request = reread(given, now())
      return inTurn(request.coreHash, signal, (stop) => payInTurn(request, maxFee, refundOf, stop))
    },
    async heedCancel(given, cancel) {
      const request = reread(given, now())
      const read = readNotice(cancel, { kind: 'cancel', request, atMs: now() })
      if (!read.ok) throw read.error
      if (isClosed) throw closedError()
      return book.cancel(request, now())
    },
    async recover(signal) {
      // Nothing was sent of what was only begun, and is not under way: it stands in the way of no other.
      for (const { requestHash, state } of journal.list()) {
        if (state !== 'begun' || underWay.has(encodeZ32(requestHash))) continue
        await inTurn(requestHash, signal, async () => {
          // It may have been paid since the list was read.
          if (journal.get(requestHash)?.state === 'begun') await book.write(requestHash, { state: 'failed' })
        })
      }
      const open = journal.list().filter(({ state }) => state === 'sent')
      const recovered: RecoveredPayment[] = []
      for (const { requestHash } of open) {
        throwIfAborted(signal)
        recovered.push(await inTurn(requestHash, signal, (stop) => recoverOne(requestHash, stop)))
      }
      return recovered
    },
    async close() {
      isClosed = true
      // What is on its way is looked up at the next start.
      for (const each of stops) each.stop(closedError())
      await Promise.all(underWay.values())
      await journal.close()
    }
  }

  async function recoverOne(requestHash: Uint8Array, stop: Stop): Promise<RecoveredPayment> {
    const entry = journal.get(requestHash)!
    // As it was when it was begun: a certificate may have ended since.
    const request = reread({ bytes: entry.request, room: entry.room }, entry.beganMs)
    try {
      const settled = entry.state === 'sent' ? await look(attemptOf(request, entry), stop) : entry
      return { requestHash, state: 'paid', receipt: receiptOf(request, settled) }
    } catch (error) {
      if (!(error instanceof PaymentError)) throw error
      const state = journal.get(requestHash)!.state === 'failed' ? 'failed' : 'sent'
      return { requestHash, state, receipt: null }
    }
  }
}

function closedError(): PaymentError {
  return new PaymentError('PAYMENTS_CLOSED', 'The wallet was closed.')
}

function ignore(): void {
  // It is told to whom it concerns; here only the time counts.
}

import { assertFunction, assertOptions, assertSignal, encodeZ32, isCoveyError, raceSignal, throwIfAborted } from '@covey/core'
import { knownAssets, type AssetRegistry } from './assets.js'
import { PaymentError } from './errors.js'
import { checkVerification, refuse } from './internal/outcomes.js'
import { createPayer } from './internal/payer.js'
import { settle, type Settlement } from './internal/settle.js'
import type { Signer } from './internal/signed-message.js'
import type { JournalEntry, PaymentJournal } from './journal.js'
import { assertPolicy, type SpendingPolicy } from './policy.js'
import type { Fee, PaymentProvider, ProviderOptions, Verification } from './provider.js'
import { readReceipt, type PaymentReceipt } from './receipt.js'
import { readRefund, readRefundClaim, type RefundClaim, type RefundInit } from './refund.js'
import { draftRequest, signRequest, type PaymentMethod, type PaymentRequest, type RequestInit } from './request.js'
import { signNotice, type PaymentNotice } from './settlement.js'

/** What {@link createPayments} takes. */
export interface PaymentsInit {
  /** Who pays and is paid: an open identity. */
  signer: Signer
  /** Where payments are written down before they are made. It belongs to this wallet alone, and is closed with it. */
  journal: PaymentJournal
  /** What moves money, and verifies: one for each rail. */
  providers: readonly PaymentProvider[]
  /** Default: `knownAssets`. */
  assets?: AssetRegistry | undefined
  /** Default: nothing but what `maxFee` says. */
  policy?: SpendingPolicy | undefined
  /** The time in milliseconds since 1970. Default: `Date.now`. */
  now?: (() => number) | undefined
}

/** Options of {@link Payments.pay}. */
export interface PayOptions extends ProviderOptions {
  /**
   * The most that moving the money may cost, on top of the amount: mandatory. On an EVM chain it is in the chain's coin.
   * An amount of 0 is allowed where there are no fees.
   */
  maxFee: Fee
}

/** What {@link Payments.request} takes: who asks, and where, is known. */
export type PaymentsRequestInit = Omit<RequestInit, 'payee' | 'createdMs'>

/** Options of {@link Payments.settlement}. */
export interface SettlementOptions extends ProviderOptions {
  /** What the payer shows. */
  receipt?: PaymentReceipt | undefined
}

/** A receipt, and the request that it says was paid. */
export interface ReceiptClaim {
  readonly request: PaymentRequest
  readonly receipt: PaymentReceipt
}

/** A payment that was looked up by {@link Payments.recover}. */
export interface RecoveredPayment {
  /** The `coreHash` of the request, 32 bytes. */
  readonly requestHash: Uint8Array
  /** `sent`: nobody can say yet. */
  readonly state: 'paid' | 'failed' | 'sent'
  /** To be shown to the payee; `null` unless it is `paid`. */
  readonly receipt: PaymentReceipt | null
}

/** A wallet over providers: asks, pays, and verifies. */
export interface Payments extends AsyncDisposable {
  /**
   * A signed request to this identity, with a method of each provider that can be paid in the asset.
   *
   * @throws {PaymentError} UNKNOWN_ASSET, NO_METHOD, and what providers fail with: PROVIDER_UNAVAILABLE where that is no
   *   PaymentError.
   */
  request(init: PaymentsRequestInit, options?: ProviderOptions): Promise<PaymentRequest>
  /**
   * Pays a request, once, whatever happens: what is to be paid is durable before anything is sent, a request that was
   * paid gives its receipt again, and one whose outcome is not known is looked up and not paid anew. So it is safe, and
   * right, to call it again after any error or crash.
   *
   * An abort ends the waiting. What was sent by then may still be paid.
   *
   * @throws {PaymentError} see `PaymentErrorCode`; `UNKNOWN_OUTCOME` is the one that asks for another look.
   * @throws {TypeError} when the request is not for this identity, or an option is wrong.
   */
  pay(request: PaymentRequest, options: PayOptions): Promise<PaymentReceipt>
  /**
   * Looks up all payments whose outcome is not known: to be called after a start. What this cannot settle stays as it is.
   */
  recover(options?: ProviderOptions): Promise<RecoveredPayment[]>
  /**
   * Whether the receipt shows that the request was paid, as far as a provider here can tell. `unknown` where none can.
   * Not to be called where all have to come to the same answer: it asks the network.
   */
  verify(request: PaymentRequest, receipt: PaymentReceipt, options?: ProviderOptions): Promise<Verification>
  /**
   * Verifies receipts **in the room's order**, each proof once: what an earlier receipt has used up is `invalid` in a later
   * one, and waits, as `pending` or `unknown`, while the earlier one does. So of all who show the same proof the first
   * counts, and all who have the same order agree.
   */
  verifyAll(claims: readonly ReceiptClaim[], options?: ProviderOptions): Promise<Verification[]>
  /**
   * Whether the money of a request of one's own is here: what whoever gives something for it has to ask. A preimage does
   * not count, the wallet that has made the invoice does; for a chain the payer's receipt is needed.
   *
   * @throws {PaymentError} MESSAGE_MISMATCH and others of `readRequest`, when the request is not one's own.
   */
  settlement(request: PaymentRequest, options?: SettlementOptions): Promise<Settlement>
  /**
   * Takes a request of this person back, by a message for those who might pay it. It holds up nobody who has not heard of
   * it: what was sent by then is paid, and can be given back by {@link refund}.
   *
   * @throws {TypeError} when it is a request of somebody else.
   */
  cancel(request: PaymentRequest): PaymentNotice
  /**
   * Takes note, durably, that a request was taken back: from when it resolves, nothing is begun or sent for it by this
   * wallet, and what has failed is not tried again. Resolves to whether that was in time: `false` where a payment was sent
   * before, which goes its way, and may have been made.
   *
   * @param cancel the `bytes` of the payee's notice, from whomever.
   * @throws {PaymentError} MESSAGE_… where it is no such notice, JOURNAL_FAILED, PAYMENTS_CLOSED
   */
  heedCancel(request: PaymentRequest, cancel: Uint8Array): Promise<boolean>
  /**
   * Says, as the payee, that the money of a receipt is here: its proof is verified, and {@link settlement} has to say so too.
   * Where several show one proof, it is the order of the room that tells whose it is; see {@link verifyAll}.
   *
   * @throws {PaymentError} NOT_PAID, retryable unless the receipt is `invalid`; MESSAGE_… for a receipt that is none.
   * @throws {TypeError} when it is a request of somebody else.
   */
  ack(request: PaymentRequest, receipt: PaymentReceipt, options?: ProviderOptions): Promise<PaymentNotice>
  /**
   * Gives back what a receipt shows, and {@link settlement} too, by paying a request of its payer; once for each payment, whatever
   * happens and however often it is asked for. What {@link pay} has paid for such a request is a refund from when this is called
   * for it, and not before. A Lightning proof can be shown by whoever has seen it: so for such a one the request that was paid
   * has to name its payer.
   *
   * @throws {PaymentError} NOT_PAID, MESSAGE_MISMATCH where the two do not belong together, DUPLICATE where it was given
   *   back by another request, and what {@link pay} fails with.
   * @throws {TypeError} when it is a request of somebody else.
   */
  refund(init: RefundInit, options: PayOptions): Promise<{ notice: PaymentNotice; receipt: PaymentReceipt }>
  /** Whether a refund was made, as {@link verify} says of a payment: `invalid` too where its parts do not belong together. */
  verifyRefund(claim: RefundClaim, options?: ProviderOptions): Promise<Verification>
  /** All payments, in no order. */
  list(): readonly JournalEntry[]
  /**
   * Ends what is under way with PAYMENTS_CLOSED, waits for what is being written, and closes the journal. What was sent is looked up by
   * `recover` at the next start. May be called twice.
   */
  close(): Promise<void>
}

/**
 * A wallet that asks, pays and verifies by the given providers.
 *
 * @throws {TypeError} that names the field.
 * @example
 * ```ts
 * import type { LocalIdentity } from '@covey/identity'
 * import { createPayments, openFileJournal, type PaymentProvider, type PaymentRequest } from '@covey/payments'
 *
 * async function settle(bob: LocalIdentity, provider: PaymentProvider, request: PaymentRequest) {
 *   const journal = await openFileJournal('./bob/payments')
 *   const payments = createPayments({ signer: bob, journal, providers: [provider] })
 *   await payments.recover()
 *   return payments.pay(request, { maxFee: { asset: request.money.asset, amount: 1_000n } })
 * }
 * ```
 */
export function createPayments(init: PaymentsInit): Payments {
  assertOptions(init, 'init', ['signer', 'journal', 'providers', 'assets', 'policy', 'now'])
  const { signer, journal, providers, assets = knownAssets, policy = {}, now = Date.now } = init
  assertProviders(providers)
  assertPolicy(policy, 'init.policy')
  assertFunction(now, 'init.now')
  const payer = createPayer({ signer, journal, providers, assets, policy, now })
  /** By the proof, and by this person's own wallet or a chain: a proof that others could have copied is not enough. */
  async function assertPaid(request: PaymentRequest, receipt: PaymentReceipt, options: ProviderOptions): Promise<Verification> {
    const verification = await payments.verify(request, receipt, options)
    const { status, reason } = verification
    if (status !== 'valid') throw new PaymentError('NOT_PAID', `The receipt is ${status}: ${reason}`, { retryable: status !== 'invalid' })
    const settlement = await payments.settlement(request, { ...options, receipt })
    if (settlement.status === 'settled') return verification
    throw new PaymentError('NOT_PAID', `The receipt is valid, and the payment is ${settlement.status}: ${settlement.reason}`, { retryable: true })
  }

  const payments: Payments = {
    async request(requestInit, options = {}) {
      throwIfAborted(checkOptions(options))
      const core = draftRequest({ ...requestInit, payee: signer.identity.publicKey, createdMs: now() })
      assets.get(core.money.asset)
      const able = providers.filter((each) => each.capabilities.receive && each.supports(core.money.asset))
      if (able.length === 0) throw new PaymentError('NO_METHOD', 'No provider here can be paid in this asset.')
      const making = able.map((each) => each.createMethod(core, options).catch(refuse(options.signal)))
      const methods: PaymentMethod[] = await raceSignal(Promise.all(making), options.signal)
      return signRequest(signer, core, methods)
    },
    pay(request, options) {
      assertOptions(options, 'options', ['maxFee', 'signal'])
      checkOptions({ signal: options.signal })
      return payer.pay(request, options)
    },
    recover: (options = {}) => payer.recover(checkOptions(options)),
    async verify(request, receipt, options = {}) {
      const signal = checkOptions(options)
      const read = readReceipt(receipt.bytes, { request, atMs: now() })
      if (!read.ok) return invalid(read.error.message)
      const { method: type, payer: identity, proof } = read.value
      // Of several methods of one type it is enough that one was paid by.
      const claims = request.methods.filter((method) => method.type === type)
      const provider = providers.find(
        (each) => each.capabilities.verify && each.methods.includes(type) && each.supports(request.money.asset)
      )
      if (provider === undefined) return { ...invalid('No provider here can verify this.'), status: 'unknown' }
      const all: Verification[] = []
      for (const method of claims) {
        const verified = provider.verify({ request, method, payer: identity, proof }, { signal })
        all.push(checkVerification(await verified.catch(cannotSay(signal))))
      }
      const order: readonly Verification['status'][] = ['valid', 'pending', 'unknown', 'invalid']
      return all.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))[0]!
    },
    async verifyAll(claims, options = {}) {
      const signal = checkOptions(options)
      const verified: Verification[] = []
      for (const { request, receipt } of claims) verified.push(await payments.verify(request, receipt, { signal }))
      return spendOnce(verified)
    },
    settlement(request, options = {}) {
      assertOptions(options, 'options', ['receipt', 'signal'])
      const { receipt, signal } = options
      checkOptions({ signal })
      const verify = (asked: PaymentRequest, shown: PaymentReceipt): Promise<Verification> => payments.verify(asked, shown, { signal })
      return settle({ payee: signer.identity.publicKey, providers, verify, now }, request, receipt, signal)
    },
    cancel: (request) => signNotice(signer, request, { kind: 'cancel', createdMs: now() }),
    heedCancel: (request, cancel) => payer.heedCancel(request, cancel),
    async ack(request, receipt, options = {}) {
      const read = readReceipt(receipt.bytes, { request, atMs: now() })
      if (!read.ok) throw read.error
      const init = { kind: 'ack', receipt: read.value.hash, createdMs: now() } as const
      const notice = signNotice(signer, request, init)
      await assertPaid(request, read.value, options)
      return notice
    },
    async refund(init, options) {
      assertOptions(init, 'init', ['request', 'receipt', 'refundRequest'])
      assertOptions(options, 'options', ['maxFee', 'signal'])
      const read = readRefund(init, now())
      if (!read.ok) throw read.error
      const { request, receipt, refundRequest } = read.value
      const hashes = { receipt: receipt.hash, refundRequest: refundRequest.coreHash }
      const notice = signNotice(signer, request, { kind: 'refund', ...hashes, createdMs: now() })
      const { level, spends } = await assertPaid(request, receipt, { signal: options.signal })
      if (level === 'preimage' && request.payer === null) {
        throw new PaymentError('NOT_PAID', 'Whoever has seen this proof can show it: nobody can say who has paid.', { hint: 'Name the payer in requests.' })
      }
      return { notice, receipt: await payer.pay(refundRequest, options, spends!) }
    },
    async verifyRefund(claim, options = {}) {
      const signal = checkOptions(options)
      const read = readRefundClaim(claim, now())
      return read.ok ? payments.verify(read.value.refundRequest, claim.refundReceipt, { signal }) : invalid(read.error.message)
    },
    list: () => journal.list(),
    close: () => payer.close(),
    [Symbol.asyncDispose]: () => payments.close()
  }
  return payments
}

/** In the room's order: a proof that was used before is none, and one that may have been has to wait. */
function spendOnce(verified: readonly Verification[]): Verification[] {
  const spent = new Map<string, Verification['status']>()
  return verified.map((verification) => {
    const { spends, status } = verification
    if (spends === null || status === 'invalid') return verification
    const key = encodeZ32(spends)
    const earlier = spent.get(key)
    if (earlier === undefined) {
      spent.set(key, status)
      return verification
    }
    const reason = 'An earlier receipt has the same proof.'
    return earlier === 'valid' ? invalid(reason) : { ...verification, status: earlier, reason }
  })
}

/** A receipt on which a provider breaks holds up no other. */
function cannotSay(signal: AbortSignal | undefined): (cause: unknown) => Verification {
  return (cause) => {
    throwIfAborted(signal)
    const code = isCoveyError(cause) ? cause.code : 'it broke'
    return { ...invalid(`The provider cannot say: ${code}.`), status: 'unknown' }
  }
}

function invalid(reason: string): Verification {
  return { status: 'invalid', level: null, confirmations: null, spends: null, reason }
}

function checkOptions(options: ProviderOptions): AbortSignal | undefined {
  assertOptions(options, 'options', ['signal'])
  assertSignal(options.signal, 'options.signal')
  return options.signal
}

function assertProviders(providers: readonly PaymentProvider[]): void {
  if (!Array.isArray(providers)) throw new TypeError('init.providers must be an array')
  const names = new Set<string>()
  for (const [index, { name }] of providers.entries()) {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) throw new TypeError(`init.providers[${index}].name must be a–z, 0–9 and hyphens`)
    if (names.has(name)) throw new TypeError(`init.providers[${index}].name is taken`)
    names.add(name)
  }
}


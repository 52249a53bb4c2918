import { assertBytes, assertFunction, assertInteger, assertOptions, assertSignal, assertString, createTurns, encodeZ32, equalBytes, throwIfAborted } from '@covey/core'
import { MAX_PURPOSE_BYTES, MAX_REFERENCE_BYTES, MAX_REQUEST_EXPIRY_MS } from './constants.js'
import { PaymentError } from './errors.js'
import { MAX_GRANT_BYTES, type GateEntry, type GateJournal } from './gate-journal.js'
import { assertMoney, type Money } from './money.js'
import type { Payments } from './payments.js'
import type { ProviderOptions } from './provider.js'
import { readReceipt, type PaymentReceipt } from './receipt.js'
import { readRequest, type PaymentRequest } from './request.js'

/** What is granted, and to whom. */
export interface GateGrant {
  /** The identity that the request names, and the only one that gets something for it. */
  readonly payer: Uint8Array
  readonly request: PaymentRequest
  /** Aborted when the caller has stopped waiting. */
  readonly signal?: AbortSignal | undefined
}

/** What {@link createGate} takes. */
export interface GateInit {
  /** The wallet of who holds the key. */
  payments: Pick<Payments, 'request' | 'settlement'>
  /** It belongs to this gate alone, and is closed with it. */
  journal: GateJournal
  /** The room in which is asked and paid: its key, 32 bytes. */
  room: Uint8Array
  /** What is behind the gate, for programs: the `reference` of its requests. At most 128 bytes. */
  name: string
  /** What is behind the gate, for people: the `purpose` of its requests. At most 639 bytes. */
  purpose: string
  price: Money
  /**
   * Opens the gate to one person, and resolves to what they are to be given, at most {@link MAX_GRANT_BYTES}: an invite that
   * only they can join by, the key of a file; nothing, `new Uint8Array()`, for a role that it has set itself. It is called
   * once for each payment, **and once more where the process ended, or it failed, before what it had resolved to was written
   * down**: nobody was told of the former grant then. So a role that is set twice is right, and an invite should be for one person.
   */
  grant(grant: GateGrant): Promise<Uint8Array>
  /** How long a price that was named can be paid. Default {@link DEFAULT_GATE_EXPIRY_MS}. */
  expiresInMs?: number | undefined
  /** The time in milliseconds since 1970. Default: `Date.now`. */
  now?: (() => number) | undefined
}

/** Options of {@link Gate.open}. */
export interface OpenGateOptions extends ProviderOptions {
  /** What the payer shows. A chain needs it; one's own wallet knows by itself. */
  receipt?: PaymentReceipt | undefined
}

/** What lies behind a gate, for one payment. */
export interface OpenedGate {
  /** The `coreHash` of the request, 32 bytes. */
  readonly requestHash: Uint8Array
  /** Who has paid, by the request. */
  readonly payer: Uint8Array
  /** What `grant` has resolved to; the same each time. */
  readonly grant: Uint8Array
}

/** Something that is given for money, once for each payment, by who holds the key to it. */
export interface Gate extends AsyncDisposable {
  readonly price: Money
  /** For requests from now on. A price that was named stands until it expires: somebody may be paying it. */
  setPrice(price: Money): void
  /**
   * A signed request to one person. It is durable before it is given, so that no payment can come that the gate does not
   * know. Who asks again at the same price gets the same request, while half of its time is left.
   *
   * @throws {PaymentError} what `Payments.request` fails with, and JOURNAL_FAILED.
   */
  ask(payer: Uint8Array, options?: ProviderOptions): Promise<PaymentRequest>
  /**
   * What was paid for: once the money is in this person's own wallet, or deep enough in a chain. Safe to call again after
   * any error or crash, and it gives the same each time.
   *
   * @param requestHash the `coreHash` of a request of {@link ask}.
   * @throws {PaymentError} GATE_UNKNOWN_REQUEST for one that this gate has not made; NOT_PAID; EXPIRED where it was
   * not paid in time; DUPLICATE where that payment has opened the gate by another request; PROVIDER_UNAVAILABLE where
   * wallet or chain cannot be asked; GATE_GRANT_FAILED where `grant` did; JOURNAL_FAILED; for a receipt, as `readReceipt`.
   */
  open(requestHash: Uint8Array, options?: OpenGateOptions): Promise<OpenedGate>
  /**
   * Opens to all who have paid and were given nothing: to be called after a start, and from time to time. What this cannot
   * settle stays as it is, until it is `over`: 15 minutes after it has expired where nothing has come, and a week after
   * that where wallet or chain could not say.
   */
  recover(options?: ProviderOptions): Promise<OpenedGate[]>
  /** All requests, in no order. */
  list(): readonly GateEntry[]
  /** Waits for what is being written, and closes the journal. May be called twice. */
  close(): Promise<void>
}

/** How long a price that a gate has named can be paid, unless told otherwise. */
export const DEFAULT_GATE_EXPIRY_MS = 15 * 60_000
/** How far the clocks of payee and chain may be apart, and how long a payment that was sent in time may take to be in a block. */
const LATE_MS = 15 * 60_000
/** How long after that a wallet or a chain is asked again that could not say: longer than either is usually away. */
const UNKNOWN_MS = 7 * 24 * 3_600_000
const FIELDS = ['payments', 'journal', 'room', 'name', 'purpose', 'price', 'grant', 'expiresInMs', 'now'] as const
const NOTHING = new Uint8Array()

/**
 * A gate: whoever pays the price is granted what is behind it, by the device that holds the key, and by no other.
 * Nothing is given for a proof that others could copy: the payee's own wallet has to have the money, or a chain.
 *
 * @throws {TypeError} that names the field.
 * @example
 * ```ts
 * import { createGate, openGateJournal, type Payments } from '@covey/payments'
 *
 * async function sellTea(payments: Payments, room: Uint8Array, customer: Uint8Array, pour: (to: Uint8Array) => Promise<Uint8Array>) {
 *   const gate = createGate({
 *     payments,
 *     journal: await openGateJournal('./alice/gates/tea'),
 *     room,
 *     name: 'tea',
 *     purpose: 'A cup of tea',
 *     price: { asset: 'lightning:bc/slip44:0', amount: 21_000n },
 *     grant: ({ payer }) => pour(payer)
 *   })
 *   await gate.recover()
 *   const request = await gate.ask(customer)
 *   // …the customer pays it, and says so:
 *   return gate.open(request.coreHash)
 * }
 * ```
 */
export function createGate(init: GateInit): Gate {
  assertOptions(init, 'init', FIELDS)
  const { payments, journal, room, name, purpose, grant, expiresInMs = DEFAULT_GATE_EXPIRY_MS, now = Date.now } = init
  assertBytes(room, 'init.room', 32)
  assertString(name, 'init.name', { minLength: 1, maxBytes: MAX_REFERENCE_BYTES })
  assertString(purpose, 'init.purpose', { maxBytes: MAX_PURPOSE_BYTES })
  assertFunction(grant, 'init.grant')
  assertInteger(expiresInMs, 'init.expiresInMs', { min: 1, max: MAX_REQUEST_EXPIRY_MS })
  assertFunction(now, 'init.now')
  assertMoney(init.price, 'init.price')
  let price: Money = init.price
  const turns = createTurns()
  /** By payer: what was asked in this process. */
  const newest = new Map<string, PaymentRequest>()
  let isClosed = false

  async function askInTurn(payer: Uint8Array, signal: AbortSignal | undefined): Promise<PaymentRequest> {
    const wanted = price
    const former = newest.get(encodeZ32(payer))
    if (former !== undefined && journal.get(encodeZ32(former.coreHash))?.state === 'asked') {
      const isFresh = former.expiresMs - now() > (former.expiresMs - former.createdMs) / 2
      if (isFresh && former.money.asset === wanted.asset && former.money.amount === wanted.amount) return former
    }
    const request = await payments.request({ room, payer, money: wanted, purpose, reference: name, expiresInMs }, { signal })
    const nothing = { receipt: NOTHING, spends: NOTHING, grant: NOTHING }
    await put({ requestHash: request.coreHash, state: 'asked', room, request: request.bytes, ...nothing, payer, askedMs: request.createdMs })
    newest.set(encodeZ32(payer), request)
    return request
  }

  async function openInTurn(key: string, shown: PaymentReceipt | undefined, signal: AbortSignal | undefined): Promise<OpenedGate> {
    const found = journal.get(key)
    if (found === undefined) throw new PaymentError('GATE_UNKNOWN_REQUEST', 'The gate has not asked for this.')
    const request = reread(found)
    const isOpen = found.state === 'asked' || found.state === 'over'
    const entry = isOpen ? await settle(found, request, shown, signal) : found
    if (entry.state === 'late') throw new PaymentError('EXPIRED', 'It was paid after the request had expired.', { hint: 'Give it back, or ask for a new request.' })
    const { payer } = entry
    if (entry.state === 'granted') return { requestHash: entry.requestHash, payer, grant: Uint8Array.from(entry.grant) }
    let given: Uint8Array
    try {
      given = Uint8Array.from(await grant({ payer, request, signal }))
      if (given.length > MAX_GRANT_BYTES) throw new TypeError(`a grant has at most ${MAX_GRANT_BYTES} bytes`)
    } catch (cause) {
      throwIfAborted(signal)
      throw new PaymentError('GATE_GRANT_FAILED', 'It is paid, and could not be granted.', { cause, retryable: true, hint: 'Open it again.' })
    }
    // Before anybody is told of it: what is not written may be made anew, and what was told never is.
    await put({ ...entry, state: 'granted', grant: given })
    return { requestHash: entry.requestHash, payer, grant: Uint8Array.from(given) }
  }

  /** The entry, once it is `paid` or `late`; an error until then. */
  async function settle(entry: GateEntry, request: PaymentRequest, shown: PaymentReceipt | undefined, signal: AbortSignal | undefined): Promise<GateEntry> {
    const receipt = receiptOf(request, shown?.bytes ?? entry.receipt)
    const { status, spends, paidMs, reason } = await payments.settlement(request, { receipt, signal })
    if (status === 'settled') return markPaid(entry, spends!, paidMs !== null && paidMs > request.expiresMs + LATE_MS)
    // What may yet count is kept: it may become enough by itself, also after a crash.
    const kept = status === 'open' || shown === undefined ? entry.receipt : shown.bytes
    const isOver = now() > request.expiresMs + LATE_MS + (status === 'open' ? 0 : UNKNOWN_MS)
    const state = isOver ? 'over' : 'asked'
    if (state !== entry.state || !equalBytes(kept, entry.receipt)) await put({ ...entry, state, receipt: kept })
    if (status === 'unknown') throw new PaymentError('PROVIDER_UNAVAILABLE', reason, { retryable: true })
    if (status === 'open' && now() >= request.expiresMs) throw new PaymentError('EXPIRED', 'It was not paid in time.', { hint: 'Ask for a new request.' })
    throw new PaymentError('NOT_PAID', reason, { retryable: true })
  }

  /** One payment opens the gate once, whichever requests it is shown for: so one after the other. */
  function markPaid(entry: GateEntry, spends: Uint8Array, isLate: boolean): Promise<GateEntry> {
    return turns.take('paid', undefined, async () => {
      if (journal.list().some((other) => equalBytes(other.spends, spends))) {
        throw new PaymentError('DUPLICATE', 'That payment has opened the gate before, by another request.')
      }
      const paid: GateEntry = { ...entry, state: isLate ? 'late' : 'paid', spends }
      await put(paid)
      return paid
    })
  }

  function put(entry: GateEntry): Promise<void> {
    return journal.put(encodeZ32(entry.requestHash), entry)
  }

  /** Of this gate's own making: as it was when it was made, for a certificate may have ended since. */
  function reread({ request, askedMs }: GateEntry): PaymentRequest {
    const read = readRequest(request, { room, atMs: askedMs })
    if (!read.ok) throw read.error
    return read.value
  }

  function receiptOf(request: PaymentRequest, bytes: Uint8Array): PaymentReceipt | undefined {
    if (bytes.length === 0) return undefined
    const read = readReceipt(bytes, { request, atMs: now() })
    if (!read.ok) throw read.error
    return read.value
  }

  function refuseClosed(): void {
    if (isClosed) throw new PaymentError('PAYMENTS_CLOSED', 'The gate was closed.')
  }

  const gate: Gate = {
    get price() {
      return price
    },
    setPrice(next) {
      assertMoney(next, 'price')
      price = next
    },
    async ask(payer, options = {}) {
      assertBytes(payer, 'payer', 32)
      const signal = checkOptions(options)
      refuseClosed()
      return turns.take(`ask ${encodeZ32(payer)}`, signal, () => askInTurn(payer, signal))
    },
    async open(requestHash, options = {}) {
      assertBytes(requestHash, 'requestHash', 32)
      assertOptions(options, 'options', ['receipt', 'signal'])
      const { receipt, signal } = options
      checkOptions({ signal })
      refuseClosed()
      const key = encodeZ32(requestHash)
      return turns.take(key, signal, () => openInTurn(key, receipt, signal))
    },
    async recover(options = {}) {
      const signal = checkOptions(options)
      refuseClosed()
      const opened: OpenedGate[] = []
      for (const { state, requestHash } of journal.list()) {
        if (state !== 'asked' && state !== 'paid') continue
        try {
          opened.push(await gate.open(requestHash, { signal }))
        } catch (error) {
          throwIfAborted(signal)
          if (!(error instanceof PaymentError)) throw error
        }
      }
      return opened
    },
    list: () => journal.list(),
    async close() {
      isClosed = true
      await turns.end()
      await journal.close()
    },
    [Symbol.asyncDispose]: () => gate.close()
  }
  return gate
}

function checkOptions(options: ProviderOptions): AbortSignal | undefined {
  assertOptions(options, 'options', ['signal'])
  assertSignal(options.signal, 'options.signal')
  throwIfAborted(options.signal)
  return options.signal
}

import { equalBytes } from '@covey/core'
import { PaymentError } from '../errors.js'
import type { JournalEntry, PaymentJournal } from '../journal.js'
import { checkLimits, type SpendingLimit } from '../policy.js'
import type { PaymentRequest } from '../request.js'
import { notKnown } from './outcomes.js'

/** What a wallet does with its journal. */
interface Book {
  /** Writes down a payment that is about to be made, where nothing speaks against it. */
  reserve(entry: JournalEntry, limits: readonly SpendingLimit[]): Promise<void>
  /** Changes an entry. A `handle`, after which it is sent, is refused where the payee has taken the request back. */
  write(requestHash: Uint8Array, to: Partial<JournalEntry>): Promise<JournalEntry>
  /** Says of a payment that was begun by `pay` what it gives back, where nothing else does. */
  giveBack(requestHash: Uint8Array, refundOf: Uint8Array): Promise<void>
  /** Whether it came before anything was sent. */
  cancel(request: PaymentRequest, nowMs: number): Promise<boolean>
  /** @throws {PaymentError} CANCELLED */
  refuseCancelled(requestHash: Uint8Array): void
}

/**
 * Each change is made of what the former one has left, one after the other. So of a cancel and a payment, or of two
 * payments to one destination, the one that is written first counts.
 */
export function createBook(journal: PaymentJournal): Book {
  let changing: Promise<unknown> = Promise.resolve()

  function change<Value>(make: () => Promise<Value>): Promise<Value> {
    const changed = changing.then(make, make)
    changing = changed
    return changed
  }

  /** All that was paid, or may be, for other requests. */
  function othersThan(requestHash: Uint8Array): JournalEntry[] {
    return journal.list().filter((other) => other.state !== 'failed' && !equalBytes(other.requestHash, requestHash))
  }

  const book: Book = {
    reserve(entry, limits) {
      return change(async () => {
        book.refuseCancelled(entry.requestHash)
        const others = othersThan(entry.requestHash)
        if (others.some(({ destination }) => equalBytes(destination, entry.destination))) {
          throw new PaymentError('DUPLICATE', 'Another request with the same invoice or address was paid, or is being paid.')
        }
        refuseGivenBack(entry.refundOf, others)
        checkLimits(limits, entry, journal.list())
        await journal.put(entry)
      })
    },
    write(requestHash, to) {
      return change(async () => {
        const former = journal.get(requestHash)!
        if (to.handle !== undefined) book.refuseCancelled(requestHash)
        const entry = { ...former, ...to }
        await journal.put(entry)
        return entry
      })
    },
    giveBack(requestHash, refundOf) {
      return change(async () => {
        refuseGivenBack(refundOf, othersThan(requestHash))
        await journal.put({ ...journal.get(requestHash)!, refundOf }).catch(notKnown(undefined))
      })
    },
    cancel(request, nowMs) {
      return change(async () => {
        const former = journal.get(request.coreHash) ?? neverBegun(request, nowMs)
        if (!former.isCancelled) await journal.put({ ...former, isCancelled: true })
        return former.state === 'begun' || former.state === 'failed'
      })
    },
    refuseCancelled(requestHash) {
      if (journal.get(requestHash)?.isCancelled !== true) return
      throw new PaymentError('CANCELLED', 'The payee has taken the request back.')
    }
  }
  return book
}

function refuseGivenBack(refundOf: Uint8Array, others: readonly JournalEntry[]): void {
  if (refundOf.length === 0 || !others.some((other) => equalBytes(other.refundOf, refundOf))) return
  throw new PaymentError('DUPLICATE', 'The payment was given back before, or is being given back, by another request.')
}

function neverBegun({ coreHash: requestHash, room, bytes, money }: PaymentRequest, beganMs: number): JournalEntry {
  const nothing = new Uint8Array()
  return {
    requestHash,
    state: 'failed',
    room,
    request: bytes,
    provider: '',
    method: 0,
    money,
    maxFee: { asset: money.asset, amount: 0n },
    destination: nothing,
    handle: nothing,
    proof: nothing,
    attempts: 0,
    beganMs,
    isCancelled: false,
    refundOf: nothing
  }
}

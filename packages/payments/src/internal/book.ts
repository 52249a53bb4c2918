import { equalBytes } from '@covey/core'
import { PaymentError } from '../errors.js'
import type { JournalEntry, PaymentJournal } from '../journal.js'
import { checkLimits, type SpendingLimit } from '../policy.js'
import type { PaymentRequest } from '../request.js'

/** What a wallet does with its journal. */
interface Book {
  /** Writes down a payment that is about to be made, where nothing speaks against it. */
  reserve(entry: JournalEntry, limits: readonly SpendingLimit[]): Promise<void>
  /** Changes an entry. `sent` is refused where the payee has taken the request back. */
  write(requestHash: Uint8Array, to: Partial<JournalEntry>): Promise<JournalEntry>
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

  const book: Book = {
    reserve(entry, limits) {
      return change(async () => {
        book.refuseCancelled(entry.requestHash)
        const all = journal.list()
        const others = all.filter((other) => other.state !== 'failed' && !equalBytes(other.requestHash, entry.requestHash))
        if (others.some(({ destination }) => equalBytes(destination, entry.destination))) {
          throw new PaymentError('DUPLICATE', 'Another request with the same invoice or address was paid, or is being paid.')
        }
        if (entry.refundOf.length > 0 && others.some(({ refundOf }) => equalBytes(refundOf, entry.refundOf))) {
          throw new PaymentError('DUPLICATE', 'The payment was given back before, or is being given back, by another request.')
        }
        checkLimits(limits, entry, all)
        await journal.put(entry)
      })
    },
    write(requestHash, to) {
      return change(async () => {
        const former = journal.get(requestHash)!
        if (to.state === 'sent') book.refuseCancelled(requestHash)
        const entry = { ...former, ...to }
        await journal.put(entry)
        return entry
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

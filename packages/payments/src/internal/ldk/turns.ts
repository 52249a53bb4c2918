import { PaymentError } from '../../errors.js'
import type { Ledger } from './ledger.js'
import type { LdkParts } from './parts.js'
import type { Peers } from './peers.js'
import { settle, type Told } from './settle.js'
import type { StateFolder } from './state-folder.js'

interface Waiter {
  resolve(): void
  reject(error: PaymentError): void
}

/** What a node does with its parts once they are put together. */
export interface TurnsInit {
  parts: LdkParts
  peers: Peers
  told: Told
  /** Hands transactions to the network. */
  broadcast(txs: readonly Uint8Array[]): void
  /** After each turn. */
  turned(): void
  /** Nothing can be done any more. */
  stopped(error: PaymentError): void
}

/**
 * Runs LDK in turns: what was asked of it or has arrived, then all that follows from it, then the new state is written
 * as one, and only then does anything leave: messages, transactions, answers. So whenever a process dies, what it held
 * in memory was never seen by anybody, and the written state is one that LDK was in. While one state is written the
 * next is made, and written as a whole too.
 */
export class Turns {
  readonly #state: StateFolder
  readonly #ledger: Ledger
  readonly #changes = new Map<string, Uint8Array | null>()
  #transactions: Uint8Array[] = []
  #waiters: Waiter[] = []
  #init: TurnsInit | undefined
  #turning: Promise<void> | undefined
  #again = false
  #failure: PaymentError | undefined

  constructor(state: StateFolder, ledger: Ledger) {
    this.#state = state
    this.#ledger = ledger
  }

  begin(init: TurnsInit): void {
    this.#init = init
    this.#schedule()
  }

  /**
   * Every call of LDK goes through here, and is one piece.
   *
   * @throws {PaymentError} WALLET_FAILED, PAYMENTS_CLOSED
   */
  readonly enter = <Value>(call: () => Value): Value => {
    try {
      return this.look(call)
    } finally {
      this.#schedule()
    }
  }

  /** As {@link enter}, for calls that change nothing. */
  look<Value>(call: () => Value): Value {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return call()
    } catch (error) {
      if (error instanceof PaymentError) throw error
      throw this.stop(failed(error))
    }
  }

  /** For LDK, which calls these from within. */
  readonly changed = (name: string, bytes: Uint8Array | null): void => void this.#changes.set(name, bytes)
  readonly broadcast = (tx: Uint8Array): void => void this.#transactions.push(Uint8Array.from(tx))

  /** Resolves when all that was done is written. */
  durable(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#waiters.push({ resolve, reject })
      this.#schedule()
    })
  }

  /** Ends all for good, with the first reason given. */
  stop(error: PaymentError): PaymentError {
    if (this.#failure !== undefined) return this.#failure
    this.#failure = error
    for (const { reject } of this.#waiters.splice(0)) reject(error)
    this.#init?.peers.close()
    this.#init?.stopped(error)
    return error
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#turning
  }

  #schedule(): void {
    this.#again = true
    if (this.#init === undefined || this.#failure !== undefined) return
    const init = this.#init
    this.#turning ??= Promise.resolve()
      .then(() => this.#run(init))
      .catch((error: unknown) => void this.stop(error instanceof PaymentError ? error : failed(error)))
      .finally(() => {
        this.#turning = undefined
        if (this.#again) this.#schedule()
      })
  }

  async #run({ parts, peers, told, broadcast, turned }: TurnsInit): Promise<void> {
    while (this.#again && this.#failure === undefined) {
      this.#again = false
      const later = settle(parts, this.#ledger, told)
      const waiters = this.#waiters.splice(0)
      const send = peers.takeOutgoing()
      const transactions = this.#transactions.splice(0)
      const changes = this.#takeChanges(parts)
      const written = this.#ledger.takeWritten()
      try {
        if (changes.size > 0) await this.#state.commit(changes)
      } catch (error) {
        this.#waiters.push(...waiters)
        throw error
      }
      if (this.#failure !== undefined) return waiters.forEach(({ reject }) => reject(this.#failure!))
      written()
      send()
      if (transactions.length > 0) broadcast(transactions)
      for (const tell of later) tell()
      for (const { resolve } of waiters) resolve()
      turned()
    }
  }

  #takeChanges({ manager }: LdkParts): Map<string, Uint8Array | null> {
    const changes = new Map(this.#changes)
    this.#changes.clear()
    if (this.#ledger.isDirty) changes.set('ledger', this.#ledger.encode())
    if (manager.get_and_clear_needs_persistence() || changes.size > 0) changes.set('manager', manager.write())
    return changes
  }
}

function failed(cause: unknown): PaymentError {
  return new PaymentError('WALLET_FAILED', 'The wallet has stopped, for it could not write its state or found it broken.', {
    cause,
    hint: 'Open it again. Where it stops each time its state is older than what the other node knows: do not remove it, and close the channels from the other side.'
  })
}

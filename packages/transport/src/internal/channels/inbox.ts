import { onAbort, throwIfAborted } from '@covey/core'

interface Waiting<Item> {
  readonly item: Item
  readonly cost: number
}

interface Line<Item> {
  items: Waiting<Item>[]
  /** Where the first one is: cutting an array for each would be slow. */
  head: number
  cost: number
}

/** What has arrived from several peers and waits for a reader: a line for each, which take turns. */
export class Inbox<Item> {
  /** Those that are not empty; the next turn is the first one's. */
  readonly #lines = new Map<string, Line<Item>>()
  readonly #readers = new Set<() => void>()
  #cost = 0
  #isClosed = false

  /** Of all lines together. */
  get cost(): number {
    return this.#cost
  }

  costOf(peer: string): number {
    return this.#lines.get(peer)?.cost ?? 0
  }

  lengthOf(peer: string): number {
    const line = this.#lines.get(peer)
    return line === undefined ? 0 : line.items.length - line.head
  }

  push(peer: string, item: Item, cost: number): void {
    if (this.#isClosed) return
    const line = this.#lines.get(peer) ?? { items: [], head: 0, cost: 0 }
    line.items.push({ item, cost })
    line.cost += cost
    this.#cost += cost
    this.#lines.set(peer, line)
    this.#wake()
  }

  /** The next one, in turn; of one peer when it is named. */
  take(of?: string): { peer: string; item: Item } | null {
    const peer = of ?? this.#lines.keys().next().value
    const line = peer === undefined ? undefined : this.#lines.get(peer)
    if (peer === undefined || line === undefined) return null
    const { item, cost } = line.items[line.head]!
    line.items[line.head++] = undefined as never
    line.cost -= cost
    this.#cost -= cost
    if (line.head * 2 > line.items.length) {
      line.items = line.items.slice(line.head)
      line.head = 0
    }
    // To the end of the row: a Map keeps the order in which its keys were set.
    this.#lines.delete(peer)
    if (line.items.length > 0) this.#lines.set(peer, line)
    return { peer, item }
  }

  drop(peer: string): void {
    this.#cost -= this.costOf(peer)
    this.#lines.delete(peer)
  }

  /** Takes no more; what is there can still be read. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  /**
   * What `read` makes of each in turn, until the inbox is closed and empty; `null` is passed over. Who leaves the
   * loop leaves the rest to others.
   */
  values<Value>(
    signal: AbortSignal | undefined,
    read: (next: { peer: string; item: Item }) => Value | null
  ): AsyncIterableIterator<Value, undefined> {
    const done = { done: true, value: undefined } as const
    let hasLeft = false
    return {
      next: async () => {
        while (await this.#isReady(signal, () => hasLeft)) {
          const next = this.take()
          const value = next === null ? null : read(next)
          if (value !== null) return { done: false, value }
        }
        return done
      },
      return: () => {
        hasLeft = true
        this.#wake()
        return Promise.resolve(done)
      },
      [Symbol.asyncIterator]() {
        return this
      }
    }
  }

  /** Resolves when there may be something to take; `false` when there never will be, or the reader has left. */
  async #isReady(signal: AbortSignal | undefined, hasLeft: () => boolean): Promise<boolean> {
    throwIfAborted(signal)
    while (this.#lines.size === 0 && !hasLeft()) {
      if (this.#isClosed) return false
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          stopListening()
          resolve()
        }
        this.#readers.add(wake)
        const stopListening = onAbort(signal, (reason) => {
          this.#readers.delete(wake)
          reject(reason)
        })
      })
    }
    return !hasLeft()
  }

  #wake(): void {
    if (this.#readers.size === 0) return
    const readers = [...this.#readers]
    this.#readers.clear()
    for (const wake of readers) wake()
  }
}

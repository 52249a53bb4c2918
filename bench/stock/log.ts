import Autobase from 'autobase'
import Corestore from 'corestore'
import Hyperbee from 'hyperbee'
import type { SwarmConnection } from 'hyperswarm'

type View = Hyperbee<string, Uint8Array>

/**
 * A log as one builds it on the stack with nothing of ours: an Autobase, and a Hyperbee view that holds
 * every value under its place in the order. No members, no seals, no checks.
 */
export interface StockLog {
  readonly key: Uint8Array
  readonly discoveryKey: Uint8Array
  /** The core to fast-forward to: another one once the first value is in. */
  readonly systemKey: Uint8Array
  append(value: Uint8Array): Promise<unknown>
  /** The last values, newest first: what there is of them. */
  last(count: number): Promise<Uint8Array[]>
  /** Resolves when there is a value to read. */
  first(): Promise<Uint8Array>
  replicate(connection: SwarmConnection): void
  close(): Promise<void>
}

export async function openStockLog(
  folder: string,
  known?: { readonly key: Uint8Array; readonly systemKey: Uint8Array }
): Promise<StockLog> {
  const store = new Corestore(folder)
  const base = new Autobase<View>(store, known?.key ?? null, {
    open: (views) => {
      const core = views.get('view')
      return new Hyperbee<string, Uint8Array>(core, { keyEncoding: 'utf-8', valueEncoding: 'binary', extension: false })
    },
    apply: async (nodes, view) => {
      const batch = view.batch({ update: false })
      // A Hyperbee has one block for its header and one for every entry after it.
      let place = Math.max(1, view.core.length)
      for (const { value } of nodes) await batch.put(String(place++).padStart(12, '0'), value)
      await batch.flush()
    },
    ...(known && { fastForward: { key: known.systemKey } })
  })
  await base.ready()

  const last = async (count: number): Promise<Uint8Array[]> => {
    const values: Uint8Array[] = []
    for await (const { value } of base.view.createReadStream({}, { reverse: true, limit: count })) values.push(value)
    return values
  }

  return {
    key: base.key!,
    discoveryKey: base.discoveryKey!,
    get systemKey() {
      return base.core.key!
    },
    append: (value) => base.append(value),
    last,
    async first() {
      for (;;) {
        const updated = new Promise<void>((resolve) => base.once('update', resolve))
        const [value] = await last(1)
        if (value !== undefined) return value
        await updated
      }
    },
    replicate: (connection) => void base.replicate(connection),
    // Closes the store too.
    close: () => base.close()
  }
}

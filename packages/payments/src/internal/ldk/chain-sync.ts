import { Filter, Option_FilterZ, Option_ThirtyTwoBytesZ_Some, TwoTuple_usizeTransactionZ, type Confirm } from 'lightningdevkit'
import type { Confirmation, LightningChain } from '../../ldk/chain.js'
import type { Enter } from './peers.js'
import { toId } from '../hex.js'

/** How often the chain may move on under a synchronisation before it is left for the next time. */
const MAX_ATTEMPTS = 5

/** Tells LDK of the transactions that it watches, in the order of the chain, and of the newest block. */
export class ChainSync {
  readonly #chain: LightningChain
  readonly #enter: Enter
  readonly #txids = new Set<string>()
  readonly #outputs = new Map<string, { txid: string; output: number }>()
  /** What LDK was told of, and has not been told to forget. */
  readonly #told = new Set<string>()
  #tip = ''
  #watched = 0

  constructor(chain: LightningChain, enter: Enter) {
    this.#chain = chain
    this.#enter = enter
  }

  /** For LDK, which says by it what it watches. Each is for one of its parts. */
  createFilter(): Option_FilterZ {
    return Option_FilterZ.constructor_some(
      Filter.new_impl({
        register_tx: (txid) => void this.#txids.add(toId(txid)),
        register_output: (watched) => {
          const outpoint = watched.get_outpoint()
          const txid = toId(outpoint.get_txid())
          const output = outpoint.get_index()
          this.#outputs.set(`${txid}:${output}`, { txid, output })
        }
      })
    )
  }

  /** @throws what the chain rejects with; what LDK was told by then is true, and the rest is told the next time. */
  async sync(confirmables: readonly Confirm[]): Promise<void> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const tip = await this.#chain.tip()
      const watched = this.#txids.size + this.#outputs.size
      if (tip.hash === this.#tip && watched === this.#watched) return
      await this.#unconfirm(confirmables)
      await this.#confirm(confirmables)
      if ((await this.#chain.tip()).hash !== tip.hash) continue
      this.#enter(() => {
        for (const each of confirmables) each.best_block_updated(tip.header, tip.height)
      })
      this.#tip = tip.hash
      this.#watched = watched
    }
  }

  async #unconfirm(confirmables: readonly Confirm[]): Promise<void> {
    const confirmed = this.#enter(() =>
      confirmables.flatMap((each) => each.get_relevant_txids().map((entry) => ({ each, txid: entry.get_a(), block: entry.get_c() })))
    )
    const isBest = new Map<string, boolean>()
    for (const { each, txid, block } of confirmed) {
      if (!(block instanceof Option_ThirtyTwoBytesZ_Some)) continue
      const hash = toId(block.some)
      if (!isBest.has(hash)) isBest.set(hash, await this.#chain.isBest(hash))
      if (isBest.get(hash)) continue
      this.#enter(() => each.transaction_unconfirmed(txid))
      this.#told.delete(toId(txid))
    }
  }

  async #confirm(confirmables: readonly Confirm[]): Promise<void> {
    // What LDK is told of makes it watch more, which may be in the chain already.
    for (;;) {
      const found = new Map<string, Confirmation>()
      for (const txid of await this.#candidates()) {
        if (this.#told.has(txid) || found.has(txid)) continue
        const confirmation = await this.#chain.confirmation(txid)
        if (confirmation !== undefined) found.set(txid, confirmation)
      }
      if (found.size === 0) return
      const inOrder = [...found].sort(([, a], [, b]) => a.block.height - b.block.height || a.position - b.position)
      for (const [txid, { block, position, tx }] of inOrder) {
        this.#enter(() => {
          for (const each of confirmables) {
            each.transactions_confirmed(block.header, [TwoTuple_usizeTransactionZ.constructor_new(position, tx)], block.height)
          }
        })
        this.#told.add(txid)
      }
    }
  }

  async #candidates(): Promise<string[]> {
    const candidates = [...this.#txids]
    for (const { txid, output } of this.#outputs.values()) {
      const spender = await this.#chain.spender(txid, output)
      if (spender !== undefined) candidates.push(spender)
    }
    return candidates
  }
}


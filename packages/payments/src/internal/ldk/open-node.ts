import { encodeUtf8, equalBytes } from '@covey/core'
import { PaymentError } from '../../errors.js'
import type { FeeRates } from '../../ldk/chain.js'
import { DEFAULT_POLL_INTERVAL_MS, type LightningNode, type LightningNodeInit } from '../../ldk/node.js'
import { ChainSync } from './chain-sync.js'
import { Channels } from './channels.js'
import { Ledger } from './ledger.js'
import { OpenLightningNode } from './lightning-node.js'
import { loadLdk } from './load.js'
import { assembleParts } from './parts.js'
import { Peers } from './peers.js'
import { StateFolder } from './state-folder.js'
import { Turns } from './turns.js'

/** As LDK asks for them. */
const NODE_TICK_MS = 60_000
const PEER_TICK_MS = 10_000
/** What could not be handed to the network, and is tried again. LDK makes a handful. */
const MAX_UNSENT = 256

export async function openNode(init: LightningNodeInit): Promise<LightningNode> {
  const { storage, seed, network, chain, payoutScript, acceptChannel, witness, acceptMoved = false, pollIntervalMs = DEFAULT_POLL_INTERVAL_MS, wasm, now = Date.now } = init
  await loadLdk(wasm)
  const state = await StateFolder.open(storage, { witness, acceptMoved })
  try {
    return await run()
  } catch (error) {
    await state.close()
    throw error
  }

  async function run(): Promise<LightningNode> {
    let feeRates: FeeRates = await chain.feeRates()
    const tip = await chain.tip()
    const stored = new Map(state.names().map((name) => [name, state.get(name)!]))
    const ledger = readLedger(stored.get('ledger'))
    const turns = new Turns(state, ledger)
    const chainSync = new ChainSync(chain, turns.enter)
    const parts = turns.enter(() =>
      assembleParts({
        seed,
        network,
        payoutScript,
        createFilter: () => chainSync.createFilter(),
        tip,
        stored,
        nowMs: now(),
        feeRates: () => feeRates,
        broadcast: turns.broadcast,
        changed: turns.changed
      })
    )
    const owner = Uint8Array.from([...encodeUtf8(`${network}/`), ...parts.manager.get_our_node_id()])
    const storedOwner = stored.get('owner')
    if (storedOwner === undefined) turns.changed('owner', owner)
    else if (!equalBytes(storedOwner, owner)) throw new PaymentError('WALLET_STATE_DAMAGED', 'The folder of the wallet is of another seed or network.')

    const peers = new Peers(parts.peers, turns.enter)
    const channels = new Channels(parts, turns, acceptChannel)
    const node = new OpenLightningNode({ network, parts, peers, turns, ledger, channels, now, sync, close })
    const timers: ReturnType<typeof setInterval>[] = []
    let unsent: Uint8Array[] = []
    let syncing: Promise<void> | undefined
    let closing: Promise<void> | undefined

    turns.begin({
      parts,
      peers,
      told: {
        received: (paymentHash, amountMsat) => void node.events.emit('received', { paymentHash, amountMsat }),
        settled(payment) {
          node.settled(payment)
          void node.events.emit('payment', payment)
        },
        offered: (offer, event) => report(channels.offered(offer, event)),
        fundable: (event) => report(channels.fundable(event)),
        agreed: (number, id) => channels.agreed(number, id),
        ready: (id, peer) => void node.events.emit('channelReady', { id, peer }),
        closed(number, id, reason) {
          channels.closed(number, reason)
          void node.events.emit('channelClosed', { id, reason })
        }
      },
      broadcast: (txs) => report(broadcast(txs)),
      turned: () => node.turned(),
      stopped(error) {
        timers.forEach(clearInterval)
        node.stopped(error)
        channels.stopped(error)
        if (error.code !== 'PAYMENTS_CLOSED') void node.events.emit('error', error)
      }
    })
    await turns.durable()
    await sync()
    if (pollIntervalMs > 0) every(pollIntervalMs, () => report(sync()))
    every(PEER_TICK_MS, () => turns.enter(() => parts.peers.timer_tick_occurred()))
    every(NODE_TICK_MS, () =>
      turns.enter(() => {
        parts.manager.timer_tick_occurred()
        parts.chainMonitor.rebroadcast_pending_claims()
      })
    )
    return node

    function every(intervalMs: number, call: () => void): void {
      timers.push(setInterval(() => report(Promise.resolve().then(call)), intervalMs))
    }

    function sync(): Promise<void> {
      syncing ??= syncOnce().finally(() => (syncing = undefined))
      return syncing
    }

    async function syncOnce(): Promise<void> {
      feeRates = await chain.feeRates()
      await chainSync.sync(parts.confirmables)
      await broadcast(unsent)
      await turns.durable()
    }

    async function broadcast(txs: readonly Uint8Array[]): Promise<void> {
      const results = await Promise.allSettled(txs.map((tx) => chain.broadcast(tx)))
      const failed = txs.filter((_, i) => results[i]!.status === 'rejected')
      unsent = [...unsent.filter((tx) => !txs.includes(tx)), ...failed].slice(-MAX_UNSENT)
      const rejected = results.find((result) => result.status === 'rejected')
      if (rejected !== undefined) throw rejected.reason
    }

    /** What nobody waits for. */
    function report(promise: Promise<void>): void {
      promise.catch((cause: unknown) => {
        if (closing !== undefined) return
        const error = new PaymentError('PROVIDER_UNAVAILABLE', 'Something failed that is tried again.', { cause, retryable: true })
        void node.events.emit('error', cause instanceof PaymentError ? cause : error)
      })
    }

    function close(): Promise<void> {
      closing ??= (async () => {
        try {
          await turns.durable()
        } catch {
          // It has stopped before, and said so.
        }
        turns.stop(new PaymentError('PAYMENTS_CLOSED', 'The wallet is closed.'))
        await turns.idle()
        await state.close()
      })()
      return closing
    }
  }
}

function readLedger(bytes: Uint8Array | undefined): Ledger {
  if (bytes === undefined) return new Ledger()
  try {
    return Ledger.decode(bytes)
  } catch (cause) {
    throw new PaymentError('WALLET_STATE_DAMAGED', 'The ledger of the wallet cannot be read.', { cause })
  }
}

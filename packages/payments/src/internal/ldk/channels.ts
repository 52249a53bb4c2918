import { assertBytes, assertFunction, assertOptions } from '@covey/core'
import { randomBytes } from '@noble/hashes/utils.js'
import {
  ChannelId,
  Result_ChannelIdAPIErrorZ_OK,
  type Event_FundingGenerationReady,
  type Event_OpenChannelRequest
} from 'lightningdevkit'
import { PaymentError } from '../../errors.js'
import type { ChannelOffer, LightningChannel, LightningNodeInit, OpenChannelInit } from '../../ldk/node.js'
import { assertAmount, assertNodeId } from './arguments.js'
import { fromHex, toHex } from '../hex.js'
import type { LdkParts } from './parts.js'
import type { Turns } from './turns.js'

interface Opening extends Pick<OpenChannelInit, 'fund'> {
  resolve(id: string): void
  reject(error: unknown): void
}

/** The channels of a node: opens, takes and closes them. */
export class Channels {
  readonly #parts: LdkParts
  readonly #turns: Turns
  readonly #accept: NonNullable<LightningNodeInit['acceptChannel']>
  /** By the number that this node gives a channel. */
  readonly #openings = new Map<bigint, Opening>()

  constructor(parts: LdkParts, turns: Turns, accept: LightningNodeInit['acceptChannel']) {
    this.#parts = parts
    this.#turns = turns
    this.#accept = accept ?? (() => false)
  }

  list(): LightningChannel[] {
    return this.#turns.look(() =>
      this.#parts.manager.list_channels().map((channel) => ({
        id: toHex(channel.get_channel_id().get_a()),
        peer: channel.get_counterparty().get_node_id(),
        // The bindings give a number.
        isUsable: Boolean(channel.get_is_usable()),
        outboundMsat: channel.get_outbound_capacity_msat(),
        inboundMsat: channel.get_inbound_capacity_msat()
      }))
    )
  }

  async open(init: OpenChannelInit): Promise<string> {
    assertOptions(init, 'init', ['peer', 'amountSat', 'pushMsat', 'fund'])
    const { peer, amountSat, pushMsat = 0n, fund } = init
    assertNodeId(peer, 'init.peer')
    assertAmount(amountSat, 'init.amountSat')
    if (pushMsat !== 0n) assertAmount(pushMsat, 'init.pushMsat')
    assertFunction(fund, 'init.fund')
    return new Promise((resolve, reject) => {
      const number = newNumber()
      const created = this.#turns.enter(() => this.#parts.manager.create_channel(peer, amountSat, pushMsat, number, null, null))
      if (!(created instanceof Result_ChannelIdAPIErrorZ_OK)) throw refused('The node does not open such a channel.')
      this.#openings.set(number, { fund, resolve, reject })
    })
  }

  async close(id: string, isForced: boolean): Promise<void> {
    const channel = this.list().find((each) => each.id === id)
    if (channel === undefined) throw refused('There is no such channel.')
    this.#turns.enter(() => {
      const [channelId, peer] = [ChannelId.constructor_new(fromHex(id)), channel.peer]
      const closed = isForced
        ? this.#parts.manager.force_close_broadcasting_latest_txn(channelId, peer, 'Closed by its owner.')
        : this.#parts.manager.close_channel(channelId, peer)
      if (!closed.is_ok()) throw refused('The channel cannot be closed now.')
    })
    await this.#turns.durable()
  }

  async offered(offer: ChannelOffer, event: Event_OpenChannelRequest): Promise<void> {
    const isWanted = (await this.#accept(offer)) === true
    this.#turns.enter(() => {
      const { temporary_channel_id: id, counterparty_node_id: peer } = event
      if (isWanted) this.#parts.manager.accept_inbound_channel(id, peer, newNumber())
      else this.#parts.manager.force_close_without_broadcasting_txn(id, peer, 'No channel is wanted.')
    })
  }

  async fundable(event: Event_FundingGenerationReady): Promise<void> {
    const { user_channel_id: number, temporary_channel_id: id, counterparty_node_id: peer } = event
    const opening = this.#openings.get(number)
    if (opening === undefined) return
    try {
      const tx = await opening.fund({ script: event.output_script, amountSat: event.channel_value_satoshis })
      assertBytes(tx, 'fund()')
      this.#turns.enter(() => {
        if (!this.#parts.manager.funding_transaction_generated(id, peer, tx).is_ok()) throw refused('The transaction does not fund the channel.')
      })
    } catch (error) {
      this.#openings.delete(number)
      opening.reject(error)
      this.#turns.enter(() => this.#parts.manager.force_close_without_broadcasting_txn(id, peer, 'The channel is not funded.'))
    }
  }

  agreed(number: bigint, id: string): void {
    this.#openings.get(number)?.resolve(id)
    this.#openings.delete(number)
  }

  closed(number: bigint, reason: string): void {
    this.#openings.get(number)?.reject(refused(`The channel was closed before it was open (${reason}).`))
    this.#openings.delete(number)
  }

  stopped(error: PaymentError): void {
    for (const { reject } of this.#openings.values()) reject(error)
    this.#openings.clear()
  }
}

/** The same from either end: the bindings give its 16 bytes back in the other order. They take less than 2^124. */
function newNumber(): bigint {
  const half = randomBytes(8)
  half[0]! &= 0x0f
  return BigInt(`0x${toHex(half)}${toHex(half.toReversed())}`)
}

function refused(message: string): PaymentError {
  return new PaymentError('CHANNEL_FAILED', message)
}

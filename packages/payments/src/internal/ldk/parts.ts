import { randomBytes } from '@noble/hashes/utils.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeUtf8 } from '@covey/core'
import {
  BestBlock,
  BroadcasterInterface,
  ChainMonitor,
  ChainParameters,
  ChangeDestinationSource,
  ChannelManager,
  ChannelMonitorUpdateStatus,
  ConfirmationTarget,
  DefaultMessageRouter,
  DefaultRouter,
  FeeEstimator,
  IOError,
  IgnoringMessageHandler,
  KVStore,
  KeysManager,
  Logger,
  MultiThreadedLockableScore,
  Network,
  NetworkGraph,
  OutputSweeper,
  PeerManager,
  Persist,
  ProbabilisticScorer,
  ProbabilisticScoringDecayParameters,
  ProbabilisticScoringFeeParameters,
  Result_C2Tuple_ThirtyTwoBytesChannelManagerZDecodeErrorZ_OK,
  Result_C2Tuple_ThirtyTwoBytesChannelMonitorZDecodeErrorZ_OK,
  Result_CVec_StrZIOErrorZ,
  Result_CVec_u8ZIOErrorZ,
  Result_CVec_u8ZNoneZ,
  Result_NoneIOErrorZ,
  Result_OutputSweeperDecodeErrorZ_OK,
  UserConfig,
  UtilMethods,
  type ChannelMonitor,
  type Confirm,
  type EventsProvider,
  type Option_FilterZ,
  type OutPoint,
  type Router
} from 'lightningdevkit'
import { PaymentError } from '../../errors.js'
import type { FeeRates, LightningBlock } from '../../ldk/chain.js'
import type { LightningNetwork } from '../../ldk/node.js'
import { fromId, toId } from '../hex.js'

const NETWORKS: Readonly<Record<LightningNetwork, Network>> = {
  bitcoin: Network.LDKNetwork_Bitcoin,
  testnet: Network.LDKNetwork_Testnet,
  signet: Network.LDKNetwork_Signet,
  regtest: Network.LDKNetwork_Regtest
}

/** What a transaction must pay at least to be relayed, in satoshis a thousand weight units. */
const MIN_FEE_RATE = 253

export interface PartsInit {
  seed: Uint8Array
  network: LightningNetwork
  payoutScript: Uint8Array
  createFilter: () => Option_FilterZ
  tip: LightningBlock
  /** What was written last, by name. Empty for a new node. */
  stored: ReadonlyMap<string, Uint8Array>
  nowMs: number
  /** The newest known; read whenever LDK asks. */
  feeRates(): FeeRates
  /** Both keep what they are given, and throw nothing: they are called from within LDK. */
  broadcast(tx: Uint8Array): void
  changed(name: string, bytes: Uint8Array | null): void
}

/** The parts of LDK that make a node. All are kept, as LDK frees what nobody here holds. */
export interface LdkParts {
  readonly chainMonitor: ChainMonitor
  readonly manager: ChannelManager
  readonly peers: PeerManager
  readonly router: Router
  readonly sweeper: OutputSweeper
  readonly confirmables: readonly Confirm[]
  readonly sources: readonly EventsProvider[]
  readonly kept: readonly unknown[]
}

/** The keys of the node: derived under a name that nothing else is derived under. */
function nodeSeed(seed: Uint8Array, network: LightningNetwork): Uint8Array {
  return hkdf(sha256, seed, undefined, encodeUtf8(`covey/payments/ldk/1/${network}`), 32)
}

/** @throws {PaymentError} WALLET_STATE_DAMAGED when what is stored is not of this seed and network. */
export function assembleParts({ seed, network, payoutScript, createFilter, tip, stored, nowMs, feeRates, broadcast, changed }: PartsInit): LdkParts {
  const logger = Logger.new_impl({ log: () => undefined })
  const broadcaster = BroadcasterInterface.new_impl({ broadcast_transactions: (txs) => txs.forEach(broadcast) })
  const fees = FeeEstimator.new_impl({ get_est_sat_per_1000_weight: (target) => Math.max(MIN_FEE_RATE, Math.ceil(rateFor(target, feeRates()))) })
  const keep = (outpoint: OutPoint, monitor: ChannelMonitor): ChannelMonitorUpdateStatus => {
    changed(monitorName(outpoint), monitor.write())
    // It is not written yet, and all that LDK does by it is held back until it is.
    return ChannelMonitorUpdateStatus.LDKChannelMonitorUpdateStatus_Completed
  }
  const persist = Persist.new_impl({
    persist_new_channel: keep,
    update_persisted_channel: (outpoint, _update, monitor) => keep(outpoint, monitor),
    archive_persisted_channel: (outpoint) => changed(monitorName(outpoint), null)
  })
  const chainMonitor = ChainMonitor.constructor_new(createFilter(), broadcaster, logger, fees, persist)
  const watch = chainMonitor.as_Watch()
  // What makes the channels' keys unlike each other from start to start. The clock may stand still; this does not repeat.
  const unique = new DataView(randomBytes(12).buffer)
  const keys = KeysManager.constructor_new(nodeSeed(seed, network), unique.getBigUint64(0), unique.getUint32(8))
  const [entropy, signer, signers] = [keys.as_EntropySource(), keys.as_NodeSigner(), keys.as_SignerProvider()]
  const graph = NetworkGraph.constructor_new(NETWORKS[network], logger)
  const scorer = ProbabilisticScorer.constructor_new(ProbabilisticScoringDecayParameters.constructor_default(), graph, logger)
  const score = MultiThreadedLockableScore.constructor_new(scorer.as_Score())
  const routes = DefaultRouter.constructor_new(graph, logger, entropy, score.as_LockableScore(), ProbabilisticScoringFeeParameters.constructor_default())
  const router = routes.as_Router()
  const messageRouter = DefaultMessageRouter.constructor_new(graph, entropy).as_MessageRouter()
  const config = nodeConfig()
  const nowSeconds = Math.floor(nowMs / 1000)

  const monitors: { outpoint: OutPoint; monitor: ChannelMonitor }[] = []
  for (const [name, bytes] of stored) {
    if (!name.startsWith('monitor-')) continue
    const read = UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelMonitorZ_read(bytes, entropy, signers)
    if (!(read instanceof Result_C2Tuple_ThirtyTwoBytesChannelMonitorZDecodeErrorZ_OK)) throw unreadable()
    const monitor = read.res.get_b()
    monitors.push({ outpoint: monitor.get_funding_txo().get_a(), monitor })
  }
  const manager = restoreManager() ?? createManager()
  for (const { outpoint, monitor } of monitors) {
    if (!watch.watch_channel(outpoint, monitor).is_ok()) throw unreadable()
  }

  const nothing = IgnoringMessageHandler.constructor_new()
  const peers = PeerManager.constructor_new(
    manager.as_ChannelMessageHandler(),
    nothing.as_RoutingMessageHandler(),
    nothing.as_OnionMessageHandler(),
    nothing.as_CustomMessageHandler(),
    nowSeconds,
    randomBytes(32),
    logger,
    signer
  )
  const payout = ChangeDestinationSource.new_impl({ get_change_destination_script: () => Result_CVec_u8ZNoneZ.constructor_ok(payoutScript) })
  const spender = keys.as_OutputSpender()
  const files = sweeperStore(changed)
  const sweeper = restoreSweeper() ?? OutputSweeper.constructor_new(bestBlock(tip), broadcaster, fees, createFilter(), spender, payout, files, logger)
  const confirmables: Confirm[] = [manager.as_Confirm(), chainMonitor.as_Confirm(), sweeper.as_Confirm()]
  const sources = [manager.as_EventsProvider(), chainMonitor.as_EventsProvider()]
  return { chainMonitor, manager, peers, router, sweeper, confirmables, sources, kept: [watch, keys, routes, nothing, persist, broadcaster, fees, payout, spender, files] }

  function createManager(): ChannelManager {
    const parameters = ChainParameters.constructor_new(NETWORKS[network], bestBlock(tip))
    return ChannelManager.constructor_new(fees, watch, broadcaster, router, messageRouter, logger, entropy, signer, signers, config, parameters, nowSeconds)
  }

  function restoreManager(): ChannelManager | undefined {
    const bytes = stored.get('manager')
    if (bytes === undefined) return undefined
    const all = monitors.map(({ monitor }) => monitor)
    const read = UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelManagerZ_read(
      bytes, entropy, signer, signers, fees, watch, broadcaster, router, messageRouter, logger, config, all
    )
    if (!(read instanceof Result_C2Tuple_ThirtyTwoBytesChannelManagerZDecodeErrorZ_OK)) throw unreadable()
    return read.res.get_b()
  }

  function restoreSweeper(): OutputSweeper | undefined {
    const bytes = stored.get('sweeper')
    if (bytes === undefined) return undefined
    const read = OutputSweeper.constructor_read(bytes, broadcaster, fees, createFilter(), spender, payout, files, logger)
    if (!(read instanceof Result_OutputSweeperDecodeErrorZ_OK)) throw unreadable()
    return read.res
  }
}

/** The sweeper writes one thing, whole. */
function sweeperStore(changed: PartsInit['changed']): KVStore {
  return KVStore.new_impl({
    read: () => Result_CVec_u8ZIOErrorZ.constructor_err(IOError.LDKIOError_NotFound),
    write: (_primary, _secondary, _key, bytes) => {
      changed('sweeper', Uint8Array.from(bytes))
      return Result_NoneIOErrorZ.constructor_ok()
    },
    remove: () => Result_NoneIOErrorZ.constructor_ok(),
    list: () => Result_CVec_StrZIOErrorZ.constructor_ok([])
  })
}

function nodeConfig(): UserConfig {
  const config = UserConfig.constructor_default()
  config.set_manually_accept_inbound_channels(true)
  const handshake = config.get_channel_handshake_config()
  // Anchors need a reserve on chain, and somebody who spends it in time.
  handshake.set_negotiate_anchors_zero_fee_htlc_tx(false)
  handshake.set_announce_for_forwarding(false)
  // A tenth by default, which guards who forwards: a payment could then be no larger than that.
  handshake.set_max_inbound_htlc_value_in_flight_percent_of_channel(100)
  config.set_channel_handshake_config(handshake)
  return config
}

function rateFor(target: ConfirmationTarget, { urgent, normal, low }: FeeRates): number {
  switch (target) {
    case ConfirmationTarget.LDKConfirmationTarget_MaximumFeeEstimate:
      return 2 * urgent
    case ConfirmationTarget.LDKConfirmationTarget_UrgentOnChainSweep:
      return urgent
    case ConfirmationTarget.LDKConfirmationTarget_NonAnchorChannelFee:
    case ConfirmationTarget.LDKConfirmationTarget_OutputSpendingFee:
      return normal
    case ConfirmationTarget.LDKConfirmationTarget_MinAllowedAnchorChannelRemoteFee:
    case ConfirmationTarget.LDKConfirmationTarget_MinAllowedNonAnchorChannelRemoteFee:
      // Rates differ from node to node: half of what is low here may well be somebody's low.
      return low / 2
    default:
      return low
  }
}

function bestBlock({ hash, height }: LightningBlock): BestBlock {
  return BestBlock.constructor_new(fromId(hash), height)
}

function monitorName(outpoint: OutPoint): string {
  return `monitor-${toId(outpoint.get_txid())}-${outpoint.get_index()}`
}

function unreadable(): PaymentError {
  return new PaymentError('WALLET_STATE_DAMAGED', 'The state of the wallet cannot be read. It may be of another version.')
}

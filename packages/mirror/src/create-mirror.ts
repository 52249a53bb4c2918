import type Corestore from 'corestore'
import { assertInteger, assertOptions, assertString, createClosers, createEvents, decodeKey, type EventSource } from '@covey/core'
import { openIdentity } from '@covey/identity'
import { assertNetwork, createNode, openStore, type Network, type RelayAddress } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { MirrorError } from './errors.js'
import { answerChallenge } from './internal/holding/challenge.js'
import { holdingChannel, listen } from './internal/holding/channel.js'
import { createCharges, type MirrorMeter } from './internal/holding/charges.js'
import { Holder, type HolderStats, type HolderUsage } from './internal/holding/holder.js'
import { createDiskWatch } from './internal/holding/disk.js'
import { keepAsIs } from './internal/holding/keep-as-is.js'
import { createOutbox } from './internal/holding/outbox.js'
import { openHeldRecords } from './internal/holding/records.js'
import { watchUnwritten } from './internal/holding/unwritten.js'
import { listenHttp } from './internal/listen.js'
import { formatMetrics, MIRROR_METRICS } from './internal/metrics.js'
import { mirrorLimits, type MirrorLimits } from './limits.js'
import { mirrorLink } from './mirror-link.js'

/** What {@link createMirror} needs. */
export interface MirrorInit {
  /** The folder of what it holds, and of its key; open in one process at a time. */
  readonly storage: string
  /** Default `publicNetwork()`. */
  readonly network?: Network
  /** Relays through which it can be reached, at most 4; its own, say. */
  readonly relays?: readonly RelayAddress[]
  /** The devices, by id, for which it holds something. Default: whoever asks. */
  readonly allow?: readonly string[]
  readonly limits?: Partial<MirrorLimits>
  /** Holds only what is paid for. Default: asks for no money. */
  readonly charge?: MirrorCharge
  /** How many devices it deals with at a time, 1 to 1024. Default 1024. */
  readonly maxPeers?: number
  /** The TCP port, on loopback, for `GET /metrics` and `GET /health`. Default: none. */
  readonly metricsPort?: number
}

/** How a mirror is paid. */
export interface MirrorCharge {
  /** It counts bytes for milliseconds, by device. Closed by whoever has made it, after the mirror. */
  readonly meter: MirrorMeter
  /**
   * For how long credit is set aside before, in milliseconds, 1,000 to 86,400,000. What is held at the end of it is
   * charged for all of it; and what can be paid no more is removed then. Default an hour.
   */
  readonly periodMs?: number
}

/** What happens to a mirror in the background. */
export interface MirrorEvents {
  error: MirrorError
}

/** A blind mirror: it holds cores for others, and can read nothing of what is in them. */
export interface Mirror extends EventSource<MirrorEvents> {
  /** What peers put among their `mirrors`: its key, and the relays at which it can be met. */
  readonly link: string
  /** Its ed25519 key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** {@link publicKey} in z-base-32. */
  readonly id: string
  /** The TCP port of the metrics; null without. */
  readonly metricsPort: number | null
  /** What it holds now. */
  stats(): HolderStats
  /** What it holds at the expense of each device, by id: of those that asked for it, the one that had the room. */
  usage(): ReadonlyMap<string, HolderUsage>
  /** Looks again whether there is room for what a device, by its id, has asked for: to be called when it has paid. */
  retry(device: string): void
  /** Leaves the network and releases the folder. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a mirror. Devices that know its key have it hold the cores of their rooms, and whoever is in a room gets from
 * it what the others wrote while they were away. It has no key of any room: what it holds is sealed.
 *
 * @throws {TransportError} STORAGE_LOCKED, STORAGE_UNWRITABLE, STORAGE_FAILED
 * @throws what the meter throws, where what was held before cannot be charged for.
 * @throws {MirrorError} RELAY_PORT_UNAVAILABLE when the port of the metrics is taken.
 * @throws {TypeError} that names the field.
 */
export async function createMirror(init: MirrorInit): Promise<Mirror> {
  assertOptions(init, 'init', ['storage', 'network', 'relays', 'allow', 'limits', 'charge', 'maxPeers', 'metricsPort'])
  const { storage, network, relays, allow, charge, maxPeers = 1_024, metricsPort } = init
  assertString(storage, 'init.storage', { minLength: 1 })
  if (network !== undefined) assertNetwork(network, 'init.network')
  if (metricsPort !== undefined) assertInteger(metricsPort, 'init.metricsPort', { min: 0, max: 65_535 })
  const limits = mirrorLimits(init.limits ?? {}, 'init.limits')
  if (charge !== undefined) {
    assertOptions(charge, 'init.charge', ['meter', 'periodMs'])
    if (typeof charge.meter?.hold !== 'function') throw new TypeError('init.charge.meter must be a meter')
    assertInteger(charge.periodMs ?? DEFAULT_PERIOD_MS, 'init.charge.periodMs', { min: 1_000, max: 86_400_000 })
  }
  const allowed = allow && new Set(allow)
  for (const id of allowed ?? []) decodeKey(id, 'init.allow')
  const events = createEvents<MirrorEvents>()
  const closers = createClosers()
  const { close } = closers
  const onerror = (cause: unknown): void => {
    if (closers.isClosing) return
    void events.emit('error', new MirrorError('MIRROR_FAILED', 'Something that is held could not be kept or told.', { cause, retryable: true }))
  }

  try {
    // What it writes itself nobody else reads.
    const store = await openStore(storage, { allowCopy: true })
    closers.add(store.close)
    const identity = await openIdentity({ storage: `${storage}/identity`, name: 'Mirror' })
    closers.add(() => identity.close())
    const node = createNode({ identity, store, maxPeers, ...(network && { network }), ...(relays && { relays }) })
    closers.add(node.close)
    const corestore = partsOf(node).corestore as Corestore
    keepAsIs(corestore)
    const disk = createDiskWatch({
      folder: storage,
      minFreeBytes: limits.minFreeBytes,
      onerror,
      onchange(isFull) {
        if (isFull) {
          holder.pause()
          void events.emit('error', diskFull())
        } else {
          unwritten.askAgain()
          holder.resume()
        }
      }
    })
    const unwritten = watchUnwritten(corestore, disk.failed)
    const channel = node.channel(holdingChannel, { peers: 'any', maxMessagesPerSecond: MAX_MESSAGES_PER_SECOND })
    const outbox = createOutbox(channel, onerror)
    const charges =
      charge &&
      createCharges({
        ...charge,
        periodMs: charge.periodMs ?? DEFAULT_PERIOD_MS,
        kept: () => holder.usage.keys(),
        bytesOf: (device) => holder.usageOf(device).bytes,
        onunpaid: (device) => holder.drop(device),
        onerror,
        now: Date.now
      })
    if (charges) closers.add(charges.close)
    const holder = await Holder.open({
      corestore,
      limits,
      records: await openHeldRecords(corestore),
      now: Date.now,
      ...(charges && { reserve: charges.reserve }),
      onheld: outbox.held,
      onrefused: outbox.refused,
      onerror
    })
    closers.add(holder.close.bind(holder))
    closers.add(disk.close)
    await disk.start()
    await charges?.begin()
    closers.add(channel.close.bind(channel))
    channel.on('close', ({ peer }) => {
      outbox.drop(peer)
      holder.left(peer)
    })
    listen(channel, onerror, async (peer, message) => {
      if (message.type === 'challenge') {
        outbox.answer(peer, message.id, await answerChallenge(corestore, message))
      } else if (message.type === 'hold' && channel.peers.includes(peer)) {
        if (allowed === undefined || allowed.has(peer)) await holder.hold(peer, message.keys)
        else for (const key of message.keys) outbox.refused(peer, key, 'NOT_ALLOWED')
      } else if (message.type === 'release') {
        await holder.release(peer, message.keys)
      }
    })
    const listener =
      metricsPort === undefined
        ? null
        : await listenHttp({ host: '127.0.0.1', port: metricsPort }, (request, response) => {
            const isKnown = request.method === 'GET' && (request.url === '/metrics' || request.url === '/health')
            response.statusCode = isKnown ? 200 : 404
            response.setHeader('content-type', 'text/plain; version=0.0.4')
            const body = request.url === '/health' ? 'ok\n' : formatMetrics(MIRROR_METRICS, holder.stats)
            response.end(isKnown ? body : '')
          })
    if (listener !== null) closers.add(listener.close)
    return {
      link: mirrorLink(node.publicKey, partsOf(node).meetingPlace),
      publicKey: node.publicKey,
      id: node.id,
      metricsPort: listener?.port ?? null,
      stats: () => holder.stats,
      usage: () => holder.usage,
      retry(device) {
        decodeKey(device, 'device')
        holder.retry(device)
      },
      on: events.on.bind(events),
      once: events.once.bind(events),
      close,
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    return closers.closeAndThrow(error)
  }
}

function diskFull(): MirrorError {
  return new MirrorError('MIRROR_DISK_FULL', 'The disk has less room than is to be left free: nothing more is fetched until it has.', {
    retryable: true,
    hint: 'What is held is given as ever. Make room, or give a smaller minFreeBytes.'
  })
}

/** Each may name many cores; nobody has more to say. */
const MAX_MESSAGES_PER_SECOND = 256
const DEFAULT_PERIOD_MS = 3_600_000

import { encodeZ32, isCoveyError } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { defineChannel, type ChannelHost } from '@covey/transport'
import { createRateLimit, type RateLimit } from '../guards/rate-limit.js'
import type { OpenRoom } from '../open-room.js'
import type { PendingMessage } from '../pending-messages.js'
import { isPresence } from '../presence.js'
import { rulesOf } from '../room-rules.js'
import type { DeviceRow } from '../view.js'
import { createLaneJudge } from './judge-said.js'
import { HEARD_RATE, MAX_SAID_BYTES, MAX_SAID_OP_BYTES, sayOp } from './said.js'

/** How long something is shown that the log does not bring. */
const LANDS_WITHIN_MS = 30_000

/** What a peer may have had sent, and not have made room for; it hears the rest by the log. */
const MAX_UNDER_WAY = 16

/** Rows are the same objects for as long as they do not change. */
const ids = new WeakMap<DeviceRow, string>()

function deviceId(row: DeviceRow): string {
  const id = ids.get(row) ?? encodeZ32(row.device)
  ids.set(row, id)
  return id
}

/** Brings messages to the members who are there, and shows theirs, before the log has them. */
export interface Lane {
  close(): Promise<void>
}

/**
 * The log stays the only truth. What is heard here orders nothing, and is shown until the log says what
 * became of it; what is not heard here comes by the log.
 */
export function createLane(
  node: ChannelHost,
  { room, base, view, roster, viewKeeper, reader, pending, presence, attendance, onpost, onpeople }: OpenRoom,
  identity: LocalIdentity,
  onerror: (error: unknown) => void
): Lane {
  const own = identity.device.id
  const { secretKey } = deviceSecrets(identity).keyPair
  const definition = defineChannel({ name: `covey/lane/${room.id}`, version: 1, maxMessageBytes: MAX_SAID_BYTES })
  const channel = node.channel(definition, { peers: [] })
  const judge = createLaneJudge({ room: base.discoveryKey!, view, reader, pending })
  const rates = new Map<string, RateLimit>()
  const underWay = new Map<string, number>()
  let allowed = new Set<string>()
  let isClosing = false
  let refreshing: Promise<void> | undefined
  let again = false
  let isIn = false
  let wake = (): void => undefined
  const closed = new Promise<void>((resolve) => (wake = resolve))

  function say(message: PendingMessage): void {
    // What is sent is typed no more.
    presence.type(false)
    if (message.op.length > MAX_SAID_OP_BYTES) return
    const { peers } = channel
    if (peers.length === 0) return
    const bytes = sayOp(message, secretKey)
    for (const peer of peers) sayTo(peer, bytes).catch(report)
  }

  async function sayTo(peer: string, bytes: Uint8Array): Promise<void> {
    const count = underWay.get(peer) ?? 0
    if (count >= MAX_UNDER_WAY) return
    underWay.set(peer, count + 1)
    try {
      await channel.send(peer, bytes)
    } catch (error) {
      // It has gone, or takes less: the log reaches it.
      if (!isCoveyError(error, 'CHANNEL_CLOSED') && !isCoveyError(error, 'MESSAGE_TOO_LARGE')) throw error
    } finally {
      const left = underWay.get(peer)! - 1
      if (left === 0) underWay.delete(peer)
      else underWay.set(peer, left)
    }
  }

  async function hear(): Promise<void> {
    for await (const { peer, message: bytes } of channel.messages()) {
      const rate = rates.get(peer) ?? createRateLimit(HEARD_RATE)
      rates.set(peer, rate)
      if (!rate.take()) continue
      // What one message comes to grief on is no reason to hear no other.
      await take(peer, bytes).catch(report)
    }
  }

  async function take(peer: string, bytes: Uint8Array): Promise<void> {
    if (isPresence(bytes)) return presence.hear(peer, bytes)
    const message = await judge.judge(peer, bytes)
    if (message !== undefined && !isClosing) pending.addOther(message, LANDS_WITHIN_MS)
  }

  /** Talks with the devices that are in the room, and with no other. */
  async function refresh(): Promise<void> {
    while (again && !isClosing) {
      again = false
      // Who is coming in reads first; who is out later is refused at once.
      if (!isIn) await Promise.race([viewKeeper.calm(), closed])
      // What it takes may be yet to come, from nobody who is there.
      const read = await Promise.race([Promise.all([roster.devices(), view.room()]), closed])
      if (isClosing || read === undefined) break
      const [rows, room] = read
      const devices = [...rows.values()].filter((row) => !row.removed)
      presence.settle(devices, rulesOf(room))
      const present = devices.map(deviceId)
      isIn ||= present.includes(own)
      const next = new Set(present.filter((device) => device !== own))
      for (const device of next) if (!allowed.has(device)) channel.allow(device)
      for (const device of allowed) {
        if (next.has(device)) continue
        channel.refuse(device)
        rates.delete(device)
      }
      allowed = next
    }
    refreshing = undefined
  }

  function changed(): void {
    judge.changed()
    again = true
    refreshing ??= refresh().catch((error: unknown) => {
      refreshing = undefined
      report(error)
    })
  }

  function report(error: unknown): void {
    // What is closed beneath it is no news.
    if (!isClosing && !base.closing) onerror(error)
  }

  presence.attach((bytes, to) => {
    for (const peer of to === undefined ? channel.peers : [to]) sayTo(peer, bytes).catch(report)
  })
  const met = new Set<string>()
  const lost = (peer: string): void => {
    if (met.delete(peer)) attendance.lost(peer)
  }
  const stops = [
    onpost(say),
    onpeople(changed),
    channel.on('open', ({ peer }) => {
      presence.met(peer)
      met.add(peer)
      attendance.met(peer)
    }),
    channel.on('close', ({ peer }) => {
      presence.lost(peer)
      lost(peer)
    })
  ]
  hear().catch(report)
  changed()

  return {
    async close() {
      isClosing = true
      wake()
      for (const stop of stops) stop()
      for (const peer of met) lost(peer)
      await channel.close()
      await refreshing
    }
  }
}

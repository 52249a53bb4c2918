import { concatBytes, decodeKey, encodeZ32, equalBytes, isCoveyError } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { defineChannel, type ChannelHost } from '@covey/transport'
import { makeClaim, verifyClaim } from '../claim.js'
import { HASH_BYTES, KEY_BYTES, randomBytes } from '../crypto.js'
import { createRateLimit, type RateLimit } from '../guards/rate-limit.js'
import { isIn, letIn } from '../let-in.js'
import type { OpenRoom } from '../open-room.js'
import { decodeStruct, encodeStruct } from '../structs.js'
import { writerCore } from '../writer-core.js'

/** Has the devices of a person let each other into the rooms that the person is in. */
export interface DeviceEntries {
  /** Asks the others to let this device into a room: now, and whenever one of them is met. */
  ask(opened: OpenRoom): void
  close(): Promise<void>
}

export interface DeviceEntriesInit {
  readonly node: ChannelHost
  readonly identity: LocalIdentity
  /** The room that the devices share. */
  readonly personal: OpenRoom
  /** The open rooms, by id. */
  readonly open: ReadonlyMap<string, OpenRoom>
  readonly onerror: (error: unknown) => void
}

/** A claim with a certificate of two links, and the room's key before it. */
const MAX_ASKING_BYTES = 2_048

/** How often it asks again: who is there may itself have come into the room meanwhile. */
const ASK_AGAIN_MS = 15_000

/** What is answered of one device: all rooms of a person at once, and what is asked again as devices come and go. */
const ASKED_RATE = { burst: 512, perSecond: 2 }

export function createDeviceEntries({ node, identity, personal, open, onerror }: DeviceEntriesInit): DeviceEntries {
  const definition = defineChannel({ name: `covey/entry/${personal.room.id}`, version: 1, maxMessageBytes: MAX_ASKING_BYTES })
  // Who is one of the person's devices is not known before it has shown that it is.
  const channel = node.channel(definition, { peers: 'any' })
  const asking = new Map<string, OpenRoom>()
  const rates = new Map<string, RateLimit>()
  let isClosing = false

  const report = (error: unknown): void => {
    if (!isClosing && !isCoveyError(error, 'ROOM_CLOSED') && !isCoveyError(error, 'CHANNEL_CLOSED')) onerror(error)
  }

  async function askOf(peer: string, opened: OpenRoom): Promise<void> {
    const { base, room } = opened
    if (base.closing || (await opened.isAdmitted())) return void asking.delete(room.id)
    const core = writerCore(base.local)
    const claim = makeClaim(identity, base.discoveryKey!, core)
    const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(KEY_BYTES), ...claim })
    await channel.send(peer, concatBytes(base.discoveryKey!, request))
  }

  async function answer(peer: string, bytes: Uint8Array): Promise<void> {
    const request = bytes.subarray(HASH_BYTES)
    const id = encodeZ32(bytes.subarray(0, HASH_BYTES))
    const opened = id === personal.room.id ? personal : open.get(id)
    const claim = decodeStruct('join-request', request)
    if (claim === undefined || encodeZ32(claim.device) !== peer) return channel.refuse(peer)
    if (opened === undefined || opened.base.closing || !(await opened.isAdmitted())) return
    const claimant = verifyClaim(decodeKey(id), claim.writer, claim, Date.now())
    if (claimant === undefined || !equalBytes(claimant.identity, identity.identity.publicKey)) return channel.refuse(peer)
    // As the room would judge it, and as the person has since said to their devices.
    const known = await Promise.all([opened, personal].map(({ view }) => view.member(claimant.identity)))
    if (known.some((member) => claimant.epoch < (member?.minEpoch ?? 0)) || (await isIn(opened.view, claim.writer))) return
    const { writer } = claim
    await letIn(opened, { writer, box: claimant.box }, { type: 'addDevice', payload: encodeStruct('add-device', { request }) })
  }

  async function hear(): Promise<void> {
    for await (const { peer, message } of channel.messages()) {
      const rate = rates.get(peer) ?? createRateLimit(ASKED_RATE)
      rates.set(peer, rate)
      if (rate.take()) await answer(peer, message).catch(report)
    }
  }

  function ask(opened: OpenRoom): void {
    if (isClosing) return
    asking.set(opened.room.id, opened)
    for (const peer of channel.peers) askOf(peer, opened).catch(report)
  }

  const timer = setInterval(() => asking.forEach(ask), ASK_AGAIN_MS)
  channel.on('open', ({ peer }) => {
    for (const opened of asking.values()) askOf(peer, opened).catch(report)
  })
  channel.on('close', ({ peer }) => rates.delete(peer))
  // Somebody who broke a rule, and is refused: no news for the person.
  channel.on('error', () => undefined)
  hear().catch(report)

  return {
    ask,
    async close() {
      isClosing = true
      clearInterval(timer)
      await channel.close()
    }
  }
}

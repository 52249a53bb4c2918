import { concatBytes, decodeKey, encodeZ32, equalBytes, isCoveyError } from '@covey/core'
import { decodeCertificate, type LocalIdentity } from '@covey/identity'
import { defineChannel, type ChannelHost } from '@covey/transport'
import { hasPlaceFor } from '../authority/acts.js'
import { makeClaim, verifyClaim, type Claimant } from '../claim.js'
import { hash, HASH_BYTES, KEY_BYTES, open as openSealed, randomBytes, seal } from '../crypto.js'
import { createRateLimit, type RateLimit } from '../guards/rate-limit.js'
import { letIn } from '../let-in.js'
import type { OpenRoom } from '../open-room.js'
import type { Place } from '../shelf/place.js'
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
  /** The rooms, by id. */
  readonly places: ReadonlyMap<string, Place>
  /** A new certificate for a device whose own is of before something was revoked, where it may have one. */
  readonly renewed: (claimant: Claimant) => Uint8Array | undefined
  readonly onerror: (error: unknown) => void
}

/** In place of a room's key, before a certificate for who is told. */
const RENEWAL = hash('covey/entry/renewal/1')

/** A claim with a certificate of two links, and the room's key before it. */
const MAX_ASKING_BYTES = 2_048

/** How often it asks again: who is there may itself have come into the room meanwhile. */
const ASK_AGAIN_MS = 15_000

/** What is answered of one device: all rooms of a person at once, and what is asked again as devices come and go. */
const ASKED_RATE = { burst: 512, perSecond: 2 }

export function createDeviceEntries({ node, identity, personal, places, renewed, onerror }: DeviceEntriesInit): DeviceEntries {
  const definition = defineChannel({ name: `covey/entry/${personal.room.id}`, version: 1, maxMessageBytes: MAX_ASKING_BYTES })
  // Who is one of the person's devices is not known before it has shown that it is.
  const channel = node.channel(definition, { peers: 'any' })
  // The room's id is announced, so strangers may come here too: they learn nothing of who asks, and for which room.
  const key = hash('covey/entry/key/1', personal.base.encryptionKey!)
  const asking = new Map<string, OpenRoom>()
  const rates = new Map<string, RateLimit>()
  /** What is not on its way yet, by peer and room: who takes nothing is asked once. */
  const unsent = new Set<string>()
  let isClosing = false

  const report = (error: unknown): void => {
    const isOfPeer = isCoveyError(error, 'CHANNEL_CLOSED') || isCoveyError(error, 'MESSAGE_TOO_LARGE')
    if (!isClosing && !isOfPeer && !isCoveyError(error, 'ROOM_CLOSED')) onerror(error)
  }

  async function askOf(peer: string, opened: OpenRoom): Promise<void> {
    const { base, room } = opened
    if (base.closing || (await opened.isAdmitted())) return void asking.delete(room.id)
    const asked = `${peer} ${room.id}`
    if (unsent.has(asked)) return
    unsent.add(asked)
    const core = writerCore(base.local)
    const claim = makeClaim(identity, base.discoveryKey!, core)
    const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(KEY_BYTES), ...claim })
    await send(peer, base.discoveryKey!, request).finally(() => unsent.delete(asked))
  }

  async function send(peer: string, about: Uint8Array, bytes: Uint8Array): Promise<void> {
    await channel.send(peer, seal(concatBytes(about, bytes), fromTo(identity.device.id, peer), key))
  }

  async function answer(peer: string, sealed: Uint8Array): Promise<void> {
    const bytes = openSealed(sealed, fromTo(peer, identity.device.id), key)
    if (bytes === undefined) return channel.refuse(peer)
    const [about, request] = [bytes.subarray(0, HASH_BYTES), bytes.subarray(HASH_BYTES)]
    if (equalBytes(about, RENEWAL)) return takeRenewal(peer, request)
    const id = encodeZ32(about)
    const claim = decodeStruct('join-request', request)
    if (claim === undefined || encodeZ32(claim.device) !== peer) return channel.refuse(peer)
    const isPersonal = id === personal.room.id
    if (!isPersonal && !places.has(id)) return
    const claimant = verifyClaim(decodeKey(id), claim.writer, claim, Date.now())
    if (claimant === undefined || !equalBytes(claimant.identity, identity.identity.publicKey)) return channel.refuse(peer)
    // Before a room is opened for it: the person has since said that it is none of their devices.
    const member = await personal.view.member(claimant.identity)
    if (claimant.epoch < (member?.minEpoch ?? 0)) {
      // Or it was confirmed, and had not come yet when another was unlinked.
      const certificate = isPersonal ? renewed(claimant) : undefined
      return certificate && send(peer, RENEWAL, certificate)
    }
    const enter = (opened: OpenRoom): Promise<void> => letDeviceIn(opened, claim.writer, claimant, request)
    await (isPersonal ? enter(personal) : places.get(id)!.use(enter))
  }

  /** Whoever brings it: the person has signed it, and for this device. */
  async function takeRenewal(peer: string, bytes: Uint8Array): Promise<void> {
    const own = decodeCertificate(identity.device.certificate)
    const given = decodeCertificate(bytes)
    if (!own.ok || !given.ok || given.value.links !== 1) return channel.refuse(peer)
    if (given.value.epoch <= own.value.epoch) return
    try {
      await identity.acceptCertificate(bytes)
    } catch (error) {
      if (isCoveyError(error) && error.code.startsWith('CERTIFICATE_')) return channel.refuse(peer)
      throw error
    }
    asking.forEach(ask)
  }

  async function letDeviceIn(opened: OpenRoom, writer: Uint8Array, claimant: Claimant, request: Uint8Array): Promise<void> {
    // A reader of a broadcast room cannot: nothing of theirs is read there.
    if (opened.base.closing || !(await opened.mayWrite())) return
    // As the room would judge it: what it does not take would stay in its log, each time that it is asked.
    if (!(await hasPlaceFor(opened.view, claimant, writer))) return
    await letIn(opened, { writer, box: claimant.box }, { type: 'addDevice', payload: encodeStruct('add-device', { request }) })
  }

  async function hear(): Promise<void> {
    for await (const { peer, message } of channel.messages()) {
      // Said before it went, and of nobody any more.
      if (!channel.peers.includes(peer)) continue
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

/** What an asking is bound to: nobody can pass on that of another. */
function fromTo(asker: string, asked: string): Uint8Array {
  return concatBytes(decodeKey(asker), decodeKey(asked))
}

import type BlindPairing from 'blind-pairing'
import type { PairingResult } from 'blind-pairing-core'
import Hypercore from 'hypercore'
import { encodeZ32, equalBytes, isCoveyError } from '@covey/core'
import type { Node } from '@covey/transport'
import { RoomError } from '../errors.js'
import type { InviteLink } from '../invite.js'
import type { RoomPreview } from '../preview.js'
import type { Room } from '../room.js'
import type { Bounded } from './bounded.js'
import { makeClaim, type WriterCore } from './claim.js'
import { KEY_BYTES, randomBytes } from './crypto.js'
import { enterRoom } from './enter-room.js'
import { hintDevices } from './hint-devices.js'
import { roomStore } from './open-base.js'
import { openRoom, type OpenRoom, type OpenRoomInit } from './open-room.js'
import { ask } from './pairing.js'
import { createPreviewTaker, type PreviewTaker } from './preview/take-preview.js'
import { otherOf } from './people/direct-rooms.js'
import type { RoomRecord, RoomRecords } from './records.js'
import { encodeStruct } from './structs.js'
import { openWriterCore, writerCore } from './writer-core.js'

export interface JoiningInit {
  readonly node: Node
  /** Tells the node where a device can be met. False when that cannot be read. */
  readonly hint: (peer: string, meetingPlace: Uint8Array) => boolean
  readonly pairing: BlindPairing
  readonly stack: Pick<OpenRoomInit, 'corestore' | 'wakeup' | 'identity' | 'profile' | 'isBlocked' | 'presence'>
  readonly records: RoomRecords
  /** The open rooms, by id. */
  readonly open: ReadonlyMap<string, OpenRoom>
  /** Puts an opened room on the network and into the list. */
  readonly enter: (opened: OpenRoom) => Room
  /** Keeps an open room open; returns what lets it go. */
  readonly pin: (id: string) => () => void
  /** @throws {RoomError} ROOM_CLOSED */
  readonly assertOpen: () => void
  readonly report: (message: string) => (cause: unknown) => void
}

/** How often a device asks again that waits for a moderator, who need not be there at the same time. */
const ASK_AGAIN_MS = 5_000
/** How long who came in alone, and is not in after all, waits for the order of the room to change again. */
const LOST_PATIENCE_MS = 5_000
/** How long somebody who is there has the chance to let in who could come in alone: it costs one op less. */
const ASK_FIRST_MS = 3_000

interface Joined {
  readonly opened: OpenRoom
  /** For who came in alone: why this device is not in after all. */
  readonly lost?: () => Promise<RoomError | undefined>
  readonly previews?: PreviewTaker | undefined
  /** Makes it a room that this device has but asked to join. */
  readonly forget?: () => Promise<void>
}

/** Joins rooms by invites. */
export interface Joining {
  /** @throws {RoomError} as {@link Rooms.join} does */
  join(invite: InviteLink, bounded: Bounded, onpreview?: OnPreview): Promise<Room>
  /**
   * Joins the direct room of two people, by the keys that one of their devices gives for a join request. Nobody is told
   * of the room before it has turned out to be that.
   *
   * @throws {RoomError} INVITE_REFUSED
   */
  joinDirect(discoveryKey: Uint8Array, pair: Pair, ask: (request: Uint8Array) => Promise<RoomKeys>, bounded: Bounded): Promise<Room>
}

/** Is given what was last said, while the room itself still comes. */
export type OnPreview = (preview: RoomPreview) => void

type Pair = readonly [Uint8Array, Uint8Array]

/** What a room is opened with. */
export interface RoomKeys {
  readonly key?: Uint8Array | null
  readonly encryptionKey?: Uint8Array | null
}

export function createJoining(init: JoiningInit): Joining {
  const { node, hint, pairing, stack, records, open, enter, pin, assertOpen, report } = init
  const { corestore, identity } = stack
  const reportUnheard = report('The devices of a room could not be asked for news.')
  const reportPreview = report('What was last said could not be shown.')

  /** The record under which this device asks to join: the same for every try. */
  async function joinRecord(discoveryKey: Uint8Array): Promise<RoomRecord> {
    const known = await records.get(discoveryKey)
    if (known !== undefined) return { ...known, left: false }
    const record = { namespace: randomBytes(KEY_BYTES), discoveryKey }
    await records.put(record)
    return record
  }

  async function localWriter({ namespace }: RoomRecord): Promise<WriterCore> {
    const store = roomStore(corestore, namespace)
    try {
      return await openWriterCore(store, identity, namespace)
    } finally {
      await store.close()
    }
  }

  /** What this device shows: another one each time, as an answer to an older one may still lie in the DHT. */
  function joinRequest(discoveryKey: Uint8Array, core: WriterCore, direct = false): Uint8Array {
    const nonce = randomBytes(KEY_BYTES)
    return encodeStruct('join-request', { writer: core.key, nonce, ...makeClaim(identity, discoveryKey, core, direct) })
  }

  /** Asks those who are there, for so long, and `undefined` if none of them answers. */
  async function askOnce(invite: InviteLink, core: WriterCore, bounded: Bounded, forMs?: number): Promise<PairingResult | undefined> {
    const request = joinRequest(invite.discoveryKey, core)
    const { name } = identity.identity
    assertOpen()
    const asking = ask(pairing, invite, invite.approval ? encodeStruct('knock-request', { request, name }) : request)
    const stop = (): void => void asking.close().catch(report('An answered invite is still being asked for.'))
    const timer = createTimer(forMs)
    return bounded(Promise.race([asking.answer, timer.over])).finally(() => {
      timer.clear()
      stop()
    })
  }

  async function askUntilAnswered(invite: InviteLink, core: WriterCore, bounded: Bounded): Promise<PairingResult> {
    for (;;) {
      const answer = await askOnce(invite, core, bounded, invite.approval ? ASK_AGAIN_MS : undefined)
      if (answer !== undefined) return answer
    }
  }

  /** Gets this device into the room, and opens it. */
  async function getIn(invite: InviteLink, bounded: Bounded, onpreview?: OnPreview): Promise<Joined> {
    const { discoveryKey } = invite
    const known = open.get(encodeZ32(discoveryKey))
    if (known !== undefined && (await known.isAdmitted())) return { opened: known }
    const record = await joinRecord(discoveryKey)
    const core = known === undefined ? await localWriter(record) : writerCore(known.base.local)
    const { key, encryptionKey } = invite
    const first = key && encryptionKey ? await askOnce(invite, core, bounded, ASK_FIRST_MS) : undefined
    if (first === undefined && key && encryptionKey) {
      return comeIn({ ...invite, key, encryptionKey }, record, known, bounded)
    }
    const answer = first ?? (await askUntilAnswered(invite, core, bounded))
    if (known !== undefined) return { opened: known }
    assertOpen()
    if (answer.encryptionKey?.length !== KEY_BYTES) {
      throw new RoomError('INVITE_REFUSED', 'Somebody answered without letting this device in.', {
        retryable: true,
        hint: 'Try the same invite again, so that somebody else of the room may answer.'
      })
    }
    const { namespace } = record
    const opened = await openRoom({ ...stack, namespace, key: answer.key, encryptionKey: answer.encryptionKey })
    // Last: a record with a key is one whose room can be opened.
    await records.put({ ...record, key: answer.key })
    enter(opened)
    const previews = onpreview && createPreviewTaker({ node, opened, identity, isBlocked: stack.isBlocked!, onpreview, onerror: reportPreview })
    return { opened, previews }
  }

  /** Comes in by a public invite, which nobody need be there for. */
  async function comeIn(
    invite: InviteLink & { key: Uint8Array; encryptionKey: Uint8Array },
    record: RoomRecord,
    known: OpenRoom | undefined,
    bounded: Bounded
  ): Promise<Joined> {
    const { key, encryptionKey, discoveryKey } = invite
    assertOpen()
    const opened = known ?? (await openRoom({ ...stack, namespace: record.namespace, key, encryptionKey }))
    // It is not in the list yet, and has to hear of the invite from somebody who replicates the room.
    const topic = node.join(discoveryKey)
    try {
      const request = joinRequest(discoveryKey, writerCore(opened.base.local))
      const lost = await bounded(enterRoom(opened, identity, invite, request))
      if (known !== undefined) return { opened, lost }
      assertOpen()
      await records.put({ ...record, key })
      enter(opened)
      return { opened, lost, forget: () => records.put({ ...record, key: null }) }
    } catch (error) {
      if (known === undefined) await opened.room.close()
      throw error
    } finally {
      topic.close().catch(report('A topic could not be left.'))
    }
  }

  async function openDirect(discoveryKey: Uint8Array, [self, other]: Pair, { key, encryptionKey }: RoomKeys, bounded: Bounded): Promise<OpenRoom> {
    assertOpen()
    const record = await joinRecord(discoveryKey)
    if (key?.length !== KEY_BYTES || encryptionKey?.length !== KEY_BYTES || !equalBytes(Hypercore.discoveryKey(key), discoveryKey)) throw notDirect()
    const opened = await openRoom({ ...stack, namespace: record.namespace, key, encryptionKey })
    const topic = node.join(discoveryKey)
    try {
      const row = await bounded(opened.until(async () => (await opened.view.room()) ?? hintDevices(opened)))
      const theirs = otherOf(row, self)
      if (theirs === undefined || !equalBytes(theirs, other)) throw notDirect()
      await bounded(opened.until(async () => (await opened.isAdmitted()) || hintDevices(opened)))
      assertOpen()
      await records.put({ ...record, key })
      enter(opened)
      return opened
    } catch (error) {
      await opened.room.close()
      throw error
    } finally {
      topic.close().catch(report('A topic could not be left.'))
    }
  }

  /** Waits until the admission has arrived, and introduces the newcomer. */
  async function welcome({ opened, lost, forget }: Joined, bounded: Bounded): Promise<Room> {
    const release = pin(opened.room.id)
    try {
      return await untilIn({ opened, ...(lost && { lost }), ...(forget && { forget }) }, bounded)
    } finally {
      release()
    }
  }

  async function untilIn({ opened, lost, forget }: Joined, bounded: Bounded): Promise<Room> {
    const { room, isAdmitted, until, viewKeeper } = opened
    let isWaiting = false
    /** Not while the end of the room is read: of everybody there is much to read. */
    const look = async (): Promise<void> => {
      if (isWaiting) return
      isWaiting = true
      try {
        await viewKeeper.calm()
        await hintDevices(opened)
      } finally {
        isWaiting = false
      }
    }
    const arriving = until(async () => {
      if (await isAdmitted()) return true
      look().catch((error: unknown) => opened.base.closing || reportUnheard(error))
      return undefined
    })
    const timer = createTimer(lost && LOST_PATIENCE_MS)
    await bounded(Promise.race([arriving, timer.over])).finally(timer.clear)
    const refused = await lost?.()
    if (refused !== undefined) {
      // Before the room closes beneath it.
      arriving.catch(() => undefined)
      await forget?.()
      if (forget) await room.close()
      throw refused
    }
    // Who has no place in the log has no name in the room either.
    if (!(await opened.mayWrite())) return room
    // Where nobody is there, it may take long until somebody gives this device a key: then it is told later. So it is in a
    // room that is yet to be downloaded: to tell it one has to know of all who are in.
    if (viewKeeper.isCalm()) await opened.teller.tell()
    return room
  }

  /**
   * Dials who made the link, where it says that they can be met: for who knows no relay, or finds nobody in the
   * topic. A courtesy of the link's: nothing is believed for it, and without it the topic is there.
   */
  function seekHost({ device, relays }: InviteLink): () => void {
    const isOther = device && !equalBytes(device, node.publicKey)
    if (!isOther || !relays || !hint(encodeZ32(device), relays)) return () => undefined
    try {
      const contact = node.addContact(device)
      return () => contact.close()
    } catch (error) {
      if (isCoveyError(error, 'PEER_BLOCKED')) return () => undefined
      throw error
    }
  }

  return {
    async joinDirect(discoveryKey, pair, ask, bounded) {
      assertOpen()
      const known = open.get(encodeZ32(discoveryKey))
      const core = known === undefined ? await localWriter(await joinRecord(discoveryKey)) : writerCore(known.base.local)
      const keys = await bounded(ask(joinRequest(discoveryKey, core, true)))
      return welcome({ opened: known ?? (await openDirect(discoveryKey, pair, keys, bounded)) }, bounded)
    },
    async join(invite, bounded, onpreview) {
      assertOpen()
      const stop = seekHost(invite)
      let previews: PreviewTaker | undefined
      let isIn = false
      try {
        const joined = await getIn(invite, bounded, onpreview)
        previews = joined.previews
        const room = await welcome(joined, bounded)
        isIn = true
        return room
      } finally {
        stop()
        await previews?.end(isIn)
      }
    }
  }
}

function notDirect(): RoomError {
  return new RoomError('INVITE_REFUSED', 'What was given is not a room of these two people.', { retryable: true })
}

/** Resolves after so long, if it is not cleared before. */
function createTimer(forMs: number | undefined): { readonly over: Promise<undefined>; clear(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  const over = new Promise<undefined>((resolve) => {
    if (forMs !== undefined) timer = setTimeout(resolve, forMs, undefined)
  })
  return { over, clear: () => clearTimeout(timer) }
}

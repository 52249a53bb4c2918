import { assertOptions, assertSignal, assertString, createEvents, throwIfAborted } from '@covey/core'
import { createFiles } from '@covey/files'
import { openIdentity } from '@covey/identity'
import { createMirrorClient } from '@covey/mirror/client'
import { createPayments, openFileJournal } from '@covey/payments'
import { createDevices, createRooms } from '@covey/rooms'
import { assertNetwork, createNode, openStore } from '@covey/transport'
import { avatarsIn, createPeerProfile } from './avatar.js'
import { createTemporaryFolder } from './internal/temporary-folder.js'
import type { Peer, PeerEvents, PeerInit } from './peer.js'
import { searchRooms } from './search-rooms.js'
import { filesIn } from './room-files.js'
import { mirrorsOf } from './room-mirrors.js'
import { paymentsIn } from './room-payments.js'
import { tipsIn } from './room-tips.js'

/**
 * Starts a peer: opens, or on the first run makes, an identity and its rooms, and puts them on the
 * network. It works offline too; nothing of it waits for other peers.
 *
 * @throws {TransportError} STORAGE_LOCKED, STORAGE_UNWRITABLE, STORAGE_FAILED
 * @throws {FileError} STORAGE_FULL, STORAGE_FAILED
 * @throws {IdentityError} IDENTITY_… when the secrets in the folder do not open
 * @throws {CoveyError} LINK_… when the link of a mirror is damaged
 * @throws {TypeError} when an option is malformed or unknown
 * @example
 * ```ts
 * import { createPeer } from 'covey'
 *
 * const alice = await createPeer({ storage: './alice', name: 'Alice' })
 * const room = await alice.rooms.create({ name: 'Tea' })
 * await room.send('hello')
 * await alice.close()
 * ```
 */
export async function createPeer(init: PeerInit = {}): Promise<Peer> {
  assertOptions(init, 'init', ['storage', 'name', 'deviceName', 'phrase', 'passphrase', 'keyProvider', 'network', 'relays', 'mirrors', 'policy', 'presence', 'files', 'payments', 'requestsFrom', 'signal'])
  const { storage, network, relays, mirrors = [], policy, presence, requestsFrom, files: held = {}, payments: wallet = { providers: [] }, signal, ...person } = init
  if (storage !== undefined) assertString(storage, 'init.storage', { minLength: 1 })
  if (network !== undefined) assertNetwork(network, 'init.network')
  if (presence !== undefined && typeof presence !== 'boolean') throw new TypeError('init.presence must be true or false')
  assertOptions(held, 'init.files', ['budgetBytes', 'holding'])
  assertOptions(wallet, 'init.payments', ['providers', 'assets', 'policy'])
  assertSignal(signal, 'init.signal')
  throwIfAborted(signal)

  /** What has been opened, and so has to be closed, from last to first. */
  const opened: (() => Promise<void>)[] = []
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      const errors: unknown[] = []
      for (const closeOne of opened.reverse()) await closeOne().catch((error: unknown) => errors.push(error))
      // Whatever failed, the rest is closed, and the folder released.
      if (errors.length > 0) throw errors[0]
    })())

  try {
    let folder = storage
    if (folder === undefined) {
      const temporary = await createTemporaryFolder()
      opened.push(temporary.remove)
      folder = temporary.path
    }
    // First of all, because it takes the lock of the folder.
    const store = await openStore(folder)
    opened.push(store.close)
    const identity = await openIdentity({ ...person, storage: `${folder}/identity`, ...(signal && { signal }) })
    opened.push(() => identity.close())
    const payments = createPayments({ ...wallet, signer: identity, journal: await openFileJournal(`${folder}/payments`) })
    opened.push(payments.close)
    const tipping = new Map<string, Promise<unknown>>()
    const node = createNode({
      identity,
      store,
      ...(network !== undefined && { network }),
      ...(relays !== undefined && { relays }),
      ...(policy !== undefined && { policy })
    })
    opened.push(node.close)
    const files = await createFiles({ ...held, identity, node, folder: `${folder}/files` })
    opened.push(files.close)
    const mirrorClient = createMirrorClient({ node, mirrors })
    opened.push(mirrorClient.close)
    const rooms = await createRooms({
      identity,
      node,
      ...(presence !== undefined && { presence }),
      ...(requestsFrom !== undefined && { requestsFrom }),
      extend: (room) => ({ files: filesIn(room, files), ...avatarsIn(files), ...mirrorsOf(room, mirrorClient) })
    })
    opened.push(rooms.close)
    const devices = await createDevices({ rooms })
    opened.push(devices.close)
    const events = createEvents<PeerEvents>()
    rooms.directMessages.on('request', (request) => events.emit('dm-request', request))
    rooms.directMessages.on('error', (error) => events.emit('error', error))
    throwIfAborted(signal)
    return {
      identity: identity.identity,
      device: identity.device,
      devices,
      profile: createPeerProfile(rooms.profile, files),
      contacts: rooms.contacts,
      directMessages: rooms.directMessages,
      dm: (who, options) => rooms.directMessages.open(typeof who === 'string' ? who : who.id, options),
      on: events.on.bind(events),
      once: events.once.bind(events),
      rooms,
      files,
      mirrors: {
        list: () => mirrorClient.mirrors.map((id) => ({ id, isConnected: mirrorClient.peers.includes(id) })),
        on: mirrorClient.on,
        once: mirrorClient.once
      },
      payments: {
        pay: payments.pay,
        recover: payments.recover,
        heedCancel: payments.heedCancel,
        verify: payments.verify,
        verifyAll: payments.verifyAll,
        settlement: payments.settlement,
        request: payments.request,
        verifyRefund: payments.verifyRefund,
        list: payments.list,
        in(room) {
          const inRoom = paymentsIn(room, payments)
          return { ...inRoom, ...tipsIn(room, payments, inRoom, tipping) }
        }
      },
      search: (text, options) => searchRooms(rooms, text, options),
      isSealed: identity.isSealed,
      get isSuspended() {
        return node.isSuspended
      },
      suspend: node.suspend.bind(node),
      resume: node.resume.bind(node),
      close,
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    await close()
    throw error
  }
}

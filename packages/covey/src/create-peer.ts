import { assertInteger, assertOptions, assertSignal, assertString, createClosers, createEvents, createTurns, throwIfAborted } from '@covey/core'
import { createFiles } from '@covey/files'
import { fileCoresOf } from '@covey/files/internal'
import { openIdentity } from '@covey/identity'
import { createMirrorClient } from '@covey/mirror/client'
import { createPayments, openFileJournal } from '@covey/payments'
import { createDevices, createRooms } from '@covey/rooms'
import { coresOf } from '@covey/rooms/internal'
import { assertNetwork, createNode, openStore } from '@covey/transport'
import { avatarsIn, createPeerProfile } from './avatar.js'
import { holdRoom } from './hold-room.js'
import { createTemporaryFolder } from './internal/temporary-folder.js'
import { createFileMirrors } from './mirror-files.js'
import { PEER_OPTIONS, type Peer, type PeerEvents, type PeerInit } from './peer.js'
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
  assertOptions(init, 'init', PEER_OPTIONS)
  const { storage, network, relays, mirrors = [], maxRoomMirrors, mirrorFiles = {}, policy, presence, readReceipts, maxOpenRooms, requestsFrom, files: held = {}, payments: wallet = { providers: [] }, signal, ...person } = init
  if (storage !== undefined) assertString(storage, 'init.storage', { minLength: 1 })
  if (network !== undefined) assertNetwork(network, 'init.network')
  if (presence !== undefined && typeof presence !== 'boolean') throw new TypeError('init.presence must be true or false')
  if (maxRoomMirrors !== undefined) assertInteger(maxRoomMirrors, 'init.maxRoomMirrors', { min: 0, max: 64 })
  assertOptions(held, 'init.files', ['budgetBytes', 'holding'])
  assertOptions(wallet, 'init.payments', ['providers', 'assets', 'policy'])
  assertSignal(signal, 'init.signal')
  throwIfAborted(signal)

  const closers = createClosers()
  try {
    let folder = storage
    if (folder === undefined) {
      const temporary = await createTemporaryFolder()
      closers.add(temporary.remove)
      folder = temporary.path
    }
    // First of all, because it takes the lock of the folder.
    const store = await openStore(folder)
    closers.add(store.close)
    const identity = await openIdentity({ ...person, storage: `${folder}/identity`, ...(signal && { signal }) })
    closers.add(() => identity.close())
    const journal = await openFileJournal(`${folder}/payments`)
    closers.add(() => journal.close())
    const payments = createPayments({ ...wallet, signer: identity, journal })
    closers.add(payments.close)
    const tipping = createTurns()
    const node = createNode({
      identity,
      store,
      ...(network !== undefined && { network }),
      ...(relays !== undefined && { relays }),
      ...(policy !== undefined && { policy })
    })
    closers.add(node.close)
    const files = await createFiles({ ...held, identity, node, folder: `${folder}/files` })
    closers.add(files.close)
    const mirrorClient = createMirrorClient({ node, mirrors, ...(maxRoomMirrors !== undefined && { maxNamed: maxRoomMirrors }) })
    closers.add(mirrorClient.close)
    const fileMirrors = createFileMirrors(fileCoresOf(files), mirrorFiles)
    closers.add(fileMirrors.close)
    const rooms = await createRooms({
      identity,
      node,
      ...(presence !== undefined && { presence }),
      ...(readReceipts !== undefined && { readReceipts }),
      ...(maxOpenRooms !== undefined && { maxOpenRooms }),
      ...(requestsFrom !== undefined && { requestsFrom }),
      extend(room) {
        const inRoom = paymentsIn(room, payments)
        return {
          files: filesIn(room, files, fileMirrors.cores),
          payments: { ...inRoom, ...tipsIn(room, payments, inRoom, tipping) },
          ...avatarsIn(files),
          ...mirrorsOf(room, mirrorClient, fileMirrors)
        }
      }
    })
    closers.add(rooms.close)
    rooms.on('leave', async ({ id }) => {
      // What was fetched there, and nobody keeps for another room. Who comes back finds it as it was at first.
      await files.setHolding(id, 'none')
      await files.setHolding(id, null)
    })
    fileMirrors.begin()
    const devices = await createDevices({ rooms, onroom: (room) => void holdRoom(room, coresOf(room), mirrorClient) })
    closers.add(devices.close)
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
        list() {
          const { mirrors: own, named, peers } = mirrorClient
          return [...own, ...named].map((id) => ({ id, isConnected: peers.includes(id), isOwn: own.includes(id) }))
        },
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
        list: payments.list
      },
      search: (text, options) => searchRooms(rooms, text, options),
      isSealed: identity.isSealed,
      isNew: identity.isNew,
      get hasPhrase() {
        return identity.hasPhrase
      },
      revealPhrase: () => identity.revealPhrase(),
      exportBackup: (options) => identity.exportBackup(options),
      get isSuspended() {
        return node.isSuspended
      },
      suspend: node.suspend.bind(node),
      resume: node.resume.bind(node),
      close: closers.close,
      [Symbol.asyncDispose]: closers.close
    }
  } catch (error) {
    return closers.closeAndThrow(error)
  }
}

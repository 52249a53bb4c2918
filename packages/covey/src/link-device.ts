import { assertOptions, assertSignal, assertString, createClosers, encodeZ32, isCoveyError, throwIfAborted } from '@covey/core'
import { createMemorySecretStore, openIdentity, openPendingDevice, type LocalIdentity, type OpenPendingDeviceInit, type PendingDevice } from '@covey/identity'
import { assertUnlinked, openLinking, type LinkGrant } from '@covey/rooms'
import { assertNetwork, createNode, openStore } from '@covey/transport'
import { createPeer } from './create-peer.js'
import { PEER_OPTIONS, type Peer, type PeerInit } from './peer.js'

/** How {@link linkDevice} makes a peer: as `createPeer` does, but for whose it is. */
export interface LinkDeviceInit extends Omit<PeerInit, 'phrase' | 'backup'> {
  readonly storage: string
  /** How long to wait for the other device to answer. Default {@link DEFAULT_LINKING_TIMEOUT_MS}. */
  readonly timeoutMs?: number
}

/** A device that waits for its person. */
export interface DeviceLinking {
  /** Six digits, to be shown: the other device shows the same ones, unless somebody is in between. */
  readonly code: string
  /** The id of the person whose device it is to be. */
  readonly identity: string
  /**
   * The peer, when the person has confirmed on the other device. Its rooms come by and by: `peer.devices.synced()`.
   *
   * @throws {RoomError} LINK_REFUSED, LINK_TIMEOUT
   * @throws what `createPeer` throws
   */
  confirmed(): Promise<Peer>
  /** Gives up, and releases the folder. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Makes this device one of a person's, by a link that `peer.devices.createLink()` of another device has made. Resolves
 * when there is a code to compare. From then on `createPeer` opens the folder. A device that was cut short, also by
 * a crash, may come with another link into the same folder.
 *
 * @throws {CoreError} LINK_… for a text that is no whole link for devices
 * @throws {RoomError} LINK_MALFORMED, LINK_EXPIRED, LINK_USED, LINK_REFUSED, LINK_TIMEOUT, DEVICE_LINKED
 * @throws {IdentityError} IDENTITY_… when the secrets in the folder do not open
 * @throws {TransportError} STORAGE_…
 * @throws {TypeError} when an option is malformed or unknown
 * @example
 * ```ts
 * import { linkDevice } from 'covey'
 *
 * async function scanned(link: string) {
 *   const linking = await linkDevice(link, { storage: './phone', deviceName: 'Phone' })
 *   console.log('Does the other device show this code?', linking.code)
 *   const peer = await linking.confirmed()
 *   await peer.devices.synced()
 *   console.log(peer.rooms.list().length)
 * }
 * console.log(scanned.name)
 * ```
 */
export async function linkDevice(link: string, init: LinkDeviceInit): Promise<DeviceLinking> {
  assertString(link, 'link')
  assertOptions(init, 'init', [...PEER_OPTIONS.filter((option) => option !== 'phrase' && option !== 'backup'), 'timeoutMs'])
  const { timeoutMs, ...peerInit } = init
  const { storage, name, deviceName, passphrase, keyProvider, network, relays, policy, signal } = peerInit
  assertString(storage, 'init.storage', { minLength: 1 })
  if (network !== undefined) assertNetwork(network, 'init.network')
  assertSignal(signal, 'init.signal')
  throwIfAborted(signal)

  const closers = createClosers()
  const { close } = closers
  try {
    const store = await openStore(storage)
    closers.add(store.close)
    // The device is nobody's yet: for the handshake it goes by another name, which nobody sees again.
    const stranger = await openIdentity({ storage: createMemorySecretStore() })
    closers.add(() => stranger.close())
    const paths = { ...(network && { network }), ...(relays && { relays }), ...(policy && { policy }) }
    const node = createNode({ identity: stranger, store, ...paths })
    closers.add(node.close)
    const secrets = { storage: `${storage}/identity`, name, deviceName, passphrase, keyProvider, signal }
    const device = await openDevice(secrets)
    closers.add(() => device.close())
    const own = isPending(device) ? undefined : device
    if (own) await assertUnlinked(node, own)

    const linking = await openLinking({
      node,
      link,
      request: device.createDeviceRequest(),
      ...(own && { identity: own.identity.publicKey }),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(signal && { signal })
    })
    closers.add(linking.close)

    let becoming: Promise<Peer> | undefined
    const become = async (): Promise<Peer> => {
      try {
        const grant = await linking.granted()
        const local = await accept(device, grant, linking.identity)
        closers.add(() => local.close())
        await grant.save(node, local)
        await close()
        return await createPeer({ name: grant.name, ...peerInit })
      } catch (error) {
        return closers.closeAndThrow(error)
      }
    }
    return {
      code: linking.code,
      identity: encodeZ32(linking.identity),
      confirmed: () => (becoming ??= become()),
      close,
      [Symbol.asyncDispose]: close
    }
  } catch (error) {
    return closers.closeAndThrow(error)
  }
}

/** The device in a folder: a new one, or one that was linked before and then cut short. */
async function openDevice(init: OpenPendingDeviceInit): Promise<PendingDevice | LocalIdentity> {
  try {
    return await openPendingDevice(init)
  } catch (error) {
    if (!isCoveyError(error, 'IDENTITY_EXISTS')) throw error
    return openIdentity(init)
  }
}

function isPending(device: PendingDevice | LocalIdentity): device is PendingDevice {
  return !('identity' in device)
}

async function accept(device: PendingDevice | LocalIdentity, { certificate }: LinkGrant, identity: Uint8Array): Promise<LocalIdentity> {
  if (isPending(device)) return device.acceptCertificate(certificate, { identity })
  await device.acceptCertificate(certificate).catch((error: unknown) => {
    // Who has come back by the words is of a newer epoch than who links it, which has not heard of that: it keeps its own.
    if (!device.hasPhrase || !isCoveyError(error, 'CERTIFICATE_OLD_EPOCH')) throw error
  })
  return device
}

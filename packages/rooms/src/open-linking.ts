import Hypercore from 'hypercore'
import type Corestore from 'corestore'
import { assertBytes, assertInteger, assertOptions, assertSignal } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import type { Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { DEFAULT_LINKING_TIMEOUT_MS, MAX_TIMEOUT_MS } from './constants.js'
import { RoomError } from './errors.js'
import { KEY_BYTES, randomBytes } from './internal/crypto.js'
import { visit, refusal } from './internal/linking/guest.js'
import { decodeDeviceLink } from './internal/linking/handshake.js'
import { openRecords } from './internal/records.js'
import type { CallOptions } from './room.js'

/** What {@link openLinking} needs. */
export interface OpenLinkingInit extends CallOptions {
  /** A node of the device, under any identity: it is for the handshake alone. */
  readonly node: Node
  /** From `createLink` of the other device. */
  readonly link: string
  /** The device's request to be certified. */
  readonly request: Uint8Array
  /** Whose the device is already. Default: nobody's. */
  readonly identity?: Uint8Array
  /** How long to wait for the other device to answer. Default {@link DEFAULT_LINKING_TIMEOUT_MS}. */
  readonly timeoutMs?: number
}

/** A link that wants but the person's word. */
export interface Linking {
  /** Six digits, to be shown: the other device shows the same ones, unless somebody is in between. */
  readonly code: string
  /** The person whose device this is to be. */
  readonly identity: Uint8Array
  /**
   * Resolves when the person has confirmed on the other device.
   *
   * @throws {RoomError} LINK_REFUSED, LINK_TIMEOUT
   */
  granted(): Promise<LinkGrant>
  /** Gives up. Idempotent. */
  close(): Promise<void>
}

/** What a device gets that is linked. */
export interface LinkGrant {
  readonly certificate: Uint8Array
  /** What the person calls themselves. */
  readonly name: string
  /**
   * Keeps what leads to the rooms of the person, for `createDevices` on the same store.
   *
   * @param identity as it was opened with the certificate.
   */
  save(node: Node, identity: LocalIdentity): Promise<void>
}

/**
 * Shows a device to the one that made a link. Resolves when there is a code to compare.
 *
 * @throws {CoreError} LINK_… for a text that is no whole link for devices
 * @throws {RoomError} LINK_MALFORMED, LINK_EXPIRED, LINK_USED, LINK_REFUSED, LINK_TIMEOUT
 */
export async function openLinking(init: OpenLinkingInit): Promise<Linking> {
  assertOptions(init, 'init', ['node', 'link', 'request', 'identity', 'timeoutMs', 'signal'])
  const { node, request, identity, timeoutMs = DEFAULT_LINKING_TIMEOUT_MS, signal } = init
  assertBytes(request, 'init.request')
  if (identity !== undefined) assertBytes(identity, 'init.identity', KEY_BYTES)
  assertInteger(timeoutMs, 'init.timeoutMs', { min: 1, max: MAX_TIMEOUT_MS })
  assertSignal(signal, 'init.signal')
  const link = decodeDeviceLink(init.link)
  if (Date.now() >= link.expiresAt) throw refusal('expired')
  const guest = await visit({ node, link, request, identity, timeoutMs, signal })
  return {
    code: guest.code,
    identity: guest.identity,
    close: guest.close,
    async granted() {
      const { certificate, name, key, encryptionKey } = await guest.granted()
      return { certificate, name: name ?? '', save: (saving, local) => save(saving, local, key, encryptionKey) }
    }
  }
}

async function save(node: Node, identity: LocalIdentity, key: Uint8Array, encryptionKey: Uint8Array): Promise<void> {
  const records = await openRecords(partsOf(node).corestore as Corestore, identity)
  try {
    const discoveryKey = Hypercore.discoveryKey(key)
    const found = (await records.all([])).find(({ personal }) => personal)
    if (found !== undefined) throw linked()
    await records.put({ namespace: randomBytes(KEY_BYTES), discoveryKey, key, encryptionKey, personal: true })
  } finally {
    await records.close()
  }
}

/** Whether a device shares the rooms of a person already. */
export async function assertUnlinked(node: Node, identity: LocalIdentity): Promise<void> {
  const records = await openRecords(partsOf(node).corestore as Corestore, identity)
  try {
    if ((await records.all([])).some(({ personal }) => personal)) throw linked()
  } finally {
    await records.close()
  }
}

function linked(): RoomError {
  return new RoomError('DEVICE_LINKED', 'This device shares the rooms of its person already.', {
    hint: 'Open it with createPeer, or use another folder.'
  })
}

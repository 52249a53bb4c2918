import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import type { LocalIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import type { WriterCore } from './claim.js'
import { hash, signKeyPair } from './crypto.js'
import { guardStore } from './guards/guard-core.js'

const DOMAIN = 'covey/rooms/writer-key/1'

/**
 * Makes this device's own core in a room, and tells the keys that sign it. They come from the device's
 * secret, and the storage never has them: opened with a pair of keys, Hypercore would write both down.
 *
 * @param store the room's own.
 * @param namespace the same that the store is of.
 */
export async function openWriterCore(store: Corestore, identity: LocalIdentity, namespace: Uint8Array): Promise<WriterCore> {
  guardStore(store)
  const keyPair = signKeyPair(hash(DOMAIN, deviceSecrets(identity).keyPair.secretKey, namespace))
  await store.ready()
  const core = store.get({ manifest: { version: store.manifestVersion, signers: [{ publicKey: keyPair.publicKey }] }, active: false })
  await core.ready()
  const { key } = core
  await core.close()
  return { key: key!, keyPair }
}

/** The keys of this device's own core. */
export function writerCore({ key, keyPair }: Hypercore<unknown>): WriterCore {
  if (key === null || keyPair === null) throw new TypeError('core must be ready, and this device its writer')
  return { key, keyPair }
}

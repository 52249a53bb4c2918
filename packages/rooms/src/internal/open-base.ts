import type Autobase from 'autobase'
import type { AutobaseHandlers } from 'autobase'
import type { KeyPair } from 'hypercore-crypto'
import type Corestore from 'corestore'
import { encodeZ32 } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { createGuardedBase, type BaseGuard } from './guards/guarded-base.js'
import type { OpenRoomInit } from './open-room.js'
import { openView, type RoomView } from './view.js'

/** The namespace of a room's cores within the store that a peer has. */
export function roomStore(corestore: Corestore, namespace: Uint8Array): Corestore {
  return corestore.namespace(`covey/room/${encodeZ32(namespace)}`)
}

/** The Autobase of a room, which opens from now on: {@link readyBase} waits for it. */
export function createRoomBase(
  { corestore, wakeup, identity, namespace, key, encryptionKey }: OpenRoomInit,
  keyPair: KeyPair,
  apply: NonNullable<AutobaseHandlers<RoomView>['apply']>,
  guard: BaseGuard
): Autobase<RoomView> {
  return createGuardedBase<RoomView>(
    roomStore(corestore, namespace),
    key ?? null,
    {
      keyPair,
      open: openView,
      apply,
      close: (view) => view.db.close(),
      // Who comes by a public invite writes before they are in; `apply` takes nothing else of strangers.
      optimistic: true,
      encrypted: true,
      encryptionKey: encryptionKey ?? null,
      blindEncryption: sealedKey(identity),
      wakeup
    },
    guard
  )
}

/** Resolves when it is open; closes what did not open. */
export async function readyBase(base: Autobase<RoomView>): Promise<void> {
  try {
    await base.ready()
  } catch (cause) {
    await base.close()
    throw cause
  }
}

/** K0 on disk: sealed for this device's identity, under the one label for such keys. */
function sealedKey(identity: LocalIdentity) {
  const label = 'covey/room/key/1'
  return {
    encrypt: async (key: Uint8Array) => ({ value: identity.seal(label, key), type: 1 }),
    decrypt: async ({ value }: { value: Uint8Array }) => ({ value: identity.unseal(label, value), rotated: false })
  }
}

import sodium from 'sodium-universal'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '../../packages/identity/src/index.js'
import { createBoxKeyPair, randomBytes } from '../../packages/rooms/src/internal/crypto.js'
import { createEpochKeys } from '../../packages/rooms/src/internal/epoch-keys.js'
import { createKeyring, draftRotation, HISTORY } from '../../packages/rooms/src/internal/keyring.js'
import type { Draft } from '../../packages/rooms/src/internal/op-log.js'
import { encodeOp, OpType } from '../../packages/rooms/src/internal/op.js'
import { createRoster } from '../../packages/rooms/src/internal/roster.js'
import type { RoomView } from '../../packages/rooms/src/internal/view.js'
import { measure } from '../harness.js'
import type { Views } from './view.js'

/** How many epochs a rotation carries on, at most. */
const OLDER_EPOCHS = 8
const KEY_BYTES = 32
const SEALED_KEY_BYTES = 48

/** From the decision that there has to be a new key to the op that gives it to all. */
export async function measureRotation(views: Views, devices: number): Promise<void> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const view = views.open()
  const rotate = await roomWithOneRemoved(view, identity, devices)
  const boxes = Array.from({ length: devices }, () => createBoxKeyPair().publicKey)
  const name = `rotate for ${devices.toLocaleString('en')} devices`

  await measure(name, {
    unit: 'ms',
    baselineName: 'X25519 and a seal for each device, libsodium alone',
    value: async () => (await timed(rotate)).tookMs,
    baseline: async () => (await timed(async () => bareSlots(boxes))).tookMs
  })
  await measure(`${name}, op`, {
    unit: 'bytes',
    baselineName: 'a sealed key for each device',
    runs: 1,
    value: async () => (await rotate()).length,
    baseline: async () => devices * SEALED_KEY_BYTES
  })
  await identity.close()
}

/** A room that needs another key, because somebody was removed who has the newest. Gives what makes the op. */
async function roomWithOneRemoved(view: RoomView, identity: LocalIdentity, devices: number): Promise<() => Promise<Uint8Array>> {
  const room = randomBytes(KEY_BYTES)
  const writer = randomBytes(KEY_BYTES)
  const row = (own: boolean, removed: boolean) => ({
    writer: own ? writer : randomBytes(KEY_BYTES),
    device: randomBytes(KEY_BYTES),
    identity: randomBytes(KEY_BYTES),
    box: own ? identity.device.boxPublicKey : createBoxKeyPair().publicKey,
    position: 0,
    ...(removed && { removed })
  })
  const [own, removed] = [row(true, false), row(false, true)]
  const others = Array.from({ length: devices - 1 }, () => row(false, false))
  for (const device of [own, removed, ...others]) await view.put('devices', device)
  await view.put('room', { createdAt: 0, history: HISTORY.full })
  for (let lamport = 1; lamport <= OLDER_EPOCHS; lamport++) {
    const { draft } = draftRotation(room, [own, removed], lamport - 1, 'full', [])
    const op = encodeOp({ type: OpType.rotate, sentAt: 0, payload: draft.payload! })
    await view.put('epochs', { lamport, id: randomBytes(KEY_BYTES), writer, position: 1, op })
  }
  await view.db.flush()

  const epochKeys = createEpochKeys({ room, writer, identity, view })
  return async () => {
    // As after a start: nothing of who is in is in memory.
    const keyring = createKeyring({ room, writer, view, roster: createRoster(view), epochKeys, isChanging: () => true })
    const { drafts } = await keyring.plan()
    if (drafts.length !== 1) throw new Error(`A rotation of ${drafts.length} ops.`)
    const { type, payload } = drafts[0] as Draft
    return encodeOp({ type: OpType[type], sentAt: Date.now(), previous: writer, payload: payload! })
  }
}

/** The cryptography of the slots, and nothing else. */
function bareSlots(boxes: readonly Uint8Array[]): void {
  const { secretKey } = createBoxKeyPair()
  const [key, shared, nonce] = [randomBytes(KEY_BYTES), new Uint8Array(KEY_BYTES), new Uint8Array(24)]
  for (const box of boxes) {
    sodium.crypto_scalarmult(shared, secretKey, box)
    const sealed = new Uint8Array(SEALED_KEY_BYTES)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, key, null, null, nonce, shared)
  }
}

async function timed(work: () => Promise<unknown>): Promise<{ tookMs: number }> {
  const startedAt = performance.now()
  await work()
  return { tookMs: performance.now() - startedAt }
}

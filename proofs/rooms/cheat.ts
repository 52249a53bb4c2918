import { randomBytes } from 'node:crypto'
import { concatBytes } from '../../packages/core/src/index.js'
import { agree, createBoxKeyPair, hash, sealOnce } from '../../packages/rooms/src/internal/crypto.js'
import { draftRotation } from '../../packages/rooms/src/internal/keyring.js'
import { commitmentTo, stateKey } from '../../packages/rooms/src/internal/slots.js'
import { encodeStruct } from '../../packages/rooms/src/internal/structs.js'
import type { DeviceRow } from '../../packages/rooms/src/internal/view.js'
import type { Member } from './member.js'

/** Keys as no honest device would give them: nobody else may be the worse for it. */
export type Cheat = 'to-strangers' | 'not-to-itself' | 'other-keys' | 'other-parents'

export const CHEATS: readonly Cheat[] = ['to-strangers', 'not-to-itself', 'other-keys', 'other-parents']

/** Begins an epoch that is not what it seems. */
export async function cheat({ base, view, log }: Member, kind: Cheat): Promise<void> {
  const room = base.discoveryKey!
  const all = await view.all('devices')
  const present = all.filter((row) => !row.removed)
  const newest = await view.epochs(8)
  const lamport = newest[0]?.lamport ?? 0
  const { removals } = await view.meta()
  if (kind === 'other-keys') {
    await log.append([{ type: 'rotate', payload: otherKeys(room, present, lamport, removals ?? 0) }])
    return
  }
  const devices = kind === 'to-strangers' ? all : present.filter(({ writer }) => kind !== 'not-to-itself' || !writer.every((byte, i) => byte === base.local.key[i]))
  const older = kind === 'other-parents' ? newest.map(({ id }) => ({ id, key: new Uint8Array(randomBytes(32)) })) : []
  const { draft } = draftRotation(room, devices, lamport, 'full', older, removals ?? 0)
  await log.append([draft])
}

/** Gives somebody the key that is used, whoever they are. */
export async function giveKey({ log, keyring }: Member, { machine: { identity }, base: { local } }: Member): Promise<void> {
  const { drafts, epoch } = await keyring.plan()
  if (drafts.length > 0) throw new Error('There is no key in use.')
  await log.append(keyring.grant(epoch([]), [{ writer: local.key, box: identity.device.boxPublicKey }]))
}

/** Slots as they should be, but each with a key of its own, and none of them the one committed to. */
function otherKeys(room: Uint8Array, devices: readonly DeviceRow[], lamport: number, removals: number): Uint8Array {
  const committed = new Uint8Array(randomBytes(32))
  const commitment = commitmentTo(room, committed)
  const { publicKey: ephemeral, secretKey } = createBoxKeyPair()
  const slots = devices.flatMap(({ writer, box }) => {
    const wrap = hash('covey/epoch/slot/1', room, agree(secretKey, box)!, ephemeral, box)
    const tag = hash('covey/epoch/tag/1', writer).subarray(0, 8)
    return [tag, sealOnce(new Uint8Array(randomBytes(32)), commitment, wrap)]
  })
  const stateCommitment = commitmentTo(room, stateKey(room, committed))
  return encodeStruct('rotate', { lamport: lamport + 1, commitment, stateCommitment, ephemeral, slots: concatBytes(...slots), removals })
}

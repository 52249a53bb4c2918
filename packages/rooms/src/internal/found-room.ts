import type { LocalIdentity } from '@covey/identity'
import { makeClaim } from './claim.js'
import { draftRotation, HISTORY, type History } from './keyring.js'
import type { OpenRoom } from './open-room.js'
import type { DraftSource } from './op-log.js'
import { encodeStruct } from './structs.js'

/** Writes the first ops of a room, all at once: who founded it, its first key, its name. */
export async function foundRoom(
  { base, log }: OpenRoom,
  identity: LocalIdentity,
  { name, history }: { name: string; history: History }
): Promise<void> {
  const room = base.discoveryKey!
  const writer = base.local.key
  const claim = makeClaim(identity, room, writer)
  const self = { writer, box: identity.device.boxPublicKey }
  const { draft: rotation, key } = draftRotation(room, [self], 0, history, [])
  const sealed = (plain: Uint8Array, ids: readonly Uint8Array[]) => ({ plain, epoch: { id: ids[1]!, key } })

  const drafts: DraftSource[] = [
    { type: 'create', payload: encodeStruct('create', { ...claim, history: HISTORY[history] }) },
    rotation,
    (ids) => ({ type: 'settings', body: sealed(encodeStruct('settings-body', { name }), ids) })
  ]
  const person = identity.identity.name
  if (person !== '') {
    drafts.push((ids) => ({ type: 'profile', body: sealed(encodeStruct('profile-body', { name: person }), ids) }))
  }
  await log.append(drafts)
}

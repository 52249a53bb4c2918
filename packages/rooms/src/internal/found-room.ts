import type { LocalIdentity } from '@covey/identity'
import type { RoomRules } from '../rules.js'
import { makeClaim } from './claim.js'
import { writerCore } from './writer-core.js'
import { draftRotation, HISTORY, type History } from './keyring.js'
import { draftRules } from './rule-setting.js'
import { writeRules } from './room-rules.js'
import type { OpenRoom } from './open-room.js'
import type { DraftSource, Making } from './op-log.js'
import { encodeStruct } from './structs.js'

/** Writes the first ops of a room, all at once: who founded it, its first key, its name. */
export async function foundRoom(
  { base, log }: OpenRoom,
  identity: LocalIdentity,
  { name, history, rules }: { name: string; history: History; rules?: Partial<RoomRules> | undefined }
): Promise<void> {
  const room = base.discoveryKey!
  const writer = base.local.key
  const claim = makeClaim(identity, room, writerCore(base.local))
  const self = { writer, box: identity.device.boxPublicKey }
  const { draft: rotation, key } = draftRotation(room, [self], 0, history, [])
  const sealed = (body: Uint8Array, { ids }: Making) => ({ body, epoch: { id: ids[1]!, key } })

  const drafts: DraftSource[] = [
    { type: 'create', payload: encodeStruct('create', { ...claim, history: HISTORY[history] }) },
    rotation,
    (making) => ({ type: 'settings', ...sealed(encodeStruct('settings-body', { name }), making) })
  ]
  if (rules && writeRules(rules).length > 0) drafts.push(draftRules(rules))
  const person = identity.identity.name
  if (person !== '') {
    const profile = encodeStruct('profile-body', { name: person })
    drafts.push((making) => ({ type: 'profile', ...sealed(profile, making) }))
  }
  await log.append(drafts)
}

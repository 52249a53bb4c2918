import type { LocalIdentity } from '@covey/identity'
import type { RoomRules } from '../rules.js'
import { makeClaim } from './claim.js'
import { writerCore } from './writer-core.js'
import { draftRotation, HISTORY, type History } from './keyring.js'
import { draftRules } from './rule-setting.js'
import { writeRules } from './room-rules.js'
import type { OpenRoom } from './open-room.js'
import type { DraftSource, Making } from './op-log.js'
import { isNothing, profileDraft } from './people/tell-profile.js'
import { encodeStruct } from './structs.js'

/** Writes the first ops of a room, all at once: who founded it, its first key, its name. */
export async function foundRoom(
  { base, log, profile }: OpenRoom,
  identity: LocalIdentity,
  { name, history, peer, rules }: { name: string; history: History; peer?: Uint8Array; rules?: Partial<RoomRules> | undefined }
): Promise<void> {
  const room = base.discoveryKey!
  const writer = base.local.key
  const claim = makeClaim(identity, room, writerCore(base.local))
  const self = { writer, box: identity.device.boxPublicKey }
  const { draft: rotation, key } = draftRotation(room, [self], 0, history, [])
  const sealed = (body: Uint8Array, { ids }: Making) => ({ body, epoch: { id: ids[1]!, key } })

  const drafts: DraftSource[] = [
    { type: 'create', payload: encodeStruct('create', { ...claim, history: HISTORY[history], peer: peer ?? null }) },
    rotation
  ]
  if (rules && writeRules(rules).length > 0) drafts.push(draftRules(rules))
  if (peer === undefined) drafts.push((making) => ({ type: 'settings', ...sealed(encodeStruct('settings-body', { name }), making) }))
  if (!isNothing(profile.current().profile)) {
    const draft = profileDraft(profile)
    drafts.push((making) => ({ ...draft, ...sealed(draft.body!, making) }))
  }
  await log.append(drafts)
}

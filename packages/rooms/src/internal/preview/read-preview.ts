import type { LocalIdentity } from '@covey/identity'
import type { Message } from '../../message.js'
import { mapKey } from '../map-key.js'
import { opId } from '../op.js'
import { createReader } from '../reader.js'
import type { Preview } from './preview-channel.js'

/**
 * Reads what a preview shows as messages of the room are read, by what is in it alone.
 *
 * @param room the discovery key.
 */
export async function readPreview(
  { keys, messages: shown, profiles, settings, settingsWriter }: Preview,
  room: Uint8Array,
  identity: LocalIdentity,
  isBlocked: (identity: string) => boolean
): Promise<{ readonly name: string; readonly messages: readonly Message[] }> {
  const keysOf = new Map(keys.map((key) => [mapKey(key.epoch), key]))
  const profileOf = new Map(profiles.map((row) => [mapKey(row.identity), row]))
  const reader = createReader({
    room,
    identity,
    isBlocked,
    onmissing: () => undefined,
    epochKeys: {
      messageKey: async (epoch) => keysOf.get(mapKey(epoch))?.message ?? undefined,
      stateKey: async (epoch) => keysOf.get(mapKey(epoch))?.state ?? undefined
    },
    view: {
      meta: async () => ({ messages: shown.length, authority: 0, skipped: 0 }),
      room: async () => ({ createdAt: 0, history: 0, ...(settings && settingsWriter && { settings, settingsWriter }) }),
      device: async () => null,
      profile: async (person) => profileOf.get(mapKey(person)) ?? null
    }
  })
  const messages: Message[] = []
  for (const { writer, identity: by, device, op, edits, edit, editWriter } of shown) {
    const row = { id: opId(room, writer, op), writer, op, identity: by, device }
    const state = { order: 0, edits: edits ?? 0, reactions: 0, reacted: 0, replies: 0 }
    const newest = edit && editWriter ? { order: 0, number: 0, writer: editWriter, op: edit } : null
    const message = await reader.message(row, { state, edit: newest, reactions: [], votes: [] })
    if (message !== undefined) messages.push(message)
  }
  return { name: await reader.roomName(), messages }
}

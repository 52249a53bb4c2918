import { MAX_PREVIEW_MESSAGES } from '../../preview.js'
import { aboutMessage } from '../about-message.js'
import { mapKey } from '../map-key.js'
import { decodeOp, isTalk } from '../op.js'
import type { OpenRoom } from '../open-room.js'
import type { Structs } from '../structs.js'
import type { MessageRow } from '../view.js'
import { MAX_PREVIEW_OP_BYTES, PREVIEW_BUDGET_BYTES, type Preview } from './preview-channel.js'

/** What the keys, hashes and numbers of one message or profile, and the key of its epoch, take at most. */
const BESIDE_BYTES = 256

/** The last messages of a room, as they are here, and what opens them. */
export async function makePreview({ base, view, epochKeys }: Pick<OpenRoom, 'base' | 'view' | 'epochKeys'>): Promise<Preview> {
  const { messages: count } = await view.meta()
  const keys = new Map<string, Structs['preview-key']>()
  const profiles = new Map<string, Structs['preview-profile']>()
  const messages: Structs['preview-message'][] = []
  let left = PREVIEW_BUDGET_BYTES

  function fits(op: Uint8Array): boolean {
    if (op.length > MAX_PREVIEW_OP_BYTES || left < op.length + BESIDE_BYTES) return false
    left -= op.length + BESIDE_BYTES
    return true
  }

  /** Adds what opens an op; `false` where this device cannot. */
  async function addKey(bytes: Uint8Array): Promise<boolean> {
    const { type, epoch } = decodeOp(bytes)!.header
    if (!epoch) return false
    const known = keys.get(mapKey(epoch))
    const name = isTalk(type) ? 'message' : 'state'
    if (known?.[name]) return true
    const key = await (name === 'message' ? epochKeys.messageKey(epoch) : epochKeys.stateKey(epoch))
    if (key === undefined) return false
    keys.set(mapKey(epoch), { epoch, ...known, [name]: key })
    return true
  }

  async function addProfile(identity: Uint8Array): Promise<void> {
    const row = profiles.has(mapKey(identity)) ? null : await view.profile(identity)
    if (row === null || !fits(row.op) || !(await addKey(row.op))) return
    profiles.set(mapKey(identity), { identity, writer: row.writer, op: row.op })
  }

  async function addMessage(row: MessageRow): Promise<void> {
    const { writer, identity, device, length, op } = row
    if (!identity || !device || !length) return
    const { state, edit } = await aboutMessage(view, row)
    const isWhole = !state?.deletedBy && (!edit || (await addKey(edit.op))) && (await addKey(op))
    if (!isWhole || !fits(op) || (edit && !fits(edit.op))) return
    messages.unshift({ writer, identity, device, length, op, ...(edit && { edits: state!.edits, edit: edit.op, editWriter: edit.writer }) })
    await addProfile(identity)
  }

  const { settings, settingsWriter } = (await view.room()) ?? {}
  const named = settings && settingsWriter && fits(settings) && (await addKey(settings)) ? { settings, settingsWriter } : {}
  const rows = await view.messages(Math.max(0, count - MAX_PREVIEW_MESSAGES), count)
  for (const row of rows.toReversed()) await addMessage(row)
  return { writer: base.local.key, keys: [...keys.values()], messages, profiles: [...profiles.values()], ...named }
}

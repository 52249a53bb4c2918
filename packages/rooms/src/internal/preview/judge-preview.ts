import { encodeZ32, equalBytes } from '@covey/core'
import { MAX_KEPT_EDITS } from '../apply/messages.js'
import type { OpenRoom } from '../open-room.js'
import { opId } from '../op.js'
import type { Structs } from '../structs.js'
import type { MessageRow } from '../view.js'
import type { Preview } from './preview-channel.js'

/**
 * Asks the room whether it has what was shown, and who showed it: as often as it has changed, until it says so.
 *
 * @param by the device that showed it.
 * @returns what answers `undefined` while the room has not read so far.
 */
export function createPreviewJudge(
  { writer, messages }: Preview,
  by: string,
  { base, view }: Pick<OpenRoom, 'base' | 'view'>
): () => Promise<'confirmed' | 'refuted' | undefined> {
  const room = base.discoveryKey!
  /** All before it are as they were shown. */
  let next = 0

  async function judge(shown: Structs['preview-message']): Promise<boolean | undefined> {
    const row = await view.message(opId(room, shown.writer, shown.op))
    if (row === null) return ((await view.writer(shown.writer))?.length ?? 0) >= shown.length ? false : undefined
    const device = await view.device(row.writer)
    const isTheirs = device !== null && equalBytes(device.identity, shown.identity) && equalBytes(device.device, shown.device)
    return isTheirs && judgeEdit(shown, row)
  }

  async function judgeEdit({ edit, edits }: Structs['preview-message'], { order }: MessageRow): Promise<boolean | undefined> {
    const state = await view.messageState(order)
    if (!edit || state?.deletedBy) return true
    if ((await view.edits(order)).some(({ op }) => equalBytes(op, edit))) return true
    const known = state?.edits ?? 0
    // There is more to come, or it is one of those that are not kept.
    return known < (edits ?? 0) || known > MAX_KEPT_EDITS ? undefined : false
  }

  return async () => {
    const shower = await view.device(writer)
    if (shower !== null && encodeZ32(shower.device) !== by) return 'refuted'
    for (; next < messages.length; next++) {
      const isSo = await judge(messages[next]!)
      if (isSo !== true) return isSo === false ? 'refuted' : undefined
    }
    return shower === null || shower.removed ? undefined : 'confirmed'
  }
}

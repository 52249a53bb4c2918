import { equalBytes } from '@covey/core'
import { isAtLeast, roleOf } from '../../roles.js'
import { rulesOf } from '../room-rules.js'
import type { DeviceRow, MemberRow } from '../view.js'
import type { AuthorityState } from './state.js'

/**
 * Whether the devices of a member have no place in the log. Of readers of a broadcast room nothing is read:
 * there may be many more of them than a log has room for, and there is nothing that they would have to write.
 */
export async function isSilent(state: AuthorityState, role: number): Promise<boolean> {
  const known = roleOf(role)
  return known !== undefined && !isAtLeast(known, 'member') && rulesOf(await state.room()).broadcast
}

/** Whether what a device writes is read. */
export function hasVoice({ removed, silent }: DeviceRow): boolean {
  return !removed && !silent
}

/** To be called when the role of a member is another. */
export async function settleVoice(state: AuthorityState, { identity, role }: MemberRow): Promise<void> {
  const silent = await isSilent(state, role)
  for (const row of await state.devicesOf(identity)) await setSilent(state, row, silent)
}

/** To be called when the room became a broadcast room, or is none any more. */
export async function settleVoices(state: AuthorityState): Promise<void> {
  let last: { readonly identity: Uint8Array; readonly silent: boolean } | undefined
  for (const row of await state.devices()) {
    if (last === undefined || !equalBytes(last.identity, row.identity)) {
      const member = await state.member(row.identity)
      last = { identity: row.identity, silent: await isSilent(state, member?.role ?? 0) }
    }
    await setSilent(state, row, last.silent)
  }
}

async function setSilent(state: AuthorityState, row: DeviceRow, silent: boolean): Promise<void> {
  if ((row.silent === true) !== silent) await state.put('devices', { ...row, silent })
}

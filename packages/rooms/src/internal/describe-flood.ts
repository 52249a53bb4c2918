import { encodeZ32 } from '@covey/core'
import { isAtLeast, roleOf } from '../roles.js'
import type { MemberFlood } from '../room.js'
import { leastRole } from './authority/rules.js'
import type { OwnRole } from './own-role.js'
import type { RoomView } from './view.js'

/** Who the member behind a writer is that writes too much; `undefined` if it is none, or none any more. */
export async function describeFlood(
  view: RoomView,
  ownRole: OwnRole,
  writer: Uint8Array
): Promise<MemberFlood | undefined> {
  const device = await view.device(writer)
  const member = device === null || device.removed ? null : await view.member(device.identity)
  const role = member === null ? undefined : roleOf(member.role)
  if (device === null || role === undefined) return undefined
  const own = await ownRole.current()
  const mayRemove = own !== undefined && isAtLeast(own, leastRole('remove')) && !isAtLeast(role, own)
  return { memberId: encodeZ32(device.identity), device: encodeZ32(device.device), mayRemove }
}

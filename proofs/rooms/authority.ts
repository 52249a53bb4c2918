import { parseAction, type Action } from '../../packages/rooms/src/internal/authority/action.js'
import { decodeOp } from '../../packages/rooms/src/internal/op.js'
import type { RoomView } from '../../packages/rooms/src/internal/view.js'
import type { Op, Seen, Want } from '../model/ops.js'
import { resolve } from '../model/resolve.js'
import { hex } from './member.js'

/** Holds the members and devices of a view against what the model makes of its ops. */
export async function checkAuthority(view: RoomView): Promise<void> {
  const rows = await view.all('authority')
  const founder = rows[0]!.writer
  const ops = rows.flatMap(({ op: bytes, writer, length }): Op[] => {
    const op = decodeOp(bytes)
    const action = op && parseAction(op, { room: new Uint8Array(32), writer, verify: false })
    return op && action ? [{ writer: hex(writer), length, sentAt: op.header.sentAt, want: wantOf(action), isFounder: writer === founder }] : []
  })
  const { state } = resolve(ops)
  const members = (await view.all('members')).map(({ identity, role, muted }) => `${hex(identity)} ${role} ${muted === true}`)
  const devices = (await view.all('devices')).map(({ writer, removed }) => `${hex(writer)} ${removed === true}`)
  same('members', members, [...state.members].map(([identity, { role, muted }]) => `${identity} ${role} ${muted}`))
  same('devices', devices, [...state.devices].map(([writer, { isRemoved }]) => `${writer} ${isRemoved}`))
}

function same(what: string, room: string[], model: string[]): void {
  const [ours, theirs] = [room.sort().join('\n'), model.sort().join('\n')]
  if (ours !== theirs) throw new Error(`Room and model have other ${what}:\n${ours}\nmodel:\n${theirs}`)
}

function wantOf(action: Action): Want {
  switch (action.type) {
    case 'create':
      return { type: 'create', ...named(action.claimant) }
    case 'admit': {
      const { epoch } = action.claimant
      return { type: 'admit', ...named(action.claimant), writer: hex(action.writer), epoch, role: action.role, invite: undefined, isForged: false, isApproved: false }
    }
    case 'setRole':
      return { type: 'setRole', identity: hex(action.identity), role: action.role, seen: seenOf(action.seen) }
    case 'remove':
      return { type: 'remove', identity: hex(action.identity), ban: action.ban, seen: seenOf(action.seen) }
    case 'transfer':
      return { type: 'transfer', identity: hex(action.identity) }
    case 'settings':
    case 'mirrors':
    case 'leave':
      return { type: action.type }
    default:
      throw new Error(`This proof writes no ${action.type}`)
  }
}

function named({ identity, device }: { identity: Uint8Array; device: Uint8Array }) {
  return { identity: hex(identity), device: hex(device) }
}

function seenOf(seen: readonly { writer: Uint8Array; length: number }[]): Seen {
  return new Map(seen.map(({ writer, length }) => [hex(writer), length]))
}

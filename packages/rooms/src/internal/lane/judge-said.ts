import { encodeZ32 } from '@covey/core'
import { isAtLeast, roleOf } from '../../roles.js'
import { isPaced } from '../apply/pace.js'
import { hasVoice } from '../authority/voices.js'
import { mapKey } from '../map-key.js'
import { forbiddenTo, isAllowed } from '../message-kinds.js'
import { decodeOp, opId, OpType } from '../op.js'
import { follows, type PendingMessage, type PendingMessages } from '../pending-messages.js'
import type { Reader } from '../reader.js'
import { rulesOf } from '../room-rules.js'
import type { RoomView } from '../view.js'
import { isSaidBy, readSaid } from './said.js'

/** A device that may speak, and what it may not say. */
interface Speaker {
  readonly device: Uint8Array
  readonly forbidden: number
}

export interface JudgeInit {
  /** The discovery key. */
  readonly room: Uint8Array
  readonly view: RoomView
  readonly reader: Reader
  readonly pending: PendingMessages
}

/** How many messages of a device are shown before the log has them. */
const MAX_PENDING_OF_WRITER = 64
/** And of all devices. */
const MAX_PENDING = 512
/** Any peer may name any writer, and any epoch. */
const MAX_REMEMBERED = 4_096

/** Judges what peers say on the fast lane. */
export interface LaneJudge {
  /**
   * What a peer said, if it may be shown before the log has it: the same as `apply` would demand now, of a
   * device that speaks for itself.
   *
   * @param peer the id of the device, as the session has proven it.
   */
  judge(peer: string, bytes: Uint8Array): Promise<PendingMessage | undefined>
  /** To be called when members, devices or epochs have changed. */
  changed(): void
}

export function createLaneJudge({ room, view, reader, pending }: JudgeInit): LaneJudge {
  /** By writer: the device that may speak, or none. */
  const speakers = remember(findSpeaker)
  const knownEpochs = remember(async (epoch) => (await view.epoch(epoch)) !== null)

  async function findSpeaker(writer: Uint8Array): Promise<Speaker | undefined> {
    const device = await view.device(writer)
    const member = device === null || !hasVoice(device) ? null : await view.member(device.identity)
    const role = member === null || member.muted ? undefined : roleOf(member.role)
    if (role === undefined || !isAtLeast(role, 'member')) return undefined
    const rules = rulesOf(await view.room())
    // How slow somebody has to be, the log knows: it is soon enough then.
    return isPaced(rules, role) ? undefined : { device: device!.device, forbidden: forbiddenTo(role, rules) }
  }

  /** Whether it is the next of its writer's chain, as far as that is known here. */
  async function isNext(id: Uint8Array, writer: Uint8Array, previous: Uint8Array | null | undefined): Promise<boolean> {
    const shown = pending.of(writer).at(-1)
    if (shown !== undefined) return follows(previous, shown.id)
    const row = await view.writer(writer)
    if (row === null) return !previous
    return follows(previous, row.head) && (!!row.head || (await view.message(id)) === null)
  }

  async function judge(peer: string, bytes: Uint8Array): Promise<PendingMessage | undefined> {
    const said = readSaid(bytes)
    const op = said && decodeOp(said.op)
    if (op?.header.type !== OpType.message || !op.header.epoch) return undefined
    const { writer } = said!
    const by = await speakers.get(writer)
    // Nobody passes on what others say: so the bounds of a peer are those of a writer.
    if (by === undefined || encodeZ32(by.device) !== peer || !isAllowed(op, by.forbidden)) return undefined
    if (pending.size >= MAX_PENDING || pending.of(writer).length >= MAX_PENDING_OF_WRITER) return undefined
    const id = opId(room, writer, said!.op)
    if (!(await isNext(id, writer, op.header.previous)) || !isSaidBy(said!, id, by.device)) return undefined
    // An epoch that is not known here is no reason to ask for its key.
    if (!(await knownEpochs.get(op.header.epoch))) return undefined
    if (typeof (await reader.body(said!.op, writer)) === 'string') return undefined
    return { id, writer, op: said!.op }
  }

  return {
    judge,
    changed() {
      speakers.clear()
      knownEpochs.clear()
    }
  }
}

/** What is found by a key, and is so until it is cleared. */
function remember<Value>(find: (key: Uint8Array) => Promise<Value>): { get(key: Uint8Array): Promise<Value>; clear(): void } {
  const found = new Map<string, Promise<Value>>()
  return {
    get(key) {
      const name = mapKey(key)
      const known = found.get(name)
      if (known !== undefined) return known
      if (found.size >= MAX_REMEMBERED) found.clear()
      const finding = find(key)
      found.set(name, finding)
      finding.catch(() => found.get(name) === finding && found.delete(name))
      return finding
    },
    clear: () => found.clear()
  }
}

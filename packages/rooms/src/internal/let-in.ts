import { encodeUtf8 } from '@covey/core'
import { MAX_NAME_BYTES } from '../constants.js'
import { verifyClaim, type Claimant } from './claim.js'
import type { Keyring } from './keyring.js'
import type { Draft, OpLog } from './op-log.js'
import type { Recipient } from './slots.js'
import { decodeStruct, type Structs } from './structs.js'
import type { RoomView } from './view.js'

/** Who asks to be let in, when what they claim is proven. */
export interface Asked {
  readonly claimant: Claimant
  readonly writer: Uint8Array
  /** The join request alone, as an admission has it. */
  readonly request: Uint8Array
  /** `''` unless a moderator has to approve. */
  readonly name: string
}

/** @param bytes what the invite has signed: a join request, with a name where a moderator has to approve. */
export function readAsked(
  room: Uint8Array,
  bytes: Uint8Array,
  { approval }: Pick<Structs['invite-row'], 'approval'>,
  atMs: number
): Asked | undefined {
  const { request, name } = (approval ? decodeStruct('knock-request', bytes) : { request: bytes, name: '' }) ?? {}
  const claim = request && decodeStruct('join-request', request)
  const claimant = claim && verifyClaim(room, claim.writer, claim, atMs)
  if (request === undefined || claimant === undefined) return undefined
  const isNamed = typeof name === 'string' && encodeUtf8(name).length <= MAX_NAME_BYTES
  return { claimant, writer: claim!.writer, request, name: isNamed ? name : '' }
}

/** Admits a device, and gives it the key that it may have; `false` if the room does not take it. */
export async function letIn(
  { view, log, keyring }: { readonly view: RoomView; readonly log: OpLog; readonly keyring: Keyring },
  newcomer: Recipient,
  admission: Draft
): Promise<boolean> {
  await log.append([admission])
  // First: what was given to somebody who is not in, they can read all the same.
  if (!(await isIn(view, newcomer.writer))) return false
  if (admission.type === 'addDevice') await log.append(await keyring.welcomeDevice(newcomer))
  const drafts = await keyring.welcome(newcomer)
  await (drafts === undefined ? log.append([], { underEpoch: true }) : log.append(drafts))
  return true
}

export async function isIn(view: RoomView, writer: Uint8Array): Promise<boolean> {
  const device = await view.device(writer)
  return device !== null && !device.removed
}

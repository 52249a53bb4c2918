import { createRequire } from 'node:module'
import type { Head } from 'autobase'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '../../packages/identity/src/index.js'
import type { InviteLink } from '../../packages/rooms/src/invite.js'
import { makeClaim, type WriterCore } from '../../packages/rooms/src/internal/claim.js'
import { randomBytes, seal } from '../../packages/rooms/src/internal/crypto.js'
import { makeReceipt } from '../../packages/rooms/src/internal/invite-keys.js'
import { letIn, readAsked } from '../../packages/rooms/src/internal/let-in.js'
import { encodeBody } from '../../packages/rooms/src/internal/message-body.js'
import { roomStore } from '../../packages/rooms/src/internal/open-base.js'
import type { OpenRoom, OpenRoomInit } from '../../packages/rooms/src/internal/open-room.js'
import { bodyContext, type Draft } from '../../packages/rooms/src/internal/op-log.js'
import { encodeOp, isTalk, opId, OpType } from '../../packages/rooms/src/internal/op.js'
import { createOwnProfile } from '../../packages/rooms/src/internal/people/own-profile.js'
import { profileDraft } from '../../packages/rooms/src/internal/people/tell-profile.js'
import { messageKey, stateKey, type EpochKey } from '../../packages/rooms/src/internal/slots.js'
import { encodeStruct } from '../../packages/rooms/src/internal/structs.js'
import { openWriterCore } from '../../packages/rooms/src/internal/writer-core.js'

type Corestore = OpenRoomInit['corestore']

// A dependency of the rooms, which has no types for what is within it.
const { OplogMessage } = createRequire(new URL('../../packages/rooms/src/index.ts', import.meta.url))('autobase/lib/messages.js') as { OplogMessage: never }

/** As autobase 7.28.1 writes blocks: lib/caps.js. */
const OPLOG_VERSION = 2

/** A device of a person of its own, with a core of its own in a room, and without a peer: what it says is written for it. */
export interface Member {
  readonly identity: LocalIdentity
  readonly core: WriterCore
}

/** @param corestore of a peer of the room, which holds the member's core as it does those of all others. */
export async function createMember(corestore: Corestore, name: string): Promise<Member> {
  const identity = await openIdentity({ storage: createMemorySecretStore(), name })
  const namespace = randomBytes(32)
  const store = roomStore(corestore, namespace)
  const core = await openWriterCore(store, identity, namespace)
  await store.close()
  return { identity, core }
}

/** Lets a member in as whoever answers their request does, but for the request's way there. */
export async function admit(opened: OpenRoom, invite: InviteLink, { identity, core }: Member): Promise<void> {
  const { view, log, keyring, base } = opened
  const room = base.discoveryKey!
  const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(32), ...makeClaim(identity, room, core) })
  const asked = readAsked(room, request, { approval: false }, Date.now())
  const receipt = makeReceipt(invite, request)
  const row = await view.invite(receipt.invite)
  if (asked === undefined || row === null) throw new Error('The request of a simulated member is not one.')
  const payload = encodeStruct('admit', { request, receipt, role: row.role })
  const isIn = await letIn({ view, log, keyring }, { writer: asked.writer, box: asked.claimant.box }, { type: 'admit', payload })
  if (!isIn) throw new Error('A simulated member was not let in.')
}

/**
 * Writes to the core of a member what their device would write when it has come in: who they are, and a message.
 *
 * @param heads what they have read.
 * @returns what somebody has read who has read this.
 */
export async function speak(opened: OpenRoom, corestore: Corestore, member: Member, heads: readonly Head[], text: string): Promise<Head[]> {
  const { base, keyring } = opened
  const plan = await keyring.plan()
  if (plan.drafts.length > 0) throw new Error('Not all members have the key of the room.')
  const epoch = plan.epoch([])
  const { key, keyPair } = member.core
  const drafts: Draft[] = [profileDraft(createOwnProfile(member.identity)), { type: 'message', body: encodeBody(text) }]
  const core = corestore.get({ key, active: false, valueEncoding: OplogMessage, encryption: { key: base.encryptionKey! } })
  await core.ready()
  let read = [...heads]
  let previous: Uint8Array | null = null
  const blocks: object[] = []
  for (const draft of drafts) {
    const value = encode(draft, base.discoveryKey!, key, epoch, previous)
    previous = opId(base.discoveryKey!, key, value)
    blocks.push({ version: OPLOG_VERSION, checkpoint: null, digest: null, optimistic: false, node: { heads: read, batch: 1, value }, trace: null })
    read = [{ key, length: blocks.length }]
  }
  await core.append(blocks as never, { keyPair } as never)
  await core.close()
  return read
}

function encode({ type, payload, body }: Draft, room: Uint8Array, writer: Uint8Array, { id, key }: EpochKey, previous: Uint8Array | null): Uint8Array {
  const number = OpType[type]
  const header = { type: number, sentAt: Date.now(), previous, target: null, epoch: id, payload: payload ?? null }
  return encodeOp(header, (clear) => seal(body!, bodyContext(room, writer, clear), isTalk(number) ? messageKey(room, key) : stateKey(room, key)))
}

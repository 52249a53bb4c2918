import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type HypercoreClass from 'hypercore'
import type PairingCore from 'blind-pairing-core'
import type Sodium from 'sodium-universal'
import { createMemorySecretStore, openIdentity, openPendingDevice } from '../../packages/identity/src/index.js'
import { createLock } from '../../packages/identity/src/internal/sealed-file.js'
import { sealBackup } from '../../packages/identity/src/internal/secrets.js'
import { makeClaim, type WriterCore } from '../../packages/rooms/src/internal/claim.js'
import { seal } from '../../packages/rooms/src/internal/crypto.js'
import { createInviteKeys, encodePairingInvite, openRequest } from '../../packages/rooms/src/internal/invite-keys.js'
import { draftRotation } from '../../packages/rooms/src/internal/keyring.js'
import { encodeBody } from '../../packages/rooms/src/internal/message-body.js'
import { encodeOp, OpType, type OpHeader } from '../../packages/rooms/src/internal/op.js'
import { commitmentTo, sealGrants, sealParents, sealSlots } from '../../packages/rooms/src/internal/slots.js'
import { encodeStruct } from '../../packages/rooms/src/internal/structs.js'
import { encodeInvite } from '../../packages/rooms/src/invite.js'
import type { OplogEncoding } from '../../packages/rooms/src/internal/guards/autobase-internals.js'
import { createPrng } from '../model/prng.js'
import { randomBytes } from './mutate.js'

// These are dependencies of the rooms, not of the proofs.
const require = createRequire(new URL('../../packages/rooms/src/index.ts', import.meta.url))
const sodium = require('sodium-universal') as typeof Sodium
const Hypercore = require('hypercore') as typeof HypercoreClass
const pairing = require('blind-pairing-core') as typeof PairingCore
const c = require('compact-encoding') as { encode(encoding: unknown, value: unknown): Uint8Array }
const { OplogMessage } = createRequire(require.resolve('autobase'))('./lib/messages.js') as { OplogMessage: OplogEncoding }

/** A proof that proves, from the golden vectors. */
const { equivocation } = JSON.parse(readFileSync(new URL('../../packages/rooms/test/vectors/wire.json', import.meta.url), 'utf8')) as { equivocation: { bytes: string } }

export const AT_MS = 1_790_000_000_000
const PHRASE = `${'abandon '.repeat(23)}art`
const SEED = 1

export type Fixtures = Awaited<ReturnType<typeof makeFixtures>>

/** What is genuine of everything that is decoded: the same in every process, so that inputs can be repeated. */
export async function createFixtures(): Promise<Fixtures> {
  const random = createPrng(SEED)
  const { randombytes_buf, crypto_box_keypair } = sodium
  const { now } = Date
  Date.now = () => AT_MS
  sodium.randombytes_buf = (bytes: Uint8Array) => bytes.set(randomBytes(random, bytes.length))
  sodium.crypto_box_keypair = (publicKey: Uint8Array, secretKey: Uint8Array) => {
    secretKey.set(randomBytes(random, 32))
    sodium.crypto_scalarmult_base(publicKey, secretKey)
  }
  try {
    return await makeFixtures((length) => randomBytes(random, length))
  } finally {
    Object.assign(sodium, { randombytes_buf, crypto_box_keypair })
    Date.now = now
  }
}

async function makeFixtures(bytes: (length: number) => Uint8Array) {
  const room = bytes(32)
  const storage = createMemorySecretStore()
  const alice = await openIdentity({ storage, phrase: PHRASE, name: 'Alice' })
  const waitingPhone = await openPendingDevice({ storage: createMemorySecretStore(), deviceName: 'Phone' })
  const request = waitingPhone.createDeviceRequest()
  const phone = await waitingPhone.acceptCertificate(alice.certifyDevice(request))
  const tablet = await openPendingDevice({ storage: createMemorySecretStore() })
  const certificates = [alice.device.certificate, phone.device.certificate, phone.certifyDevice(tablet.createDeviceRequest(), { context: room })]
  const secretsFile = (await storage.read('identity'))!
  const backup = await alice.exportBackup({ passphrase: 'x', passphraseStrength: 'minimum' })
  const unsealedBackup = sealBackup(await createLock({ kind: 'none' }), { entropy: bytes(32), epoch: 3, name: 'Alice' })
  const revocation = await alice.revokeDevice(phone.device.publicKey)
  const statement = alice.signStatement('test', room, room)
  const sealed = alice.seal('label', room)

  const core = writerCore(bytes(32))
  const claim = { writer: core.key, ...makeClaim(alice, room, core) }
  const joinRequest = encodeStruct('join-request', { ...claim, nonce: bytes(32) })
  const invite = createInviteKeys(bytes(32))
  const candidate = new pairing.CandidateRequest(encodePairingInvite({ seed: invite.seed, discoveryKey: room }), joinRequest)
  const pairingRequest = new Uint8Array(candidate.encode())
  const { receipt } = openRequest(pairing.MemberRequest.from(Buffer.from(pairingRequest)), invite.publicKey)!

  const [epochKey, parentId, parentKey] = [bytes(32), bytes(32), bytes(32)]
  const device = { writer: core.key, box: alice.device.boxPublicKey }
  const strangers = [1, 2, 3].map(() => ({ writer: bytes(32), box: phone.device.boxPublicKey }))
  const slots = sealSlots(room, epochKey, [...strangers, device])
  const grants = sealGrants(room, epochKey, [...strangers, device])
  const parents = sealParents(room, epochKey, [{ id: bytes(32), key: bytes(32) }, { id: parentId, key: parentKey }])
  const rotation = draftRotation(room, [device], 4, 'full', [{ id: parentId, key: parentKey }]).draft.payload!

  const identity = alice.identity.publicKey
  const seen = [{ writer: core.key, length: 3 }, { writer: bytes(32), length: 2 ** 40 }]
  const link = { seed: invite.seed, discoveryKey: room, expiresAt: AT_MS }
  /** Of every type what its payload has to be. */
  const payloads: Partial<Record<keyof typeof OpType, Uint8Array>> = {
    create: encodeStruct('create', { ...claim, history: 1 }),
    admit: encodeStruct('admit', { request: joinRequest, role: 2, receipt }),
    enter: encodeStruct('enter', { request: joinRequest, receipt }),
    addDevice: encodeStruct('add-device', { request: joinRequest }),
    knock: encodeStruct('knock', { writer: core.key, invite: invite.id }),
    rotate: rotation,
    grant: encodeStruct('grant', grants),
    keepEpoch: encodeStruct('keep-epoch', { writer: core.key, position: 7, op: encodeOp({ type: OpType.rotate, sentAt: AT_MS, payload: rotation }) }),
    invite: encodeStruct('invite', { id: invite.id, publicKey: invite.publicKey, role: 2, expiresAt: AT_MS, uses: 3, invitee: identity }),
    setRole: encodeStruct('set-role', { identity, role: 3, seen }),
    mute: encodeStruct('mute', { identity, muted: true }),
    remove: encodeStruct('remove', { identity, seen, ban: true }),
    unban: encodeStruct('unban', { identity }),
    transfer: encodeStruct('transfer', { identity }),
    revokeDevice: encodeStruct('revoke-device', { identity, device: phone.device.publicKey, revocation }),
    unreact: encodeStruct('unreact', { reaction: bytes(32) }),
    equivocation: new Uint8Array(Buffer.from(equivocation.bytes, 'hex')),
    collection: encodeStruct('collection', { id: bytes(32), role: 3 }),
    put: encodeStruct('entry-name', { collection: bytes(32), key: bytes(32) }),
    del: encodeStruct('entry-name', { collection: bytes(32), key: bytes(32) })
  }
  const ops = (Object.keys(OpType) as (keyof typeof OpType)[]).map((name) => {
    const header: OpHeader = { type: OpType[name], sentAt: AT_MS, previous: bytes(32), target: bytes(32), epoch: bytes(32), payload: payloads[name] ?? null }
    return { header, bytes: encodeOp(header, (clear) => seal(bytes(40), clear, epochKey)) }
  })
  const bodies = {
    'message-body': encodeStruct('message-body', { text: 'Ǎ message ☕', content: 'poll', version: 1, data: bytes(20) }),
    'text-body': encodeBody('@Alice, a message ☕', { replyTo: bytes(32), mentions: [{ member: alice.identity.id, start: 0, length: 6 }] }),
    'content-body': encodeBody({ type: 'example.org/poll', version: 1, data: bytes(20) }, { isForwarded: true }),
    'reaction-body': encodeStruct('reaction-body', { emoji: '☕' }),
    'settings-body': encodeStruct('settings-body', { name: 'Tea' }),
    'profile-body': encodeStruct('profile-body', { name: 'Alice' }),
    'entry-body': encodeStruct('entry-body', { name: 'tea', version: 1, value: bytes(20) }),
    'knock-body': encodeStruct('knock-body', { request: encodeStruct('knock-request', { request: joinRequest, name: 'Bob' }), receipt })
  }
  return {
    room,
    alice,
    expectedTablet: { device: tablet.publicKey, context: room, atMs: AT_MS },
    certificates,
    secretsFile,
    backup,
    unsealedBackup,
    revocation,
    request,
    statement,
    sealed,
    core,
    joinRequest,
    receipt,
    invite,
    pairingRequest,
    slots,
    commitment: commitmentTo(room, epochKey),
    epochKey,
    grants,
    device,
    strangers,
    parents,
    parentId,
    payloads,
    ops,
    bodies,
    link: encodeInvite(link),
    linkBody: encodeStruct('invite-link', link),
    deviceLinkBody: encodeStruct('device-link', { device: identity, secret: bytes(16), expiresAt: AT_MS }),
    oplogEncoding: OplogMessage,
    oplogBlocks: oplogBlocks(bytes),
    openPairing: (request: Uint8Array) => openRequest(pairing.MemberRequest.from(Buffer.from(request)), invite.publicKey)
  }
}

function writerCore(seed: Uint8Array): WriterCore {
  const keyPair = { publicKey: new Uint8Array(32), secretKey: new Uint8Array(64) }
  sodium.crypto_sign_seed_keypair(keyPair.publicKey, keyPair.secretKey, seed)
  return { key: new Uint8Array(Hypercore.key(keyPair.publicKey)), keyPair }
}

/** Blocks of a writer's core, as autobase writes them: with a value, with a checkpoint, with neither. */
function oplogBlocks(bytes: (length: number) => Uint8Array): Uint8Array[] {
  const heads = [1, 2].map((length) => ({ key: Buffer.from(bytes(32)), length }))
  const checkpointer = { checkpointer: 0, checkpoint: { signature: Buffer.from(bytes(64)), length: 7 } }
  const node = (value: Uint8Array | null) => ({ heads, batch: 1, value: value && Buffer.from(value) })
  const messages = [
    { version: 2, maxSupportedVersion: 2, digest: null, checkpoint: null, node: node(bytes(90)), optimistic: false, trace: null },
    {
      version: 2,
      maxSupportedVersion: 2,
      digest: { pointer: 0, key: Buffer.from(bytes(32)) },
      checkpoint: { system: checkpointer, encryption: checkpointer, user: [checkpointer] },
      node: node(null),
      optimistic: false,
      trace: { system: [1, 2], encryption: [1], user: [{ view: 0, blocks: [1, 2, 3] }] }
    }
  ]
  return messages.map((message) => new Uint8Array(c.encode(OplogMessage, message)))
}

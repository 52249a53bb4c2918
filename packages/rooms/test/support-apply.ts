import pairing from 'blind-pairing-core'
import Autobase, { type ApplyHost, type AutobaseNode } from 'autobase'
import Corestore from 'corestore'
import Hypercore from 'hypercore'
import sodium from 'sodium-universal'
import type ProtomuxWakeup from 'protomux-wakeup'
import { onTestFinished } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import type { Role } from '@covey/rooms'
import { createNode, openStore, type Network, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { applyOps } from '../src/internal/apply.js'
import { makeClaim, type WriterCore } from '../src/internal/claim.js'
import { randomBytes } from '../src/internal/crypto.js'
import { signedTree, type Equivocation, type SignedTree } from '../src/internal/equivocation.js'
import { foundRoom } from '../src/internal/found-room.js'
import type { History } from '../src/internal/keyring.js'
import { createInviteKeys, encodePairingInvite, type InviteKeys } from '../src/internal/invite-keys.js'
import { encodeOp, opId, type OpHeader } from '../src/internal/op.js'
import { roomStore } from '../src/internal/open-base.js'
import { openRoom, type OpenRoom } from '../src/internal/open-room.js'
import { encodeStruct, type Structs } from '../src/internal/structs.js'
import { openView, type RoomView } from '../src/internal/view.js'
import { openWriterCore, writerCore } from '../src/internal/writer-core.js'
import { roleNumber } from '../src/roles.js'
import { temporaryFolder, toHex } from './support.js'

const COLLECTIONS = [
  'members',
  'devices',
  'bans',
  'room',
  'invites',
  'knocks',
  'epochs',
  'grants',
  'key-requests',
  'profiles',
  'messages',
  'message-states',
  'edits',
  'reactions',
  'votes',
  'pins',
  'thread-messages',
  'paces',
  'acts',
  'reports',
  'collections',
  'collection-usage',
  'entries',
  'authority',
  'writers',
  'meta'
] as const

/** All that a view says, as plain data. */
export async function dump(view: RoomView): Promise<Record<string, unknown[]>> {
  const rows = COLLECTIONS.map(async (name) => [name, (await view.all(name)).map((row) => readable(row))])
  return Object.fromEntries(await Promise.all(rows)) as Record<string, unknown[]>
}

/** What a view says but for how many ops there were, and what became of each. */
export async function dumpEffects(view: RoomView): Promise<Record<string, unknown[]>> {
  const { authority: _, writers: __, meta: ___, ...effects } = await dump(view)
  return effects
}

function readable(row: object): unknown {
  return Object.fromEntries(
    Object.entries(row).map(([key, field]) => [key, field instanceof Uint8Array ? toHex(field) : (field as unknown)])
  )
}

/** A view of its own, with a host that notes who is let into the log: `apply` without an Autobase. */
export async function bareView(room: { key: Uint8Array; discoveryKey: Uint8Array }) {
  const store = new Corestore(await temporaryFolder())
  await store.ready()
  let count = 0
  onTestFinished(() => store.close())
  return () => {
    const name = `view ${count++}`
    const view = openView({ get: () => store.get({ name }) } as unknown as Parameters<typeof openView>[0])
    const writers = new Set([toHex(room.key)])
    const indexers = new Map([[toHex(room.key), room.key]])
    const host = {
      ...room,
      system: {
        get indexers() {
          return [...indexers.values()].map((key) => ({ key, length: 1 }))
        },
        get: async () => ({ length: 1 })
      },
      async addWriter(key: Uint8Array, { indexer }: { indexer: boolean }) {
        writers.add(toHex(key))
        if (indexer) indexers.set(toHex(key), key)
        else indexers.delete(toHex(key))
      },
      async removeWriter(key: Uint8Array) {
        if (!host.removeable(key)) throw new Error('Not allowed to remove the last indexer')
        writers.delete(toHex(key))
        indexers.delete(toHex(key))
      },
      removeable: (key: Uint8Array): boolean => indexers.size > 1 || !indexers.has(toHex(key))
    } as unknown as ApplyHost
    return {
      view,
      apply: (nodes: readonly AutobaseNode[]) =>
        applyOps(nodes, view, host, { order: Infinity, people: false, flight: new Map() }),
      dump: async (): Promise<Record<string, unknown[]>> => ({ ...(await dump(view)), inLog: [...writers].toSorted(), indexers: [...indexers.keys()].toSorted() })
    }
  }
}

/** A device with a Corestore on the network, for rooms that are opened by hand. */
export interface Device {
  readonly identity: LocalIdentity
  readonly corestore: Corestore
  readonly wakeup: ProtomuxWakeup
  readonly node: Node
  meet(topic: Uint8Array): void
}

export async function startDevice({ network }: { network: Network }): Promise<Device> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(await temporaryFolder()), network })
  onTestFinished(async () => {
    await node.close()
    await identity.close()
  })
  const { corestore, wakeup } = partsOf(node) as { corestore: Corestore; wakeup: ProtomuxWakeup }
  return { identity, corestore, wakeup, node, meet: (topic) => void node.join(topic) }
}

/** A room that a device has founded. */
export async function foundBy(device: Device, history: History = 'full'): Promise<OpenRoom> {
  const opened = await openRoom({ ...device, namespace: randomBytes(32), encryptionKey: randomBytes(32) })
  onTestFinished(() => opened.room.close())
  await foundRoom(opened, device.identity, { name: 'Tea', history })
  device.meet(opened.base.discoveryKey!)
  return opened
}

/** The room of somebody, on the device of a member whom they have let in. */
export async function memberOf(owner: OpenRoom, device: Device, role: Exclude<Role, 'owner'> = 'member'): Promise<OpenRoom> {
  const { discoveryKey, key, encryptionKey } = owner.base
  const namespace = randomBytes(32)
  const core = await openWriterCore(roomStore(device.corestore, namespace), device.identity, namespace)
  const claim = { writer: core.key, nonce: randomBytes(32), ...makeClaim(device.identity, discoveryKey!, core) }
  await owner.log.append([{ type: 'admit', payload: admission(claim, roleNumber(role)) }])
  await owner.log.append([], { underEpoch: true })
  const opened = await openRoom({ ...device, namespace, key: key!, encryptionKey: encryptionKey! })
  onTestFinished(() => opened.room.close())
  device.meet(discoveryKey!)
  await opened.until(async () => ((await opened.isAdmitted()) && (await opened.hasKey())) || undefined)
  return opened
}

/** Somebody who writes whatever they like: a real Autobase, without the room's software. */
export interface Hostile {
  readonly base: Autobase<RoomView>
  readonly key: Uint8Array
  readonly identity: Uint8Array
  /** Appends an op that follows the one before, or `previous`; gives its id. */
  write(header: Partial<OpHeader> & { type: number }, sealed?: Uint8Array): Promise<Uint8Array>
  /** Resolves when the device has read of an invite. */
  knows(invite: Uint8Array): Promise<void>
  /** Resolves when the device has read a message. */
  has(message: Uint8Array): Promise<void>
  /** Appends bytes as they are. */
  append(bytes: Uint8Array): Promise<Uint8Array>
}

/** A member of a room whose device runs other software. */
export async function admitHostile(owner: OpenRoom, device: Device, role: Exclude<Role, 'owner'>): Promise<Hostile> {
  const { discoveryKey, key, encryptionKey } = owner.base
  const namespace = randomBytes(32)
  const store = roomStore(device.corestore, namespace)
  const core = Autobase.getLocalCore(store)
  await core.ready()
  const { key: writer, keyPair } = writerCore(core)
  await core.close()
  const claim = { writer, nonce: randomBytes(32), ...makeClaim(device.identity, discoveryKey!, { key: writer, keyPair }) }
  await owner.log.append([{ type: 'admit', payload: admission(claim, roleNumber(role)) }])

  const touched = { order: Infinity, people: false, flight: new Map<string, boolean>() }
  const base = new Autobase<RoomView>(roomStore(device.corestore, namespace), key, {
    open: openView,
    apply: (nodes, view, host) => applyOps(nodes, view, host, touched),
    close: (view) => view.db.close(),
    encrypted: true,
    encryptionKey,
    wakeup: device.wakeup
  })
  await base.ready()
  onTestFinished(() => base.close())
  device.meet(discoveryKey!)
  const until = async (check: () => unknown): Promise<void> => {
    while (!(await check())) await new Promise<void>((resolve) => base.once('update', resolve))
  }
  await until(() => base.writable)

  let head: Uint8Array | null = null
  const append = async (bytes: Uint8Array): Promise<Uint8Array> => {
    head = opId(discoveryKey!, writer, bytes)
    await base.append(bytes)
    return head
  }
  return {
    base,
    key: writer,
    identity: device.identity.identity.publicKey,
    append,
    knows: (invite) => until(() => base.view.invite(invite)),
    has: (message) => until(() => base.view.message(message)),
    write: (header, sealed) =>
      append(encodeOp({ sentAt: Date.now(), previous: head, ...header }, sealed && (() => sealed)))
  }
}

/** Waits until `room` has applied all that a member wrote, of which the last is `id`. */
export async function appliedBy(room: OpenRoom, writer: Uint8Array, id: Uint8Array): Promise<void> {
  await room.until(async () => {
    const row = await room.view.writer(writer)
    return row?.head && toHex(row.head) === toHex(id) ? true : undefined
  })
}

/** A room, and a member of it whose device writes whatever it likes. */
export async function hostileScene(net: { network: Network }, role: 'reader' | 'member' | 'moderator' | 'admin') {
  const [ownersDevice, theirs] = [await startDevice(net), await startDevice(net)]
  const owner = await foundBy(ownersDevice)
  const hostile = await admitHostile(owner, theirs, role)
  return { owner, hostile, ownersDevice }
}

/** What an attack changes of what the owner sees. */
export async function effectOf(owner: OpenRoom, hostile: Hostile, attack: () => Promise<Uint8Array>): Promise<string[]> {
  const before = await dumpEffects(owner.view)
  await appliedBy(owner, hostile.key, await attack())
  const after = await dumpEffects(owner.view)
  return Object.keys(after).filter((name) => JSON.stringify(after[name]) !== JSON.stringify(before[name]))
}

/** An invite of the owner's, with its secret. */
export async function inviteOf(owner: OpenRoom, uses: number | null, role = 2): Promise<InviteKeys> {
  const keys = createInviteKeys(owner.base.key!)
  const { id, publicKey } = keys
  await owner.log.append([{ type: 'invite', payload: encodeStruct('invite', { id, publicKey, role, uses }) }])
  return keys
}

/** What somebody asks for who has a device and a core of their own, made up here. */
export async function stranger(discoveryKey: Uint8Array) {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  const core = createWriter(randomBytes(32))
  const claim = { writer: core.key, nonce: randomBytes(32), ...makeClaim(identity, discoveryKey, core) }
  return { identity, claim, core }
}

/** The keys of a core that nobody has opened. */
export function createWriter(seed: Uint8Array): WriterCore {
  const keyPair = { publicKey: new Uint8Array(32), secretKey: new Uint8Array(64) }
  sodium.crypto_sign_seed_keypair(keyPair.publicKey, keyPair.secretKey, seed)
  return { key: Hypercore.key(keyPair.publicKey), keyPair }
}

/** What proves that the key of a writer signed two pasts, which differ at their third block. */
export async function twoPasts({ key, keyPair }: WriterCore): Promise<Equivocation> {
  const trees: SignedTree[] = []
  for (const last of ['one', 'other']) {
    const store = new Corestore(await temporaryFolder())
    const core = store.get({ keyPair })
    await core.append(['a', 'b', last].map((block) => Buffer.from(block)))
    trees.push(signedTree(await core.proof({ upgrade: { start: 0, length: 3 } }))!)
    await store.close()
  }
  return { writer: key, signer: keyPair.publicKey, at: 3, first: trees[0]!, second: trees[1]! }
}

/** The payload by which a device lets in another one of its person. */
export function addition(claim: Structs['join-request']): Uint8Array {
  return encodeStruct('add-device', { request: encodeStruct('join-request', claim) })
}

/** The payload that lets somebody in: by an invite whose secret they hold, or by the author alone. */
export function admission(claim: Structs['join-request'], role: number, invite?: InviteKeys): Uint8Array {
  const request = encodeStruct('join-request', claim)
  if (invite === undefined) return encodeStruct('admit', { request, role })
  const link = encodePairingInvite({ seed: invite.seed, discoveryKey: new Uint8Array(32) })
  // The session, the signature, and the request.
  const { receipt } = pairing.createReceipt(link, request)
  const signed = { session: receipt.subarray(0, 32), signature: receipt.subarray(32, 96) }
  return encodeStruct('admit', { request, role, receipt: { invite: invite.id, publicKey: invite.publicKey, ...signed } })
}

/** An epoch that nobody has the key of. */
export function rotation(lamport: number): Uint8Array {
  const [commitment, stateCommitment, ephemeral] = [randomBytes(32), randomBytes(32), randomBytes(32)]
  return encodeStruct('rotate', { lamport, commitment, stateCommitment, ephemeral, slots: new Uint8Array(56) })
}

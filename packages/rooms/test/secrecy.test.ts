import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type Corestore from 'corestore'
import type ProtomuxWakeup from 'protomux-wakeup'
import { expect, onTestFinished, test } from 'vitest'
import { openIdentity, type LocalIdentity, type OpenIdentityInit } from '@covey/identity'
import { createRooms } from '@covey/rooms'
import { createNode, openStore, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { decodeOp, OpType } from '../src/internal/op.js'
import { openRoom, type OpenRoom } from '../src/internal/open-room.js'
import { openRecords } from '../src/internal/records.js'
import { temporaryFolder, useLocalNetwork } from './support.js'

// White box: what is on the disk, and in the log, is looked at as who steals them would.

const net = useLocalNetwork()
const TEXT = 'a text that is nowhere else'
const ROOM_NAME = 'a room name that is nowhere else'
const PERSON = 'a person who is nowhere else'

async function openNode(folder: string, init: Partial<OpenIdentityInit>): Promise<{ identity: LocalIdentity; node: Node }> {
  const identity = await openIdentity({ storage: join(folder, 'identity'), ...init })
  const store = await openStore(join(folder, 'store'))
  const node = createNode({ identity, store, ...net })
  onTestFinished(async () => {
    await node.close()
    await identity.close()
  })
  return { identity, node }
}

/** A folder in which a person has a room with a message, and has left. */
async function folderWithRoom(init: Partial<OpenIdentityInit>): Promise<string> {
  const folder = await temporaryFolder()
  const { identity, node } = await openNode(folder, { name: PERSON, ...init })
  const rooms = await createRooms({ identity, node })
  const room = await rooms.create({ name: ROOM_NAME })
  await room.send(TEXT)
  await rooms.close()
  await node.close()
  await identity.close()
  return folder
}

/** The one room in a folder, from the inside. */
async function openByHand(folder: string, init: Partial<OpenIdentityInit>): Promise<OpenRoom & { close(): Promise<void> }> {
  const { identity, node } = await openNode(folder, init)
  const { corestore, wakeup } = partsOf(node) as { corestore: Corestore; wakeup: ProtomuxWakeup }
  const records = await openRecords(corestore, identity)
  const [record] = await records.all([])
  const opened = await openRoom({ corestore, wakeup, identity, namespace: record!.namespace, key: record!.key! })
  const close = async (): Promise<void> => {
    await opened.room.close()
    await records.close()
    await node.close()
    await identity.close()
  }
  onTestFinished(close)
  return { ...opened, close }
}

/** All bytes of all files in a folder. */
async function bytesOf(folder: string): Promise<Buffer> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))))
}

test.each<[string, Partial<OpenIdentityInit>]>([
  ['a passphrase', { passphrase: 'right horse battery', passphraseStrength: 'minimum' }],
  ['a key provider', { keyProvider: { getKey: async () => new Uint8Array(32).fill(7) } }]
])('with %s, neither keys nor texts are in clear on the disk', async (_, init) => {
  const folder = await folderWithRoom(init)
  const { base, keyring, close } = await openByHand(folder, init)
  const keys = { room: base.encryptionKey!, epoch: (await keyring.plan()).epoch([]).key }
  const discoveryKey = base.discoveryKey!
  await close()

  const disk = await bytesOf(folder)
  // What is no secret is found, so that what is not found is not there.
  expect(disk.includes(Buffer.from(discoveryKey))).toBe(true)
  expect(disk.includes(Buffer.from(keys.room))).toBe(false)
  expect(disk.includes(Buffer.from(keys.epoch))).toBe(false)
  for (const text of [TEXT, ROOM_NAME, PERSON]) expect([text, disk.includes(text)]).toEqual([text, false])
})

test('who has the key of the room alone reads who wrote what kind of op, and no text', async () => {
  const { base } = await openByHand(await folderWithRoom({}), {})
  const ops: Uint8Array[] = []
  for (let index = 0; index < base.local.length; index++) {
    const block = (await base.local.get(index)) as { node: { value: Uint8Array | null } }
    if (block.node.value !== null) ops.push(block.node.value)
  }
  const types = ops.map((op) => decodeOp(op)!.header.type)
  expect(types).toEqual(expect.arrayContaining([OpType.create, OpType.settings, OpType.profile, OpType.message]))
  const all = Buffer.concat(ops)
  for (const text of [TEXT, ROOM_NAME, PERSON]) expect([text, all.includes(text)]).toEqual([text, false])
})

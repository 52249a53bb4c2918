import { expect, onTestFinished, test } from 'vitest'
import { withTimeout } from '@covey/core'
import { createMemorySecretStore, openPendingDevice } from '@covey/identity'
import { createRooms } from '@covey/rooms'
import { createNode, openStore } from '@covey/transport'
import { makeClaim } from '../../src/internal/claim.js'
import { KEY_BYTES, randomBytes } from '../../src/internal/crypto.js'
import { letIn } from '../../src/internal/let-in.js'
import { openRoom } from '../../src/internal/open-room.js'
import { partsOfRooms } from '../../src/internal/rooms-parts.js'
import { encodeStruct } from '../../src/internal/structs.js'
import { writerCore } from '../../src/internal/writer-core.js'
import { start, temporaryFolder, useLocalNetwork } from '../support.js'

const net = useLocalNetwork()

test('a direct room that a device comes into by the list of its person is not opened twice', { timeout: 120_000 }, async () => {
  const [laptop, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const id = (peer: typeof bob): string => peer.identity.identity.id
  const [room] = await Promise.all([laptop.rooms.directMessages.open(id(bob)), bob.rooms.directMessages.open(id(laptop))])
  const known = partsOfRooms(laptop.rooms).open.get(room.id)!
  const { key, encryptionKey, discoveryKey } = known.base

  const pending = await openPendingDevice({ storage: createMemorySecretStore() })
  const identity = await pending.acceptCertificate(laptop.identity.certifyDevice(pending.createDeviceRequest()))
  const node = createNode({ identity, store: await openStore(await temporaryFolder()), network: net.network })
  const rooms = await createRooms({ identity, node })
  onTestFinished(async () => (await node.close(), await identity.close()))

  // As the list of the devices' rooms does, up to where it waits to be let in.
  const { stack, records, joining, enter } = partsOfRooms(rooms)
  const namespace = randomBytes(KEY_BYTES)
  joining.add(room.id)
  await records.put({ namespace, discoveryKey: discoveryKey! })
  const coming = await openRoom({ ...stack, namespace, key: key!, encryptionKey: encryptionKey! })
  const topic = node.join(discoveryKey!)

  // Bob offers the room, and this device does not open it once more.
  const opening = rooms.directMessages.open(id(bob))
  await coming.until(async () => (await coming.view.room()) ?? undefined)
  const core = writerCore(coming.base.local)
  const request = encodeStruct('join-request', { writer: core.key, nonce: randomBytes(KEY_BYTES), ...makeClaim(identity, discoveryKey!, core) })
  const newcomer = { writer: core.key, box: identity.device.boxPublicKey }
  expect(await letIn(known, newcomer, { type: 'addDevice', payload: encodeStruct('add-device', { request }) })).toBe(true)
  await coming.until(async () => (await coming.isAdmitted()) || undefined)
  await records.put({ namespace, discoveryKey: discoveryKey!, key: key! })
  enter(coming)
  joining.delete(room.id)
  await topic.close()
  expect((await opening).id).toBe(room.id)
  await withTimeout(rooms.close(), { timeoutMs: 20_000 })
})

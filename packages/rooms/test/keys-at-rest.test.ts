import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Corestore from 'corestore'
import { expect, test } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, openStore } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import type ProtomuxWakeup from 'protomux-wakeup'
import { randomBytes } from '../src/internal/crypto.js'
import { foundRoom } from '../src/internal/found-room.js'
import { openRoom } from '../src/internal/open-room.js'
import { temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('who reads the disk cannot write as the device: the storage has no key that signs its core', async () => {
  const folder = await temporaryFolder()
  const namespace = randomBytes(32)
  const secrets = createMemorySecretStore()
  let room: Uint8Array | undefined
  let secret: Uint8Array | undefined
  // Founded, and opened again: the keys are not written down later either.
  for (const life of ['first', 'second']) {
    const identity = await openIdentity({ storage: secrets, passphrase: 'correct horse' })
    const node = createNode({ identity, store: await openStore(folder), network: net.network })
    const parts = partsOf(node) as { corestore: Corestore; wakeup: ProtomuxWakeup }
    const opened = await openRoom({ ...parts, identity, namespace, ...(room ? { key: room } : { encryptionKey: randomBytes(32) }) })
    if (room === undefined) await foundRoom(opened, identity, { name: 'Tea', history: 'full' })
    await opened.room.send(life)
    room = opened.base.key!
    secret = Uint8Array.from(opened.base.local.keyPair!.secretKey)
    await opened.room.close()
    await node.close()
    await identity.close()
  }

  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const contents = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))))
  // What is there in clear is found in this way.
  expect(contents.some((bytes) => bytes.includes(secret!.subarray(32)))).toBe(true)
  expect(contents.some((bytes) => bytes.includes(secret!.subarray(0, 32)))).toBe(false)
})

import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type Corestore from 'corestore'
import { createMirror, type Mirror } from '@covey/mirror'
import { createMirrorClient, type MirrorClient } from '@covey/mirror/client'
import { localNetwork } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { mountSmallDisk, type SmallDisk } from './small-disk.js'
import { startNode, temporaryFolder, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const BLOCK_BYTES = 65_536

test('with less room on the disk than is to be left free, a mirror refuses, gives what it has, and takes more when there is room', { timeout: 120_000 }, async ({ skip }) => {
  const disk = await smallDisk(skip)
  const { mirror, client, store, told } = await start(disk.folder, 20_000_000)
  const [first, second] = [store.get({ name: 'first' }), store.get({ name: 'second' })]
  await first.append(blocks(3))
  client.hold([first.key!])
  await until(() => heldOf(client, first.key!) === 3)

  disk.fill(10_000_000)
  await until(() => told.includes('MIRROR_DISK_FULL'))
  const refused = client.once('refused')
  await first.append(blocks(1))
  expect(await refused).toMatchObject({ mirror: mirror.id, code: 'MIRROR_FULL' })
  const another = client.once('refused')
  await second.append(blocks(2))
  client.hold([second.key!])
  expect(Buffer.from((await another).key).equals(second.key!)).toBe(true)
  expect(heldOf(client, first.key!)).toBe(3)
  expect(await client.prove(mirror.id, first.key!, 3)).toBe(true)
  expect(await client.prove(mirror.id, first.key!, 4)).toBe(false)

  disk.empty()
  await until(() => heldOf(client, first.key!) === 4 && heldOf(client, second.key!) === 2)
  for (const [core, length] of [[first, 4], [second, 2]] as const) expect(await client.prove(mirror.id, core.key!, length)).toBe(true)
  expect(told).toEqual(['MIRROR_DISK_FULL'])
})

test('a disk that takes nothing more is noticed by what fails, and what was sent meanwhile is fetched again', { timeout: 180_000 }, async ({ skip }) => {
  const disk = await smallDisk(skip)
  const { mirror, client, store, told } = await start(disk.folder, 1)
  const core = store.get({ name: 'core' })
  await core.append(blocks(1))
  client.hold([core.key!])
  await until(() => heldOf(client, core.key!) === 1)

  // Room for what the database has set aside, which is not seen from outside.
  disk.fill(100_000)
  const refused = client.once('refused')
  await core.append(blocks(2_000))
  expect(await refused).toMatchObject({ code: 'MIRROR_FULL' })
  expect(told).toContain('MIRROR_DISK_FULL')
  const held = heldOf(client, core.key!)
  expect(held).toBeLessThan(2_001)
  expect(await client.prove(mirror.id, core.key!, held)).toBe(true)
  disk.grow()
  disk.empty()
  await until(() => heldOf(client, core.key!) === 2_001)
  expect(await client.prove(mirror.id, core.key!, 2_001)).toBe(true)
})

/** Skips the test where there can be none. */
async function smallDisk(skip: (note: string) => void): Promise<SmallDisk & { readonly folder: string }> {
  const folder = await temporaryFolder()
  const disk = mountSmallDisk(folder)
  if (typeof disk === 'string') {
    // The reporter does not show it.
    console.log(disk)
    skip(disk)
    throw new Error(disk)
  }
  onTestFinished(disk.unmount)
  return { ...disk, folder }
}

/** A mirror on a disk, and a device that is elsewhere; `told` are the codes of the mirror's errors. */
async function start(folder: string, minFreeBytes: number): Promise<{ mirror: Mirror; client: MirrorClient; store: Corestore; told: string[] }> {
  const mirror = await createMirror({ storage: join(folder, 'mirror'), network: localNetwork(net.network.bootstrap), limits: { minFreeBytes } })
  onTestFinished(() => mirror.close())
  const told: string[] = []
  mirror.on('error', ({ code }) => void told.push(code))
  const node = await startNode(net)
  const client = createMirrorClient({ node, mirrors: [mirror.link] })
  onTestFinished(() => client.close())
  return { mirror, client, store: partsOf(node).corestore as Corestore, told }
}

function heldOf(client: MirrorClient, key: Uint8Array): number {
  return Math.max(0, ...client.held(key).values())
}

function blocks(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array(BLOCK_BYTES))
}

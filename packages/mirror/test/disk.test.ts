import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type Corestore from 'corestore'
import { createMirror, type Mirror } from '@covey/mirror'
import { createMirrorClient, type MirrorClient } from '@covey/mirror/client'
import { localNetwork } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { startNode, temporaryFolder, until, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
/** The database alone takes 75 MB at once. */
const DISK_MB = 160
const BLOCK_BYTES = 65_536

test('with less room on the disk than is to be left free, a mirror refuses, gives what it has, and takes more when there is room', { timeout: 120_000 }, async ({ skip }) => {
  const disk = await smallDisk(skip)
  const { mirror, client, store, told } = await start(disk, 20_000_000)
  const [first, second] = [store.get({ name: 'first' }), store.get({ name: 'second' })]
  await first.append(blocks(3))
  client.hold([first.key!])
  await until(() => heldOf(client, first.key!) === 3)

  fill(disk, 10_000_000)
  await until(() => told.includes('MIRROR_DISK_FULL'))
  const refused = client.once('refused')
  await first.append(blocks(1))
  expect(await refused).toMatchObject({ mirror: mirror.id, code: 'MIRROR_FULL', key: first.key })
  const another = client.once('refused')
  await second.append(blocks(2))
  client.hold([second.key!])
  expect(await another).toMatchObject({ code: 'MIRROR_FULL', key: second.key })
  expect(heldOf(client, first.key!)).toBe(3)
  expect(await client.prove(mirror.id, first.key!, 3)).toBe(true)
  expect(await client.prove(mirror.id, first.key!, 4)).toBe(false)

  rmSync(join(disk, 'ballast'))
  await until(() => heldOf(client, first.key!) === 4 && heldOf(client, second.key!) === 2)
  for (const [core, length] of [[first, 4], [second, 2]] as const) expect(await client.prove(mirror.id, core.key!, length)).toBe(true)
  expect(told).toEqual(['MIRROR_DISK_FULL'])
})

test('a disk that takes nothing more is noticed by what fails, and what was sent meanwhile is fetched again', { timeout: 180_000 }, async ({ skip }) => {
  const disk = await smallDisk(skip)
  const { mirror, client, store, told } = await start(disk, 1)
  const core = store.get({ name: 'core' })
  await core.append(blocks(1))
  client.hold([core.key!])
  await until(() => heldOf(client, core.key!) === 1)

  // Room for what the database has set aside, which is not seen from outside.
  fill(disk, 100_000)
  const refused = client.once('refused')
  await core.append(blocks(2_000))
  expect(await refused).toMatchObject({ code: 'MIRROR_FULL' })
  expect(told).toContain('MIRROR_DISK_FULL')
  const held = heldOf(client, core.key!)
  expect(held).toBeLessThan(2_001)
  expect(await client.prove(mirror.id, core.key!, held)).toBe(true)
  execFileSync('mount', ['-o', 'remount,size=1g', disk])
  rmSync(join(disk, 'ballast'))
  await until(() => heldOf(client, core.key!) === 2_001)
  expect(await client.prove(mirror.id, core.key!, 2_001)).toBe(true)
})

/** A disk of its own; skips the test where there can be none. */
async function smallDisk(skip: (note: string) => void): Promise<string> {
  const disk = await temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'covey-mirror-disk', disk], { stdio: 'pipe' })
  } catch (error) {
    const note = `Skipped: no small disk can be mounted here. ${(error as Error).message.trim()}`
    // The reporter does not show it.
    console.log(note)
    skip(note)
  }
  onTestFinished(() => void execFileSync('umount', ['-l', disk]))
  return disk
}

/** Leaves so many bytes, and no more. */
function fill(disk: string, leave: number): void {
  for (let free = freeBytes(disk) - leave; free > 0; free = freeBytes(disk) - leave) {
    appendFileSync(join(disk, 'ballast'), Buffer.alloc(Math.min(free, BLOCK_BYTES)))
  }
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

/** A mirror on a disk, and a device that is elsewhere; `told` are the codes of the mirror's errors. */
async function start(disk: string, minFreeBytes: number): Promise<{ mirror: Mirror; client: MirrorClient; store: Corestore; told: string[] }> {
  const mirror = await createMirror({ storage: join(disk, 'mirror'), network: localNetwork(net.network.bootstrap), limits: { minFreeBytes } })
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

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Autobase from 'autobase'
import { expect, onTestFinished, test } from 'vitest'
import { createLocalNetwork, createTestPeer } from '@covey/testing'
import { decodeZ32 } from '@covey/core'
import type { Peer, Room } from 'covey'
import { strangerFillsMailbox } from './support/pairing-attacks.js'
import { pause } from './support/pause.js'
import { run } from './support/run.js'

test('a member who writes a duplicated head is not read on, and everyone else is', async () => {
  const bases = captureBases()
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  const storage = await folder()
  const alice = await peer({ network, name: 'Alice', storage })
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  const bob = await (await peer({ network, name: 'Bob' })).rooms.join(invite)
  const mallory = await (await peer({ network, name: 'Mallory' })).rooms.join(invite)
  await mallory.send('harmless')
  await received(room, 'harmless')
  await received(bob, 'harmless')

  const told = Promise.all([room.once('error'), bob.once('error')])
  // It would stop its own process, which is this one, with what it writes.
  bases.at(-1)!.pause()
  const { local } = bases.at(-1)!
  const [head] = bases[0]!.heads()
  const node = { heads: [head, head], batch: 1, value: Buffer.from('x') }
  const block = { version: 2, checkpoint: null, digest: null, optimistic: false, trace: null, node }
  await (local as unknown as { append(block: object): Promise<unknown> }).append(block)
  for (const error of await told) expect(error).toMatchObject({ code: 'WRITER_FROZEN' })

  await bob.send('from Bob')
  await received(room, 'from Bob')
  await room.send('from Alice')
  await received(bob, 'from Alice')
  expect(await texts(room)).toEqual(await texts(bob))

  await alice.close()
  const again = await peer({ network, storage })
  const found = again.rooms.get(room.id)!
  await bob.send('after a restart')
  await received(found, 'after a restart')
  expect(await texts(found)).toEqual(await texts(bob))
})

test('a request without a session, left in the DHT for the room, stops nobody', async () => {
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  const storage = await folder()
  const alice = await peer({ network, name: 'Alice', storage })
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  await alice.close()
  const discoveryKey = decodeZ32(room.id)
  if (!discoveryKey.ok) throw discoveryKey.error
  await strangerFillsMailbox(network, discoveryKey.value)

  // It is read when the room opens, and nothing tells when that is done.
  await peer({ network, storage })
  await pause(1_500)
  const bob = await (await peer({ network, name: 'Bob' })).rooms.join(invite)
  expect(bob.id).toBe(room.id)
})

test.for(['autobase', 'hyperbee', 'hypercore', 'blind-pairing', 'blind-pairing-core'])(
  'with another version of %s, nothing runs',
  async (module) => {
    const { report, errors } = await run('run-other-version.ts', module)
    expect(report, errors).toMatchObject({ failure: 'UPSTREAM_UNSUPPORTED' })
  }
)

/** Every base that is opened from here on, in order: what an attacker has of its own device. */
function captureBases(): Autobase[] {
  const bases: Autobase[] = []
  const { prototype } = Autobase as unknown as { prototype: { _runPreOpen(): Promise<void> } }
  const open = prototype._runPreOpen
  prototype._runPreOpen = function (this: Autobase) {
    bases.push(this)
    return open.call(this as never)
  }
  onTestFinished(() => void (prototype._runPreOpen = open))
  return bases
}

async function peer(init: Parameters<typeof createTestPeer>[0]): Promise<Peer> {
  const started = await createTestPeer(init)
  onTestFinished(() => started.close())
  return started
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'covey-guards-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function received(room: Room, text: string): Promise<void> {
  for await (const message of room.messages({ live: true, pending: false })) if (message.text === text) return
}

async function texts(room: Room): Promise<string[]> {
  const all: string[] = []
  for await (const { text } of room.messages()) all.push(text)
  return all
}

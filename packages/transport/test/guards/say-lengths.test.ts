import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { equalBytes } from '@covey/core'
import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openCorestore } from '../../src/internal/open-corestore.js'

/** What one knows of the others, of one core. */
interface Replicating {
  readonly core: { readonly replicator: { readonly peers: readonly Peer[] } }
}

interface Peer {
  readonly remotePublicKey: Uint8Array
  readonly remoteLength: number
  readonly canUpgrade: boolean
  _canUpgrade(length: number, fork: number): Promise<boolean>
}

interface Replication extends Duplex {
  readonly noiseStream: { readonly publicKey: Uint8Array }
}

async function openStore(isGuarded = false): Promise<Corestore> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-lengths-'))
  const store = isGuarded ? await openCorestore(folder, true) : new Corestore(folder)
  onTestFinished(async () => {
    await store.close()
    await rm(folder, { recursive: true })
  })
  return store
}

/** @returns what ends it, and the key of the other. */
function connect(one: Corestore, other: Corestore) {
  const ends = [one.replicate(true), other.replicate(false)] as unknown as Replication[]
  for (const end of ends) end.on('error', () => undefined)
  ends[0]!.pipe(ends[1]!).pipe(ends[0]!)
  const part = async (): Promise<void> => {
    const closed = ends.map((end) => new Promise((resolve) => end.once('close', resolve)))
    for (const end of ends) end.destroy()
    await Promise.all(closed)
  }
  return { part, key: () => ends[1]!.noiseStream.publicKey }
}

/** Alice has a third block of a core, and before she says so Carol has four, who gives her the last one, or does not. */
async function pass(isGuarded: boolean): Promise<number> {
  const [writer, alice, carol] = [await openStore(), await openStore(isGuarded), await openStore()]
  const [source, note] = [writer.get({ name: 'source' }), carol.get({ name: 'note' })] as Hypercore[]
  await Promise.all([source!.ready(), note!.ready()])
  const [ofAlice, ofCarol, noteOfAlice] = [alice.get({ key: source!.key! }), carol.get({ key: source!.key! }), alice.get({ key: note!.key! })]
  const append = (core: Hypercore): Promise<unknown> => core.append(Buffer.from('one more'))
  const whole = (core: Hypercore, length: number): Promise<unknown> => vi.waitUntil(() => core.length === length && core.contiguousLength === length, { timeout: 20_000 })
  for (const core of [ofAlice, ofCarol]) void core.download({ start: 0, end: -1 })

  const withAlice = connect(writer, alice)
  await append(source!)
  await append(source!)
  await whole(ofAlice, 2)
  const { key } = connect(alice, carol)
  await whole(ofCarol, 2)
  const isCarol = ({ remotePublicKey }: Peer): boolean => equalBytes(remotePublicKey, key())
  const peer = (ofAlice as unknown as Replicating).core.replicator.peers.find(isCarol)
  await vi.waitUntil(() => peer!.remoteLength === 2 && !peer!.canUpgrade)
  const look = peer!._canUpgrade.bind(peer)
  let goOn = (): void => undefined
  const looking = new Promise<void>((resolve) => {
    peer!._canUpgrade = async (...args) => {
      peer!._canUpgrade = look
      resolve()
      await new Promise<void>((released) => (goOn = released))
      return look(...args)
    }
  })
  await append(source!)
  await looking
  await whole(ofAlice, 3)
  await withAlice.part()
  await append(source!)
  connect(writer, carol)
  await whole(ofCarol, 4)
  await roundTrip(1)
  goOn()
  // All that one of them says because of what the other has said.
  await roundTrip(2)
  await roundTrip(3)
  await roundTrip(4)
  return ofAlice.length

  async function roundTrip(length: number): Promise<void> {
    await append(note!)
    await noteOfAlice.get(length - 1)
  }
}

test('who had more to say when a peer said something is given nothing more by it, without the guard', async () => {
  expect(await pass(false)).toBe(3)
})

test('is given all that there is', async () => {
  expect(await pass(true)).toBe(4)
})

import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createPeer, generatePhrase, isCoveyError, isPhrase, type KeyProvider, type PeerInit } from 'covey'
import {
  codeOf,
  openInAnotherProcess,
  PHRASE,
  receive,
  start,
  temporaryFolder,
  textsOf,
  useLocalNetwork,
  useTemporaryFolder
} from './support.js'

const net = useLocalNetwork()

test('two peers find each other, talk in a room, and find it again after a restart', async () => {
  const [storageA, storageB] = [await temporaryFolder(), await temporaryFolder()]
  const alice = await start({ ...net, storage: storageA, name: 'Alice' })
  const bob = await start({ ...net, storage: storageB, name: 'Bob' })
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite({ uses: 1 }))
  await joined.send('from Bob')
  expect(await receive(room, 'from Bob')).toMatchObject({ author: bob.identity.id, authorName: 'Bob', isOwn: false })
  await room.send('from Alice')
  await receive(joined, 'from Alice')
  await bob.close()

  await room.send('while Bob was away')
  const again = await start({ ...net, storage: storageB })
  const found = again.rooms.get(room.id)!
  expect(again.rooms.list().map(({ id }) => id)).toEqual([room.id])
  expect(await textsOf(found)).toEqual(expect.arrayContaining(['from Bob']))
  // He may have had it ahead of the log, and closed before he had that.
  await receive(found, 'from Alice')
  await receive(found, 'while Bob was away')
  await found.send('back')
  expect(await receive(room, 'back')).toMatchObject({ author: bob.identity.id })
  await expect.poll(() => textsOf(room)).toEqual(await textsOf(found))
})

test('without storage, a peer is in a temporary folder that close removes', async () => {
  const temporary = await useTemporaryFolder()
  const peer = await start(net)
  expect(await readdir(temporary)).toHaveLength(1)
  await peer.rooms.create({ name: 'Tea' })
  await peer.close()
  expect(await readdir(temporary)).toEqual([])
})

test('two peers without storage are two persons', async () => {
  const [a, b] = await Promise.all([start(net), start(net)])
  expect(a.identity.id).not.toBe(b.identity.id)
  expect(a.device.id).not.toBe(b.device.id)
})

test('a folder keeps the identity, the device and the name', async () => {
  const storage = await temporaryFolder()
  const first = await start({ ...net, storage, name: 'Ǎlice ☕' })
  await first.close()
  const second = await start({ ...net, storage })
  expect(second.identity).toEqual(first.identity)
  expect(second.device).toEqual(first.device)
  expect(second.identity.name).toBe('Ǎlice ☕')
})

test('a phrase is the same person on every device', async () => {
  const [one, two] = await Promise.all([start({ ...net, phrase: PHRASE }), start({ ...net, phrase: PHRASE })])
  expect(one.identity.publicKey).toEqual(two.identity.publicKey)
  expect(one.device.id).not.toBe(two.device.id)
  expect((await start({ ...net, phrase: generatePhrase() })).identity.id).not.toBe(one.identity.id)
})

test('the words, and a backup, are given by who has them, and make the same person elsewhere', async () => {
  const alice = await start({ ...net, name: 'Alice' })
  expect([alice.isNew, alice.hasPhrase]).toEqual([true, true])
  expect(isPhrase(alice.revealPhrase())).toBe(true)
  const bytes = await alice.exportBackup({ passphrase: 'for the file', passphraseStrength: 'minimum' })
  const storage = await temporaryFolder()
  const restored = await start({ ...net, storage, backup: { bytes, passphrase: 'for the file' } })
  expect(restored.identity).toEqual(alice.identity)
  expect(restored.device.id).not.toBe(alice.device.id)
  expect(restored.revealPhrase()).toBe(alice.revealPhrase())
  await restored.close()
  expect(await codeOf(async () => restored.revealPhrase())).toBe('IDENTITY_WIPED')
  expect((await start({ ...net, storage })).isNew).toBe(false)

  expect(await codeOf(() => start({ ...net, backup: { bytes, passphrase: 'another' } }))).toBe('IDENTITY_WRONG_PASSPHRASE')
  await expect(createPeer({ ...net, phrase: PHRASE, backup: { bytes, passphrase: 'for the file' } })).rejects.toThrow(/exclude each other/)
})

test('a phrase of another person than the folder’s is refused, and leaves the folder as it was', async () => {
  const storage = await temporaryFolder()
  const first = await start({ ...net, storage })
  await first.close()
  expect(await codeOf(() => start({ ...net, storage, phrase: PHRASE }))).toBe('IDENTITY_MISMATCH')
  expect((await start({ ...net, storage })).identity.id).toBe(first.identity.id)
})

test('a passphrase seals the folder: a wrong one, or none, opens nothing and locks nothing', async () => {
  const storage = await temporaryFolder()
  const first = await start({ ...net, storage, name: 'Alice', passphrase: 'right horse battery' })
  expect(first.isSealed).toBe(true)
  const room = await first.rooms.create({ name: 'Tea' })
  await room.send('sealed')
  await first.close()

  expect(await codeOf(() => start({ ...net, storage, passphrase: 'wrong' }))).toBe('IDENTITY_WRONG_PASSPHRASE')
  expect(await codeOf(() => start({ ...net, storage }))).toBe('IDENTITY_SEALED')

  const second = await start({ ...net, storage, passphrase: 'right horse battery' })
  expect(second.identity.id).toBe(first.identity.id)
  expect(await textsOf(second.rooms.get(room.id)!)).toEqual(['sealed'])
})

test('a key provider seals the folder too; one that fails leaves nothing locked', async () => {
  const storage = await temporaryFolder()
  const keyProvider: KeyProvider = { getKey: async () => new Uint8Array(32).fill(7) }
  const failing: KeyProvider = { getKey: () => Promise.reject(new Error('the keystore is locked')) }
  const first = await start({ ...net, storage, keyProvider })
  expect(first.isSealed).toBe(true)
  await first.close()
  await expect(start({ ...net, storage, keyProvider: failing })).rejects.toThrow(/key/)
  expect((await start({ ...net, storage, keyProvider })).identity.id).toBe(first.identity.id)
})

test('without passphrase or key provider it says so', async () => {
  expect((await start(net)).isSealed).toBe(false)
})

test.each<[string, object, RegExp]>([
  ['a typo', { passphrse: 'x' }, /did you mean "passphrase"/],
  ['an option of another world', { stun: [] }, /init has no option "stun"/],
  ['an empty folder name', { storage: '' }, /init\.storage/],
  ['a folder that is no text', { storage: 5 }, /init\.storage/],
  ['a network that is none', { network: { kind: 'moon' } }, /init\.network/],
  ['a signal that is none', { signal: {} }, /init\.signal/],
  ['relays that are no list', { relays: null }, /init\.relays/],
  ['a policy that is none', { policy: '' }, /init\.policy/],
  ['a name that is too long', { name: 'é'.repeat(129) }, /name/],
  ['a name with half a character', { name: 'a\ud800' }, /name/],
  ['a name that is no text', { name: 5 }, /name/]
])('%s is refused by name, and leaves nothing behind', async (_, init, message) => {
  const temporary = await useTemporaryFolder()
  const made = createPeer({ ...net, ...init } as PeerInit)
  await expect(made).rejects.toThrow(TypeError)
  await expect(made).rejects.toThrow(message)
  expect(await readdir(temporary)).toEqual([])
})

test.each<[string, unknown]>([
  ['null', null],
  ['without addresses', { kind: 'local' }],
  ['of no address', { kind: 'local', bootstrap: [] }]
])('a network that is %s is refused by name', async (_, network) => {
  await expect(start({ network } as PeerInit)).rejects.toThrow(/network/)
})

test('a network of a malformed address is refused by name', async () => {
  const network = { kind: 'local', bootstrap: [{ host: '127.0.0.1', port: 'x' }] }
  await expect(start({ network } as unknown as PeerInit)).rejects.toThrow(/network/)
})

test('no init but an object', async () => {
  await expect(createPeer('./alice' as PeerInit)).rejects.toThrow(TypeError)
  await expect(createPeer(null as unknown as PeerInit)).rejects.toThrow(TypeError)
})

test('a wrong phrase is refused and leaves nothing locked', async () => {
  const storage = await temporaryFolder()
  const code = await codeOf(() => start({ ...net, storage, phrase: PHRASE.replace('art', 'zoo') }))
  expect(code).toBe('IDENTITY_INVALID_PHRASE')
  await start({ ...net, storage, phrase: PHRASE })
})

test('no secret is in the error for a wrong phrase', async () => {
  const words = 'zebra '.repeat(23).trim() + ' secretword'
  const error = (await start({ ...net, phrase: words }).catch((thrown: unknown) => thrown)) as Error
  expect(error).toBeInstanceOf(Error)
  expect(JSON.stringify([error.message, (error as { hint?: string }).hint])).not.toContain('zebra zebra')
})

test('a folder that this process has open is locked until it is closed', async () => {
  const storage = await temporaryFolder()
  const first = await start({ ...net, storage, name: 'Alice' })
  const error: unknown = await start({ ...net, storage }).catch((thrown: unknown) => thrown)
  expect(isCoveyError(error, 'STORAGE_LOCKED')).toBe(true)
  expect(error).toMatchObject({ retryable: true, hint: expect.stringMatching(/Close the other peer/) as string })

  // Who has it open is not disturbed.
  const room = await first.rooms.create({ name: 'Tea' })
  await room.send('still here')
  await first.close()
  expect(await textsOf((await start({ ...net, storage })).rooms.get(room.id)!)).toEqual(['still here'])
})

test('a folder that another process has open is locked until that ends, also by a kill', async () => {
  const storage = await temporaryFolder()
  const other = await openInAnotherProcess(storage, net.network)
  expect(await codeOf(() => start({ ...net, storage }))).toBe('STORAGE_LOCKED')
  await other.kill()
  expect((await start({ ...net, storage })).identity.name).toBe('Holder')
})

test('of peers that start in one folder at once, one gets it whole', async () => {
  const storage = await temporaryFolder()
  const codes = await Promise.all([1, 2, 3, 4].map(() => codeOf(() => start({ ...net, storage, name: 'One' }))))
  expect(codes.filter((code) => code === null)).toHaveLength(1)
  expect(codes.filter((code) => code === 'STORAGE_LOCKED')).toHaveLength(3)
})

test('a folder that cannot be written is told apart, and works once it can', async () => {
  const file = join(await temporaryFolder(), 'file')
  await writeFile(file, 'no folder')
  const error: unknown = await start({ ...net, storage: file }).catch((thrown: unknown) => thrown)
  expect(isCoveyError(error, 'STORAGE_UNWRITABLE')).toBe(true)
  expect(await codeOf(() => start({ ...net, storage: join(file, 'beneath') }))).toBe('STORAGE_UNWRITABLE')
  expect(await readFile(file, 'utf8')).toBe('no folder')

  await rm(file)
  await start({ ...net, storage: join(file, 'beneath') })
})

test('other files in the folder stay where they are', async () => {
  const storage = await temporaryFolder()
  await writeFile(join(storage, 'notes.txt'), 'mine')
  await (await start({ ...net, storage })).close()
  expect(await readFile(join(storage, 'notes.txt'), 'utf8')).toBe('mine')
})

test('a signal that was aborted before starts nothing', async () => {
  const temporary = await useTemporaryFolder()
  const reason = new Error('not today')
  const storage = join(temporary, 'alice')
  await expect(createPeer({ ...net, storage, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  await expect(createPeer({ ...net, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(await readdir(temporary)).toEqual([])
})

test('a signal that is aborted during the start rejects with its reason and leaves nothing', async () => {
  const storage = await temporaryFolder()
  const temporary = await useTemporaryFolder()
  const reason = new Error('changed my mind')
  for (const init of [net, { ...net, storage }]) {
    const controller = new AbortController()
    const starting = createPeer({ ...init, signal: controller.signal })
    controller.abort(reason)
    await expect(starting).rejects.toBe(reason)
  }
  expect(await readdir(temporary)).toEqual([])
  await start({ ...net, storage })
})

test('a signal has no say once the peer has started', async () => {
  const controller = new AbortController()
  const peer = await start({ ...net, signal: controller.signal })
  controller.abort()
  const room = await peer.rooms.create({ name: 'Tea' })
  await room.send('still here')
  expect(await textsOf(room)).toEqual(['still here'])
})

test('a second close, and one at the same time, do nothing more', async () => {
  const storage = await temporaryFolder()
  const peer = await start({ ...net, storage })
  await Promise.all([peer.close(), peer.close(), peer[Symbol.asyncDispose]()])
  await peer.close()
  await start({ ...net, storage })
})

test('a peer disposes of itself', async () => {
  const storage = await temporaryFolder()
  const peer = await start({ ...net, storage })
  await peer[Symbol.asyncDispose]()
  await start({ ...net, storage })
})

test('after close, the rooms of the peer say that they are closed', async () => {
  const peer = await start(net)
  const room = await peer.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  await peer.close()
  expect(await codeOf(() => room.send('late'))).toBe('ROOM_CLOSED')
  expect(await codeOf(() => room.info())).toBe('ROOM_CLOSED')
  expect(await codeOf(() => peer.rooms.create({ name: 'Late' }))).toBe('ROOM_CLOSED')
  expect(await codeOf(() => peer.rooms.join(invite))).toBe('ROOM_CLOSED')
  expect(peer.rooms.list()).toEqual([])
})

test('close while rooms are at work loses nothing of what was sent', async () => {
  const storage = await temporaryFolder()
  const peer = await start({ ...net, storage })
  const room = await peer.rooms.create({ name: 'Tea' })
  const sends = Array.from({ length: 50 }, (_, i) => room.send(`${i}`).then(() => `${i}`, () => undefined))
  await peer.close()
  const sent = (await Promise.all(sends)).filter((text) => text !== undefined)
  const again = await start({ ...net, storage })
  const texts = await textsOf(again.rooms.get(room.id)!)
  expect(texts).toEqual(expect.arrayContaining(sent))
  expect(new Set(texts).size).toBe(texts.length)
})

test('a wallet that is no good leaves nothing locked', async () => {
  const storage = await temporaryFolder()
  const payments = { providers: [], policy: { limits: ['all of it'] } } as unknown as PeerInit['payments'] & object
  await expect(createPeer({ ...net, storage, payments })).rejects.toThrow(TypeError)
  await start({ ...net, storage })
})

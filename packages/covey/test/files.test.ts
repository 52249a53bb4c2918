import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { fileContent, type Message, type Room } from 'covey'
import { codeOf, start, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

it('a file that is shared in a room is had by its members', async () => {
  const { network } = net
  const [alice, bob] = [await start({ network, name: 'Alice' }), await start({ network, name: 'Bob' })]
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  const desk = await temporaryFolder()
  const bytes = randomBytes(900_000)
  await writeFile(join(desk, 'cake.jpg'), bytes)
  const preview = { type: 'image/png', data: new Uint8Array(60_000).fill(7) }
  const { message, file: own } = await room.files.share(join(desk, 'cake.jpg'), { type: 'image/jpeg', width: 640, height: 480, preview })
  expect(room.files.of(message)).toMatchObject({ id: own.id, isOwn: true })

  const received = await nextContent(joined)
  expect(received.id).toBe(message.id)
  const file = joined.files.of(received)!
  expect(file).toMatchObject({ id: own.id, name: 'cake.jpg', type: 'image/jpeg', size: 900_000, width: 640, height: 480, preview, isOwn: false })
  expect((await readFile(await file.saveTo(await temporaryFolder()))).equals(bytes)).toBe(true)
})

it('is shared as an answer, and gone with its message', async () => {
  const peer = await start({ network: net.network, name: 'Alice' })
  const room = await peer.rooms.create({ name: 'Tea' })
  const { id } = await room.send('How was it?')
  const { message } = await room.files.share(new Uint8Array([1, 2, 3]), { name: 'so.bin', replyTo: id, thread: id })
  expect(message).toMatchObject({ replyTo: id, thread: id })
  await room.delete(message.id)
  expect(room.files.of((await room.message(message.id))!)).toBeUndefined()
})

it('every room of a peer has files, however the app came by it', async () => {
  const storage = await temporaryFolder()
  const alice = await start({ network: net.network, name: 'Alice', storage })
  const heard: Room[] = []
  alice.rooms.on('open', ({ room }) => void heard.push(room))
  const room = await alice.rooms.create({ name: 'Tea' })
  const rooms = [room, alice.rooms.get(room.id)!, ...alice.rooms.list(), ...heard, await alice.rooms.join(await room.createInvite())]
  expect(rooms).toHaveLength(5)
  for (const each of rooms) expect(each).toBe(room)
  const { message } = await room.files.share(new Uint8Array(10), { name: 'ten' })
  await alice.close()

  const again = await start({ network: net.network, storage })
  const [found] = again.rooms.list()
  expect(found!.files.of((await found!.message(message.id))!)).toMatchObject({ name: 'ten', size: 10, isOwn: true })
})

it('what a room does not take is not shared', async () => {
  const peer = await start({ network: net.network, name: 'Alice' })
  const room = await peer.rooms.create({ name: 'Tea' })
  const bytes = new Uint8Array(10)
  const reason = new Error('changed my mind')
  expect(await codeOf(() => room.files.share(bytes, { replyTo: 'nothing' }))).toBe('MESSAGE_NOT_FOUND')
  expect(await codeOf(() => room.files.share(bytes, { folder: 'x' } as never))).toBe('TypeError')
  expect(await codeOf(() => room.files.share(bytes, { signal: 1 as never }))).toBe('TypeError')
  expect(await codeOf(() => room.files.share('./there-is-none'))).toBe('FILE_NOT_FOUND')
  await expect(room.files.share(bytes, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(peer.files.list()).toEqual([])

  const stop = new AbortController()
  const { share } = peer.files
  vi.spyOn(peer.files, 'share').mockImplementationOnce(async (...args) => {
    const file = await share(...args)
    expect(peer.files.list()).toHaveLength(1)
    stop.abort(reason)
    return file
  })
  await expect(room.files.share(bytes, { signal: stop.signal })).rejects.toBe(reason)
  await expect.poll(() => peer.files.list()).toEqual([])
  for await (const _ of room.messages()) expect.unreachable('nothing was sent')
})

it('a room says how long its files are kept, and the peer how many', async () => {
  const { network } = net
  const storage = await temporaryFolder()
  const held = { budgetBytes: 10_000_000, holding: { forMs: 86_400_000 } }
  const [alice, bob] = [await start({ network, name: 'Alice' }), await start({ network, name: 'Bob', storage, files: held })]
  const room = await alice.rooms.create({ name: 'Tea' })
  const joined = await bob.rooms.join(await room.createInvite())
  const { file: own } = await room.files.share(randomBytes(12_000_000), { name: 'cake.jpg' })
  const file = joined.files.of(await nextContent(joined))!
  await file.bytes({ maxBytes: 12_000_000 })
  // Pieces of 4 MiB go until the rest fits.
  await expect.poll(async () => (await file.progress()).receivedBytes).toBeLessThanOrEqual(10_000_000)
  expect((await file.progress()).receivedBytes).toBeGreaterThan(0)
  expect(joined.files.holding).toEqual(held.holding)
  await joined.files.setHolding('none')
  expect(joined.files.holding).toBe('none')
  expect((await file.progress()).receivedBytes).toBe(0)
  await bob.close()

  const again = await start({ network, storage, files: held })
  const [found] = again.rooms.list()
  expect(found!.files.holding).toBe('none')
  await found!.files.setHolding(null)
  expect(found!.files.holding).toEqual(held.holding)
  expect(await codeOf(() => found!.files.setHolding('always' as never))).toBe('TypeError')
  for (const files of [{ holding: 'always' }, { budgetBytes: -1 }, { maxBytes: 5 }]) {
    expect(await codeOf(() => start({ network, files: files as never }))).toBe('TypeError')
  }
  // What a room says is of what others have shared.
  await room.files.setHolding('none')
  await expect.poll(async () => (await own.progress()).state).toBe('whole')
})

it('a message that offers no file, or none that can be read, has none', async () => {
  const peer = await start({ network: net.network, name: 'Alice' })
  const room = await peer.rooms.create({ name: 'Tea' })
  const whole = await room.files.share(new Uint8Array(10))
  const { type, version, data } = whole.file.content
  expect(type).toBe(fileContent.name)
  const contents = [
    { type: 'app/other', version, data },
    { type, version: version + 1, data },
    { type, version, data: data.subarray(0, 40) },
    { type, version, data: new Uint8Array(0) }
  ]
  for (const content of contents) expect(room.files.of(await room.send(content))).toBeUndefined()
  expect(room.files.of(await room.send('hello'))).toBeUndefined()
  expect(peer.files.list()).toHaveLength(1)
  await peer.close()
  expect(await codeOf(() => room.files.of(whole.message))).toBe('FILES_CLOSED')
})

async function nextContent(room: Room): Promise<Message> {
  for await (const message of room.messages({ live: true })) if (message.content !== undefined) return message
  throw new Error('the room ended')
}

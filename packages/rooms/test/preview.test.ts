import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeKey, encodeZ32 } from '@covey/core'
import { MAX_PREVIEW_MESSAGES, type Message, type PreviewVerdict, type Room, type RoomPreview } from '@covey/rooms'
import type { Channel, Node } from '@covey/transport'
import { randomBytes } from '../src/internal/crypto.js'
import { createPreviewJudge } from '../src/internal/preview/judge-preview.js'
import { makePreview } from '../src/internal/preview/make-preview.js'
import { MAX_PREVIEW_BYTES, MAX_PREVIEW_OP_BYTES, openPreview, sealPreview, type Preview } from '../src/internal/preview/preview-channel.js'
import { readPreview } from '../src/internal/preview/read-preview.js'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import type { Structs } from '../src/internal/structs.js'
import { foundBy, memberOf, startDevice } from './support-apply.js'
import { messagesOf, open, person, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

/** Joins, and gives what was shown meanwhile. */
async function joinSeeing({ rooms }: TestPeer, invite: string): Promise<{ room: Room; previews: RoomPreview[] }> {
  const previews: RoomPreview[] = []
  const room = await rooms.join(invite, { onPreview: (preview) => void previews.push(preview) })
  return { room, previews }
}

/** What of a message a preview has too. */
const shownOf = (message: Message) => ({ ...message, reactions: [], replies: 0, isPinned: false })

test('who is let in sees what was last said, as the room has it', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  for (let i = 0; i < MAX_PREVIEW_MESSAGES; i++) await hers.send(`old ${i}`)
  const edited = await hers.send('tea at four')
  const gone = await hers.send('a secret')
  const { id } = await his.send('I come')
  await until(hers, async () => ((await hers.message(id))?.state === 'sent' ? true : undefined))
  await hers.edit(edited.id, 'tea at five')
  await hers.delete(gone.id)
  // Either may let her in.
  await until(his, async () => ((await his.message(gone.id))?.kind === 'deleted' ? true : undefined))

  const { room, previews } = await joinSeeing(carol, await hers.createInvite())
  const [preview] = previews
  expect(previews).toHaveLength(1)
  expect(preview).toMatchObject({ id: hers.id, name: (await hers.info()).name })
  expect([alice, bob].map(({ identity }) => identity.device.id)).toContain(preview!.by)
  expect(await preview!.verdict).toBe('confirmed')
  const last = (await messagesOf(room, { limit: MAX_PREVIEW_MESSAGES })).filter(({ kind }) => kind !== 'deleted')
  expect(preview!.messages.map(shownOf)).toEqual(last.map(shownOf))
  expect(preview!.messages.slice(-2).map(({ text, authorName }) => [authorName, text])).toEqual([['Alice', 'tea at five'], ['Bob', 'I come']])
})

test('who waits for a moderator sees it when they are approved', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  await room.send('hello')
  const joining = joinSeeing(bob, await room.createInvite({ approval: true }))
  const request = await until(room, async () => (await room.joinRequests())[0])
  await room.approve(request.id)
  const { previews } = await joining
  expect(previews.map(({ messages }) => messages.map(({ text }) => text))).toEqual([['hello']])
})

test('in a room where newcomers read nothing of before, they are shown nothing of it', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea', history: 'since-join' })
  await room.send('hello')
  const { previews } = await joinSeeing(bob, await room.createInvite())
  expect(previews).toEqual([])
})

test('what an app does with it that fails is told, and the device gets in', async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const room = await alice.rooms.create({ name: 'Tea' })
  const told = bob.rooms.once('error')
  const onPreview = (): void => {
    throw new Error('no place to show it')
  }
  await bob.rooms.join(await room.createInvite(), { onPreview })
  expect((await told).cause).toMatchObject({ message: 'no place to show it' })
  await expect(bob.rooms.join(await room.createInvite(), { onPreview: 'yes' as never })).rejects.toThrow(TypeError)
})

/** Makes what a node shows of its rooms another, or sends something else in its place. */
function showing(node: Node, change: (send: Channel['send'], to: string, shown: Uint8Array) => Promise<void>): Node {
  const { channel } = node
  node.channel = ((definition: never, options: never) => {
    const made = channel.call(node, definition, options)
    if (!made.name.startsWith('covey/last/')) return made
    const send = made.send.bind(made) as Channel['send']
    return Object.assign(made, { send: (to: string, shown: Uint8Array) => change(send, to, shown) })
  }) as Node['channel']
  return node
}

test('who shows what was never said is found out', async () => {
  let lie = async (_: string, shown: Uint8Array): Promise<Uint8Array> => shown
  const liar = await open(await person('Alice'), net, (node) => showing(node, async (send, to, shown) => send(to, await lie(to, shown))))
  const bob = await start(net, 'Bob')
  const room = await liar.rooms.create({ name: 'Tea' })
  await room.send('hello')
  lie = async (to, shown) => {
    const { base } = partsOfRooms(liar.rooms).open.get(room.id)!
    const between = { from: liar.identity.device.id, to }
    const preview = openPreview(shown, between, base.encryptionKey!)!
    const [message] = preview.messages
    // Another clock, and so another op, in the place of the one that is there.
    const op = message!.op.slice()
    op[op.length - 1]! ^= 1
    return sealPreview({ ...preview, messages: [{ ...message!, op }] }, between, base.encryptionKey!)
  }
  const told = bob.rooms.once('error')
  const { room: joined, previews } = await joinSeeing(bob, await room.createInvite())
  expect(previews).toHaveLength(1)
  expect(await previews[0]!.verdict).toBe('refuted' satisfies PreviewVerdict)
  expect(await told).toMatchObject({ code: 'PREVIEW_REFUTED', message: expect.stringContaining(liar.identity.device.id) as string })
  expect((await messagesOf(joined)).map(({ text }) => text)).toEqual(['hello'])
})

test('what nobody has made who knows the room is not shown, nor what is said again and again', async () => {
  let sent = 0
  const stranger = await open(await person('Alice'), net, (node) =>
    showing(node, async (send, to, shown) => {
      sent++
      await send(to, randomBytes(shown.length))
      await send(to, shown)
    })
  )
  const bob = await start(net, 'Bob')
  const room = await stranger.rooms.create({ name: 'Tea' })
  await room.send('hello')
  const { room: joined, previews } = await joinSeeing(bob, await room.createInvite())
  expect([sent, previews]).toEqual([1, []])
  expect((await messagesOf(joined)).map(({ text }) => text)).toEqual(['hello'])
})

test('the room judges each message by who said it and what it was made, and who shows it by whether they are in', async () => {
  const [owners, theirs, others] = [await startDevice(net), await startDevice(net), await startDevice(net)]
  const owner = await foundBy(owners)
  const member = await memberOf(owner, theirs)
  const { id } = await member.room.send('hello')
  await until(owner.room, async () => ((await owner.room.message(id))?.state === 'sent' ? true : undefined))
  const before = await makePreview(owner)
  await member.room.edit(id, 'good morning')
  await until(owner.room, async () => ((await owner.room.message(id))?.text === 'good morning' ? true : undefined))
  const preview = await makePreview(owner)
  const by = owners.identity.device.id
  const judge = (shown: Preview, from = by) => createPreviewJudge(shown, from, owner)()
  const changed = (change: Partial<Structs['preview-message']>): Preview => ({ ...preview, messages: [{ ...preview.messages[0]!, ...change }] })

  expect(await judge(preview)).toBe('confirmed')
  expect(await judge(before)).toBe('confirmed')
  expect(await judge(changed({ identity: owners.identity.identity.publicKey }))).toBe('refuted')
  expect(await judge(changed({ device: owners.identity.device.publicKey }))).toBe('refuted')
  expect(await judge(changed({ writer: owner.base.local.key, length: 1 }))).toBe('refuted')
  expect(await judge(changed({ edit: preview.messages[0]!.op }))).toBe('refuted')
  expect(await judge(preview, theirs.identity.device.id)).toBe('refuted')
  // It may be yet to come, and so may whoever shows it.
  expect(await judge(changed({ op: randomBytes(100), length: 1_000 }))).toBeUndefined()
  expect(await judge(changed({ edit: randomBytes(100), edits: 2 }))).toBeUndefined()
  expect(await judge({ ...preview, writer: randomBytes(32) }, others.identity.device.id)).toBeUndefined()

  const out = encodeZ32(theirs.identity.identity.publicKey)
  await owner.room.remove(out)
  expect(await judge({ ...preview, writer: member.base.local.key }, theirs.identity.device.id)).toBeUndefined()
  await owner.room.delete(id)
  expect(await judge(preview)).toBe('confirmed')
  expect((await makePreview(owner)).messages).toEqual([])
})

test('one of long messages holds as many of the last as there is room for', async () => {
  const device = await startDevice(net)
  const { room, base, view, epochKeys } = await foundBy(device)
  const long = 'x'.repeat(15_000)
  for (let i = 0; i < MAX_PREVIEW_MESSAGES; i++) await room.send(`${i} ${long}`)
  await room.send('y'.repeat(20_000))
  await room.send('the last')
  await until(room, async () => ((await view.meta()).messages === MAX_PREVIEW_MESSAGES + 2 ? true : undefined))
  const preview = await makePreview({ base, view, epochKeys })
  const between = { from: device.identity.device.id, to: encodeZ32(randomBytes(32)) }
  const sealed = sealPreview(preview, between, base.encryptionKey!)
  expect(sealed.length).toBeLessThanOrEqual(MAX_PREVIEW_BYTES)
  expect(sealed.length).toBeGreaterThan(MAX_PREVIEW_BYTES - 2 * MAX_PREVIEW_OP_BYTES)
  const opened = openPreview(sealed, between, base.encryptionKey!)!
  expect(opened.messages).toHaveLength(preview.messages.length)
  const { messages } = await readPreview(opened, base.discoveryKey!, device.identity, () => false)
  const first = MAX_PREVIEW_MESSAGES - messages.length + 1
  expect(messages.map(({ text }) => text.split(' ')[0])).toEqual([...Array.from({ length: messages.length - 1 }, (_, i) => `${first + i}`), 'the'])
})

test('a preview is for one device, of one, and for who knows the room', () => {
  const [from, to, other] = [1, 2, 3].map((byte) => encodeZ32(new Uint8Array(32).fill(byte))) as [string, string, string]
  const key = randomBytes(32)
  const message = { writer: key, identity: key, device: decodeKey(from), length: 1, op: randomBytes(10) }
  const of = (count: number): Preview => ({ writer: key, keys: [], profiles: [], messages: Array.from({ length: count }, () => message) })
  const sealed = sealPreview(of(MAX_PREVIEW_MESSAGES), { from, to }, key)
  expect(openPreview(sealed, { from, to }, key)?.messages).toHaveLength(MAX_PREVIEW_MESSAGES)
  expect(openPreview(sealed, { from, to: other }, key)).toBeUndefined()
  expect(openPreview(sealed, { from: other, to }, key)).toBeUndefined()
  expect(openPreview(sealed, { from, to }, randomBytes(32))).toBeUndefined()
  expect(openPreview(sealPreview(of(MAX_PREVIEW_MESSAGES + 1), { from, to }, key), { from, to }, key)).toBeUndefined()
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => openPreview(bytes, { from, to }, key) === undefined))
})

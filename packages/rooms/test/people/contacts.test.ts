import { expect, test } from 'vitest'
import type { Message, Room } from '@covey/rooms'
import { MAX_REPORTS } from '../../src/constants.js'
import { allOf, codeOf, messagesOf, open, shareRoom, start, textsOf, until, useLocalNetwork, type TestPeer } from '../support.js'

const net = useLocalNetwork()
const idOf = ({ identity }: TestPeer): string => identity.identity.id
const kindsOf = async (room: Room): Promise<string[]> => (await messagesOf(room)).map(({ kind }) => kind)

test('contacts are kept, by the names that their person gives them', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const { contacts } = alice.rooms
  const updates: string[] = []
  contacts.on('update', ({ id }) => updates.push(id))
  await contacts.add(idOf(bob), { name: 'Zoe\u202e' })
  const added = await contacts.add(idOf(carol), { name: 'Al' })
  expect(contacts.list().map(({ name }) => name)).toEqual(['Al', 'Zoe'])
  expect(updates).toEqual([idOf(bob), idOf(carol)])
  // Added again, somebody keeps what is not given anew.
  expect(await contacts.add(idOf(carol))).toEqual(added)
  await alice.close()
  const again = await open(alice.person, net)
  expect(again.rooms.contacts.get(idOf(carol))).toEqual(added)
  await again.rooms.contacts.remove(idOf(carol))
  await again.rooms.contacts.remove(idOf(carol))
  expect(again.rooms.contacts.list().map(({ id }) => id)).toEqual([idOf(bob)])
})

test('what is no person is refused, and a list has an end', async () => {
  const alice = await start(net)
  const { contacts } = alice.rooms
  const other = idOf(await start(net))
  const calls: [string, () => unknown][] = [
    ['add oneself', () => contacts.add(idOf(alice))],
    ['block oneself', () => contacts.block(idOf(alice))],
    ['no id', () => contacts.add('alice')],
    ['no id to block', () => contacts.block('')],
    ['no id to unblock', () => contacts.unblock('x')],
    ['a name that is too long', () => contacts.add(other, { name: 'x'.repeat(257) })],
    ['a typo', () => contacts.add(other, { nam: '' } as never)],
    ['no reason', () => contacts.report(other, {} as never)],
    ['a long reason', () => contacts.report(other, { reason: 'x'.repeat(4_097) })],
    ['no room', () => contacts.report(other, { reason: '', roomId: 'x' })]
  ]
  for (const [what, call] of calls) expect(await codeOf(call), what).toBe('TypeError')
  expect([contacts.list(), contacts.blocked(), contacts.reports()]).toEqual([[], [], []])
})

test('reports are kept, the newest of them', async () => {
  const alice = await start(net)
  const { contacts } = alice.rooms
  const id = idOf(await start(net))
  for (let i = 0; i < MAX_REPORTS + 3; i++) await contacts.report(id, { reason: `${i}` })
  const last = await contacts.report(id, { reason: 'spam', roomId: id, messageId: id })
  await alice.close()
  const { reports } = (await open(alice.person, net)).rooms.contacts
  expect(reports()).toHaveLength(MAX_REPORTS)
  expect(reports()).toContainEqual(last)
  expect(last).toMatchObject({ id, reason: 'spam', roomId: id, messageId: id })
})

test('what somebody writes who is blocked is not shown, here alone, until they are unblocked', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const [room, ofBob, ofCarol] = await shareRoom(alice, bob, carol)
  await allOf(room!, [(await ofBob!.send('of Bob')).text])
  const edited = (await messagesOf(room!))[0]!
  await ofBob!.edit(edited.id, 'of Bob, edited')
  await allOf(room!, ['of Bob, edited'])
  const { contacts } = alice.rooms
  const shown = room!.timeline()[Symbol.asyncIterator]()
  expect((await shown.next()).value!.messages.map((message: Message) => message.text)).toEqual(['of Bob, edited'])
  expect(await room!.unread()).toMatchObject({ count: 1 })
  expect(await room!.search('bob')).toHaveLength(1)

  await contacts.block(idOf(bob))
  await contacts.block(idOf(bob))
  expect((await shown.next()).value!.messages).toMatchObject([{ kind: 'blocked', text: '', author: idOf(bob) }])
  expect(await kindsOf(room!)).toEqual(['blocked'])
  // Neither by what was looked at before, nor by what is looked at now.
  expect(await room!.search('bob')).toEqual([])
  expect(await room!.edits(edited.id)).toEqual([])
  expect(await room!.unread()).toEqual({ count: 0, mentions: 0 })
  // What comes by others is not shown either; and nobody else is hidden.
  await ofBob!.send('more of Bob')
  await allOf(ofCarol!, ['more of Bob'])
  await ofCarol!.send('of Carol')
  await allOf(room!, ['of Carol'])
  await until(room!, async () => ((await messagesOf(room!)).length === 3 ? true : undefined))
  expect((await messagesOf(room!)).filter(({ kind }) => kind === 'blocked').map(({ text }) => text)).toEqual(['', ''])
  expect(await textsOf(ofCarol!)).toContain('of Bob, edited')

  await alice.close()
  const again = await open(alice.person, net)
  const roomAgain = again.rooms.get(room!.id)!
  expect(again.rooms.contacts.blocked()).toMatchObject([{ id: idOf(bob) }])
  expect((await kindsOf(roomAgain)).toSorted()).toEqual(['blocked', 'blocked', 'text'])
  expect(await roomAgain.search('bob')).toEqual([])
  await again.rooms.contacts.unblock(idOf(bob))
  expect((await textsOf(roomAgain)).toSorted()).toEqual(['more of Bob', 'of Bob, edited', 'of Carol'])
  expect((await roomAgain.search('bob')).map(({ text }) => text).toSorted()).toEqual(['more of Bob', 'of Bob, edited'])
})

test('the devices of somebody who is blocked are not connected with', async () => {
  const [alice, bob, carol] = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')]
  const [room] = await shareRoom(alice, bob)
  await until(room!, async () => ((await room!.members()).length === 2 ? true : undefined))
  const gone = new Promise<void>((resolve) => alice.node.on('disconnect', ({ peer }) => peer === bob.node.id && resolve()))
  expect(alice.node.peers).toContain(bob.node.id)
  await alice.rooms.contacts.block(idOf(bob))
  await gone
  expect(await codeOf(() => alice.node.connect(bob.node.publicKey))).toBe('PEER_BLOCKED')
  // Whom they do not want to hear of may still be in a room with them; so after a restart.
  await alice.close()
  const again = await open(alice.person, net)
  const other = await carol.rooms.create({ name: 'Coffee' })
  const joined = await again.rooms.join(await other.createInvite())
  await bob.rooms.join(await other.createInvite())
  await until(joined, async () => ((await joined.members()).length === 3 ? true : undefined))
  expect(await codeOf(() => again.node.connect(bob.node.publicKey))).toBe('PEER_BLOCKED')
  await again.rooms.contacts.unblock(idOf(bob))
  await again.node.connect(bob.node.publicKey)
})

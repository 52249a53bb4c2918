import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message, Room, RoomTimeline, TimelineChange, TimelineSnapshot } from '@covey/rooms'
import { diffMessages, reuseMessages } from '../src/internal/diff-messages.js'
import { codeOf, countingSignal, messagesOf, open, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const islands = [useLocalNetwork(), useLocalNetwork()]
const [home] = islands

/** The list as a display has it that knows nothing but the changes. */
function taken(list: readonly Message[], changes: readonly TimelineChange[]): Message[] {
  const next = [...list]
  for (const change of changes) {
    if (change.type === 'remove') next.splice(change.index, 1)
    else if (change.type === 'insert') next.splice(change.index, 0, change.message)
    else if (change.type === 'update') next[change.index] = change.message
    else next.splice(change.to, 0, ...next.splice(change.from, 1))
  }
  return next
}

/** What a display has come to show; it holds each snapshot against what its changes make of the last. */
function follow(timeline: RoomTimeline) {
  const iterator = timeline[Symbol.asyncIterator]()
  let list: Message[] = []
  return {
    /** Goes on until a snapshot is as it should be. */
    async until(isRight: (snapshot: TimelineSnapshot) => boolean): Promise<TimelineSnapshot> {
      for (;;) {
        const { value, done } = await iterator.next()
        if (done) throw new Error('The timeline has ended.')
        const snapshot = value as TimelineSnapshot
        list = taken(list, snapshot.changes)
        expect(list).toEqual(snapshot.messages)
        expect(new Set(list.map(({ id }) => id)).size).toBe(list.length)
        if (isRight(snapshot)) return snapshot
      }
    },
    list: (): readonly Message[] => list,
    stop: () => iterator.return!()
  }
}

const texts = ({ messages }: TimelineSnapshot): string => messages.map(({ text }) => text).join()

function messageOf(id: number, version: number): Message {
  return { id: `${id}`, text: `${version}` } as Message
}

test('the changes between any two lists make the one of the other, and there are no fewer', () => {
  const list = fc.uniqueArray(fc.nat(9), { maxLength: 8 })
  /** The length of a longest run that two lists have in the same order, by trying all. */
  const longest = (one: readonly string[], other: readonly string[]): number => {
    const [first, ...rest] = one
    if (first === undefined) return 0
    const at = other.indexOf(first)
    return Math.max(longest(rest, other), at < 0 ? 0 : 1 + longest(rest, other.slice(at + 1)))
  }
  const kinds = new Set<string>()
  fc.assert(
    fc.property(list, list, fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), (one, other, isEdited) => {
      const before = reuseMessages([], one.map((id) => messageOf(id, 0)))
      const after = reuseMessages(before, other.map((id) => messageOf(id, isEdited[id] ? 1 : 0)))
      const changes = diffMessages(before, after)
      changes.forEach(({ type }) => kinds.add(type))
      expect(taken(before, changes)).toEqual(after)
      const common = one.filter((id) => other.includes(id))
      const stay = longest(common.map(String), other.map(String))
      const count = (type: TimelineChange['type']): number => changes.filter((change) => change.type === type).length
      expect(count('remove')).toBe(one.length - common.length)
      expect(count('insert')).toBe(other.length - common.length)
      expect(count('move')).toBe(common.length - stay)
      expect(count('update')).toBe(common.filter((id) => isEdited[id]).length)
      // What is the same is the same object.
      for (const id of common) if (!isEdited[id]) expect(after.find((message) => message.id === `${id}`)).toBe(before.find((message) => message.id === `${id}`))
    }),
    { numRuns: 3_000 }
  )
  expect([...kinds].toSorted()).toEqual(['insert', 'move', 'remove', 'update'])
})

test('a display learns of what is sent, edited, reacted to and deleted', async () => {
  const [room, theirs] = await shareRoom(await start(home!, 'Alice'), await start(home!, 'Bob'))
  const shown = follow(theirs!.timeline({ window: 3 }))
  expect(await shown.until(() => true)).toEqual({ messages: [], changes: [], hasOlder: false })
  const [a, b] = [await room!.send('a'), await room!.send('b')]
  const two = await shown.until((snapshot) => texts(snapshot) === 'a,b' && snapshot.messages.every(({ state }) => state === 'sent'))
  expect(Object.isFrozen(two) && Object.isFrozen(two.messages) && two.messages.every(Object.isFrozen)).toBe(true)
  await room!.edit(a.id, 'A')
  const edited = await shown.until((snapshot) => texts(snapshot) === 'A,b')
  expect(edited.changes).toMatchObject([{ type: 'update', index: 0, message: { text: 'A', edits: 1 } }])
  expect(edited.messages[1]).toBe(two.messages[1])
  await theirs!.react(b.id, '👍')
  await shown.until(({ messages }) => messages[1]!.reactions.length === 1)
  await room!.delete(a.id)
  await shown.until(({ messages }) => messages[0]!.kind === 'deleted')
  for (const text of ['c', 'd', 'e']) await room!.send(text)
  const slid = await shown.until((snapshot) => texts(snapshot) === 'c,d,e')
  expect(slid.hasOlder).toBe(true)
  await shown.stop()
})

test('more of the past is shown when it is asked for, and a thread by itself', async () => {
  const room = await (await start(home!)).rooms.create({ name: 'Tea' })
  const sent = await Promise.all(Array.from({ length: 10 }, (_, i) => room.send(`${i}`)))
  const timeline = room.timeline({ window: 4 })
  const shown = follow(timeline)
  expect(await shown.until(() => true)).toMatchObject({ hasOlder: true, messages: [6, 7, 8, 9].map((i) => ({ text: `${i}` })) })
  timeline.showMore(3)
  const more = await shown.until(() => true)
  expect(more.changes.map(({ type }) => type)).toEqual(['insert', 'insert', 'insert'])
  timeline.showMore(100)
  expect(await shown.until(() => true)).toMatchObject({ hasOlder: false, messages: { length: 10 } })
  await shown.stop()

  const thread = follow(room.timeline({ thread: sent[4]!.id, window: 2 }))
  await thread.until(({ messages }) => messages.length === 0)
  for (const text of ['x', 'y', 'z']) await room.send(text, { thread: sent[4]!.id })
  await room.send('beside')
  expect(await thread.until((snapshot) => texts(snapshot) === 'y,z')).toMatchObject({ hasOlder: true })
  await thread.stop()
})

test('it ends with the room, with its signal, and when nobody looks any more', async () => {
  const room = await (await start(home!)).rooms.create({ name: 'Tea' })
  const { controller, signal, listenerCount } = countingSignal()
  for await (const _ of room.timeline({ signal })) break
  expect(listenerCount()).toBe(0)
  const aborted = room.timeline({ signal })[Symbol.asyncIterator]()
  await aborted.next()
  const waiting = aborted.next()
  const reason = new Error('enough')
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)

  const open = room.timeline()[Symbol.asyncIterator]()
  await open.next()
  const last = open.next()
  await room.close()
  expect(await last).toEqual({ value: undefined, done: true })
  expect(await codeOf(() => room.timeline()[Symbol.asyncIterator]().next())).toBe('ROOM_CLOSED')
})

test.each<[string, object]>([
  ['no window', { window: 0 }],
  ['a window beyond the most', { window: 1_001 }],
  ['a thread that is no text', { thread: 5 }],
  ['a signal that is none', { signal: {} }],
  ['a typo', { windw: 5 }]
])('%s is refused', async (_, options) => {
  const room = await (await start(home!)).rooms.create({ name: 'Tea' })
  expect(() => room.timeline(options)).toThrow(TypeError)
  expect(await codeOf(() => room.timeline({ thread: 'x' })[Symbol.asyncIterator]().next())).toBe('MESSAGE_NOT_FOUND')
  expect(() => room.timeline().showMore(0)).toThrow(TypeError)
})

const deed = fc.constantFrom('send', 'edit', 'react', 'delete')
/** What one peer does in a round: where it is, and what it does there after it has sent something. */
const move = fc.record({ island: fc.nat(1), deeds: fc.array(deed, { maxLength: 4 }) })
const rounds = fc.array(fc.tuple(move, move, move), { minLength: 1, maxLength: 2 })

test('three displays come to the same, however their peers were parted', { timeout: 240_000 }, async () => {
  const kinds = new Set<string>()
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      let peers: readonly TestPeer[] = await Promise.all([start(home!), start(home!), start(home!)])
      const [{ id }] = (await shareRoom(...peers)) as [Room, ...Room[]]
      for (const moves of rounds) {
        peers = await travel(peers, moves.map(({ island }) => island))
        await Promise.all(peers.map(async ({ rooms }, peer) => {
          for (const deed of ['send', ...moves[peer]!.deeds]) await act(rooms.get(id)!, deed)
        }))
      }

      // Each looks at the room while it becomes one again.
      peers = await travel(peers, [0, 0, 0])
      const rooms = peers.map(({ rooms }) => rooms.get(id)!)
      const displays = rooms.map((room) => follow(room.timeline({ window: 1_000 })))
      const last = await Promise.all(rooms.map((room) => room.send('last')))
      const isSame = async (): Promise<true | undefined> => {
        const lists = await Promise.all(rooms.map((room) => messagesOf(room)))
        const isWhole = lists.every((list) => last.every(({ id }) => list.some((message) => message.id === id)))
        return isWhole && new Set(lists.map(digest)).size === 1 ? true : undefined
      }
      const settled = Promise.race(rooms.map((room) => until(room, isSame)))
      const shown = displays.map((display) => display.until(({ messages, changes }) => {
        changes.forEach(({ type }) => kinds.add(type))
        return last.every(({ id }) => messages.some((message) => message.id === id))
      }))
      await Promise.all([settled, ...shown])
      const wanted = digest(await messagesOf(rooms[0]!))
      // Whichever has not shown the last of it yet; one that has, has it in its list.
      const behind = displays.filter((display) => digest(display.list()) !== wanted)
      await Promise.all(behind.map((display) => display.until(({ messages }) => digest(messages) === wanted)))
      await Promise.all(displays.map((display) => display.stop()))
      await Promise.all(peers.map((peer) => peer.close()))
    }),
    { numRuns: 4, endOnFailure: true }
  )
  expect(kinds).toContain('insert')
})

let sent = 0

async function act(room: Room, deed: string): Promise<void> {
  if (deed === 'send') return void (await room.send(`${sent++}`))
  const messages = (await messagesOf(room)).filter(({ kind }) => kind === 'text')
  const message = deed === 'react' ? messages[0] : messages.findLast(({ isOwn }) => isOwn)
  if (message === undefined) return
  if (deed === 'edit') await room.edit(message.id, `${message.text}!`)
  else if (deed === 'delete') await room.delete(message.id)
  // Its author may delete it at the same moment.
  else expect([null, 'MESSAGE_DELETED']).toContain(await codeOf(() => room.react(message.id, '👍')))
}

/** All that is the same on every device. */
function digest(messages: readonly Message[]): string {
  return JSON.stringify(messages.map((message) => ({ ...message, isOwn: false, reactions: message.reactions.map(({ emoji, by }) => [emoji, by]) })))
}

/** Opens each peer on the island that it goes to. */
function travel(peers: readonly TestPeer[], to: readonly number[]): Promise<TestPeer[]> {
  return Promise.all(
    peers.map(async (peer, i) => {
      await peer.close()
      return open(peer.person, islands[to[i]!]!)
    })
  )
}

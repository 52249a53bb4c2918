import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCoveyError } from '@covey/core'
import type { Message, MessageSettled, Room } from '@covey/rooms'
import type { ChannelHost } from '@covey/transport'
import { allOf, messagesOf, open, person, shareRoom, start, until, useLocalNetwork, type Person, type TestPeer } from '../support.js'

const islands = [useLocalNetwork(), useLocalNetwork()]
const [home] = islands

/** What an app shows that reads a room live: in the order in which it was given. */
interface Display {
  readonly given: Message[]
  /** What is on the screen, by id. */
  readonly shown: Map<string, Message>
  readonly settled: MessageSettled[]
}

function watch(room: Room): Display {
  const display: Display = { given: [], shown: new Map(), settled: [] }
  room.on('settle', (settled) => {
    display.settled.push(settled)
    if (settled.state === 'withdrawn') display.shown.delete(settled.id)
  })
  const read = async (): Promise<void> => {
    for await (const message of room.messages({ live: true })) {
      display.given.push(message)
      // Given again only where it was taken away.
      expect(display.shown.has(message.id)).toBe(false)
      display.shown.set(message.id, message)
    }
  }
  // Ends with the room; what fails in it fails the test.
  void read()
  return display
}

test('what is sent is shown at once as pending, here and by who is there, and once', async () => {
  const [alice, bob] = [await start(home!, 'Alice'), await start(home!, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const [atHers, atHis] = [watch(hers), watch(his)]
  // Until both have the lane, the log is as fast.
  let sent = await hers.send('0')
  for (let i = 1; atHis.given.at(-1)?.state !== 'pending' && i < 200; i++) {
    await until(his, async () => (atHis.shown.has(sent.id) ? true : undefined))
    const settled = his.once('settle')
    sent = await hers.send(`${i}`)
    // As it was given, which the log does not change.
    await expect.poll(() => atHers.shown.get(sent.id)?.state, { interval: 1 }).toBe('pending')
    expect((await hers.message(sent.id))?.text).toBe(`${i}`)
    const lost = his.once('update')
    await Promise.race([settled, lost])
  }
  expect(atHis.given.at(-1)?.state).toBe('pending')
  expect(atHis.given.at(-1)?.isOwn).toBe(false)
  await until(his, async () => ((await his.message(sent.id))?.state === 'sent' ? true : undefined))
  const order = (await messagesOf(his)).map(({ id }) => id)
  expect(new Set(order).size).toBe(order.length)
  expect(atHis.given.map(({ id }) => id)).toEqual(order)
  expect(atHers.settled.every(({ state }) => state === 'sent')).toBe(true)
})

test('a message that is pending can be found, read after and read before', async () => {
  const alice = await start(home!)
  const room = await alice.rooms.create({ name: 'Tea' })
  const [first, second] = [await room.send('first'), await room.send('second')]
  expect((await messagesOf(room, { since: first.id })).map(({ text }) => text)).toEqual(['second'])
  const third = await room.send('third')
  expect((await messagesOf(room, { before: third.id })).map(({ id }) => id)).toEqual([first.id, second.id])
})

test('who is muted while a message is on its way learns that it is withdrawn', async () => {
  const [alice, bob] = [await start(home!, 'Alice'), await start(home!, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  await allOf(hers, [(await his.send('before')).text])
  const settled: MessageSettled[] = []
  his.on('settle', (one) => void settled.push(one))
  await hers.mute(bob.identity.identity.id)
  const tries: { id: string; code: string | undefined }[] = []
  for (;;) {
    try {
      tries.push({ id: (await his.send('muted?')).id, code: undefined })
    } catch (error) {
      expect(isCoveyError(error, 'ROOM_FORBIDDEN')).toBe(true)
      break
    }
  }
  const texts = new Set((await messagesOf(his)).map(({ id }) => id))
  // Each is in the room, or was withdrawn: none is both, and none is neither.
  for (const { id } of tries) {
    const states = settled.filter((one) => one.id === id).map(({ state }) => state)
    expect(states).toEqual([texts.has(id) ? 'sent' : 'withdrawn'])
  }
})

const move = fc.record({ island: fc.nat(1), writes: fc.nat(5) })
const rounds = fc.array(fc.tuple(move, move, move), { minLength: 1, maxLength: 2 })

test.for([true, false])('lane %s: all that read live show the same, none doubled and none lost', { timeout: 120_000 }, async (hasLane) => {
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      const people = await Promise.all([person('A'), person('B'), person('C')])
      let peers = await travel(people, [0, 0, 0], hasLane)
      const [{ id }] = (await shareRoom(...peers)) as [Room, ...Room[]]
      const written: string[] = []
      for (const [round, moves] of rounds.entries()) {
        await Promise.all(peers.map((peer) => peer.close()))
        peers = await travel(people, moves.map(({ island }) => island), hasLane)
        for (const { rooms } of peers) watch(rooms.get(id)!)
        await Promise.all(
          moves.flatMap(({ writes }, peer) =>
            Array.from({ length: writes }, async (_, i) => {
              const text = `${round} ${peer} ${i}`
              await peers[peer]!.rooms.get(id)!.send(text)
              written.push(text)
            })
          )
        )
      }
      await Promise.all(peers.map((peer) => peer.close()))
      peers = await travel(people, [0, 0, 0], hasLane)
      const rooms = peers.map((peer) => peer.rooms.get(id)!)
      const displays = rooms.map(watch)
      // While they meet again, they talk on.
      await Promise.all(rooms.map(async (room, peer) => written.push((await room.send(`last ${peer}`)).text)))
      await Promise.all(rooms.map((room) => allOf(room, written)))
      const isSame = async (): Promise<true | undefined> => {
        const orders = await Promise.all(rooms.map(async (room) => (await messagesOf(room)).map((one) => one.id).join()))
        return new Set(orders).size === 1 ? true : undefined
      }
      await Promise.race(rooms.map((room) => until(room, isSame)))
      const ids = (await messagesOf(rooms[0]!)).map((one) => one.id)
      expect(ids.length).toBe(written.length)
      for (const [at, display] of displays.entries()) {
        await until(rooms[at]!, async () => (display.shown.size >= ids.length ? true : undefined))
        expect([...display.shown.keys()].toSorted()).toEqual(ids.toSorted())
      }
      await Promise.all(peers.map((peer) => peer.close()))
    }),
    { numRuns: 3, endOnFailure: true }
  )
})

function travel(people: readonly Person[], to: readonly number[], hasLane: boolean): Promise<TestPeer[]> {
  return Promise.all(people.map((one, i) => open(one, islands[to[i]!]!, hasLane ? (node) => node : withoutLane)))
}

/** A node on which no fast lane ever opens. */
function withoutLane<Host extends ChannelHost>(node: Host): Host {
  const closed = { peers: [], on: () => () => undefined, allow: () => undefined, refuse: () => undefined, messages: async function* () {}, close: async () => undefined }
  const open = node.channel.bind(node)
  const channel: ChannelHost['channel'] = (definition, options) =>
    definition.name.startsWith('covey/lane/') ? (closed as unknown as ReturnType<typeof open<never>>) : open(definition, options)
  return Object.assign(node, { channel })
}

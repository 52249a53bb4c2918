import fc from 'fast-check'
import { expect, test } from 'vitest'
import { open, shareRoom, start, textsOf, until, useLocalNetwork, type TestPeer } from './support.js'
import type { Room } from '@covey/rooms'

const islands = [useLocalNetwork(), useLocalNetwork()]
const [home] = islands

/** What one peer does in a round: where it is, and how many messages it writes there. */
const move = fc.record({ island: fc.nat(1), writes: fc.nat(4) })
const rounds = fc.array(fc.tuple(move, move, move), { minLength: 1, maxLength: 3 })

test('three peers come to one order, however they were parted', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      let peers = await Promise.all([start(home!), start(home!), start(home!)])
      const [{ id }] = (await shareRoom(...peers)) as [Room, ...Room[]]
      const written: string[] = []

      for (const [round, moves] of rounds.entries()) {
        peers = await travel(peers, moves.map(({ island }) => island))
        const sends = moves.flatMap(({ writes }, peer) =>
          Array.from({ length: writes }, async (_, i) => {
            const text = `${round} ${peer} ${i}`
            await peers[peer]!.rooms.get(id)!.send(text)
            written.push(text)
          })
        )
        await Promise.all(sends)
      }

      peers = await travel(peers, [0, 0, 0])
      const orders = await Promise.all(peers.map(({ rooms }) => orderOf(rooms.get(id)!, written.length)))
      const [first] = orders
      expect(first!.toSorted()).toEqual(written.toSorted())
      // All ops are everywhere, so the orders can differ only until the last of them is merged.
      for (const { rooms } of peers) {
        await until(rooms.get(id)!, async () => {
          const texts = await textsOf(rooms.get(id)!)
          const other = await textsOf(peers[0]!.rooms.get(id)!)
          return texts.join() === other.join() ? true : undefined
        })
      }
      for (const peer of [0, 1, 2]) {
        const own = (texts: string[]) => texts.filter((text) => text.split(' ')[1] === `${peer}`)
        expect(own(first!)).toEqual(own(written).toSorted())
      }
      await Promise.all(peers.map((peer) => peer.close()))
    }),
    { numRuns: 4, endOnFailure: true }
  )
})

/** Opens each peer on the island that it goes to. */
function travel(peers: readonly TestPeer[], to: readonly number[]): Promise<TestPeer[]> {
  return Promise.all(
    peers.map(async (peer, i) => {
      await peer.close()
      return open(peer.person, islands[to[i]!]!)
    })
  )
}

/** The texts of a room in its order, once it has that many. */
function orderOf(room: Room, count: number): Promise<string[]> {
  return until(room, async () => {
    const texts = await textsOf(room)
    return texts.length >= count ? texts : undefined
  })
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Room } from '@covey/rooms'
import { allOf, messagesOf, open, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const islands = [useLocalNetwork(), useLocalNetwork()]
const [home] = islands

/** What one peer does in a round: where it is, and how many messages it writes there. */
const move = fc.record({ island: fc.nat(1), writes: fc.nat(4) })
const rounds = fc.array(fc.tuple(move, move, move), { minLength: 1, maxLength: 3 })

test('three peers come to one order, however they were parted', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      let peers: readonly TestPeer[] = await Promise.all([start(home!), start(home!), start(home!)])
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
      const rooms = peers.map(({ rooms }) => rooms.get(id)!)
      const [order] = await Promise.all(rooms.map((room) => allOf(room, written)))
      const texts = order!.map(({ text }) => text)
      expect(texts.toSorted()).toEqual(written.toSorted())
      const isSame = async (): Promise<true | undefined> => {
        const orders = await Promise.all(rooms.map(idsOf))
        return orders.every((order) => order === orders[0]) ? true : undefined
      }
      // Whichever of them is the last to change.
      await Promise.race(rooms.map((room) => until(room, isSame)))
      // The order may be any, but for what one peer wrote.
      for (const peer of [0, 1, 2]) {
        const own = (texts: string[]) => texts.filter((text) => text.split(' ')[1] === `${peer}`)
        expect(own(texts)).toEqual(own(written).toSorted())
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

async function idsOf(room: Room): Promise<string> {
  return (await messagesOf(room)).map(({ id }) => id).join()
}

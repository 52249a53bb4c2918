// A process of its own, because what is tested is that it may be killed at any moment.
import { openIdentity } from '@covey/identity'
import { createRooms } from '@covey/rooms'
import { createNode, openStore, type Network } from '@covey/transport'

const [folder, network, round] = process.argv.slice(2)
const store = await openStore(`${folder!}/store`)
const identity = await openIdentity({ storage: `${folder!}/identity` })
const node = createNode({ identity, store, network: JSON.parse(network!) as Network })
const rooms = await createRooms({ identity, node })
const room = rooms.list()[0] ?? (await rooms.create({ name: 'Tea' }))

for (let i = 0; ; i += 3) {
  // One alone, and two in one commit.
  const texts = [[`${round} ${i}`], [`${round} ${i + 1}`, `${round} ${i + 2}`]]
  for (const together of texts) {
    const sent = await Promise.all(together.map((text) => room.send(text)))
    // Written to a pipe before the call returns, so that a kill takes none of it back.
    for (const { id, text } of sent) console.log(`${id} ${text}`)
  }
}

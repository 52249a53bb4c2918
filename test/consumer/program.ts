// What an app developer would write first. consumer.test.ts compiles and runs it where only the packed
// packages are installed.
import { createPeer, localNetwork } from 'covey'
import { createLocalNetwork } from '@covey/testing'

const net = await createLocalNetwork()
const network = localNetwork(net.bootstrap)
const alice = await createPeer({ name: 'Alice', network })
const bob = await createPeer({ name: 'Bob', network })

const room = await alice.rooms.create({ name: 'Tea' })
const invite: string = await room.createInvite({ expiresInMs: 600_000, uses: 1 })
const joined = await bob.rooms.join(invite, { signal: AbortSignal.timeout(30_000) })
await joined.send('hello')

for await (const message of room.messages({ live: true, signal: AbortSignal.timeout(30_000) })) {
  if (message.text !== 'hello') continue
  console.log(`received ${message.text}`)
  break
}

await bob.close()
await alice.close()
await net.close()

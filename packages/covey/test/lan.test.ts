import { expect, test } from 'vitest'
import { localNetwork } from 'covey'
import { receive, start } from './support.js'

// Nobody listens on this port: there is no DHT, as where there is no internet.
const network = localNetwork([{ host: '127.0.0.1', port: 9 }], { lan: true })

test('two in one network make a room, join it by invite and talk, with nothing else', { timeout: 60_000 }, async () => {
  const [alice, bob] = [await start({ network, name: 'Alice' }), await start({ network, name: 'Bob' })]
  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ expiresInMs: 60_000, uses: 1 })
  const joined = await bob.rooms.join(invite, { signal: AbortSignal.timeout(30_000) })
  await joined.send('hello')
  await room.send('hello yourself')
  expect((await receive(room, 'hello')).authorName).toBe('Bob')
  expect((await receive(joined, 'hello yourself')).authorName).toBe('Alice')
})

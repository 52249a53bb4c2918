import { expect, test } from 'vitest'
import { codeOf, receive, start, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('a person is found by their id, accepts, and both have files and payments in the room too', async () => {
  const [alice, bob] = [await start({ network: net.network, name: 'Alice' }), await start({ network: net.network, name: 'Bob' })]
  const contact = await alice.contacts.add(bob.identity.id, { name: 'Bobby' })
  const asked = bob.once('dm-request')
  const opening = alice.dm(contact, { timeoutMs: 120_000 })
  const request = await asked
  expect(request).toMatchObject({ id: alice.identity.id, name: 'Alice' })
  const ofBob = await bob.directMessages.accept(request.id, { timeoutMs: 120_000 })
  const ofAlice = await opening
  expect(ofBob.id).toBe(ofAlice.id)
  expect((await ofBob.info()).directWith).toBe(alice.identity.id)
  await ofAlice.files.share(new Uint8Array([1, 2, 3]), { name: 'x' })
  await ofAlice.send('hello')
  expect((await receive(ofBob, 'hello')).authorName).toBe('Alice')
})

test('a peer that nobody may ask is made so, and nothing else', async () => {
  expect(await codeOf(() => start({ network: net.network, requestsFrom: 'all' as never }))).toBe('TypeError')
  const alice = await start({ network: net.network, requestsFrom: 'nobody' })
  const bob = await start({ network: net.network })
  expect(await codeOf(() => bob.dm(alice.identity.id, { timeoutMs: 1_000 }))).toBe('JOIN_TIMEOUT')
  expect(alice.directMessages.requests()).toEqual([])
})

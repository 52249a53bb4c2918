import { createLocalNetwork, createTestPeer } from '@covey/testing'
import { expect, onTestFinished, test } from 'vitest'

test('a peer searches all of its rooms, newest first', async () => {
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  await using alice = await createTestPeer({ network, name: 'Alice' })
  await using bob = await createTestPeer({ network, name: 'Bob' })
  expect(await alice.search('tea')).toEqual([])
  const [kitchen, office] = [await alice.rooms.create({ name: 'Kitchen' }), await alice.rooms.create({ name: 'Office' })]
  await kitchen.send('green tea')
  await office.send('black tea')
  await office.send('coffee')
  const theirs = await bob.rooms.join(await kitchen.createInvite())
  const { id } = await theirs.send('Tea, please')
  for await (const message of kitchen.messages({ live: true, pending: false })) if (message.id === id) break
  const found = await alice.search('tea')
  expect(found.map(({ room, message }) => [room.id, message.text])).toEqual([
    [kitchen.id, 'Tea, please'],
    [office.id, 'black tea'],
    [kitchen.id, 'green tea']
  ])
  expect(found[0]!.room).toBe(kitchen)
  expect(await alice.search('tea', { limit: 1 })).toHaveLength(1)
  expect((await alice.search('tea', { from: bob.identity.id })).map(({ message }) => message.text)).toEqual(['Tea, please'])
  await expect(alice.search('tea', { before: id } as never)).rejects.toThrow(TypeError)
  await expect(alice.search('tea', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  await expect(alice.search('')).rejects.toThrow(TypeError)
})

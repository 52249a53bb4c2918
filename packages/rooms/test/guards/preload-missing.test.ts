import { expect, test } from 'vitest'
import type { Room } from '@covey/rooms'
import type { UpstreamAutobase } from '../../src/internal/guards/autobase-internals.js'
import { partsOfRooms } from '../../src/internal/rooms-parts.js'
import { allOf, shareRoom, start, useLocalNetwork } from '../support.js'

const net = useLocalNetwork()

// Again where the machine is so busy that she has signed far more than he has read: without the guard it fails each time.
test('who reads what others write downloads little of the view, which it writes itself', { timeout: 90_000, retry: 4 }, async () => {
  const [alice, bob] = [await start(net, 'Alice'), await start(net, 'Bob')]
  const [hers, his] = (await shareRoom(alice, bob)) as [Room, Room]
  const { base } = partsOfRooms(bob.rooms).open.get(his.id)!
  const { core } = (base as unknown as UpstreamAutobase<unknown>)._viewStore.byName.get('view')!
  // What was there when he came, he does download.
  await expect.poll(() => core.length > 0 && core.contiguousLength === core.length, { timeout: 20_000 }).toBe(true)
  let downloaded = 0
  core.on('download', () => downloaded++)
  const before = core.length
  const texts = Array.from({ length: 2_000 }, (_, i) => `message ${i}`)
  await Promise.all(texts.map((text) => hers.send(text)))
  await allOf(his, texts)
  // She has signed it, and he has it all.
  await expect.poll(() => core.length, { timeout: 20_000 }).toBeGreaterThan(before + 2_000)
  await expect.poll(() => core.contiguousLength === core.length, { timeout: 20_000 }).toBe(true)
  // What she has signed before he has read it, he may fetch. Without the guard it is a block a message, or nearly so.
  expect(downloaded).toBeLessThan(texts.length / 2)
})

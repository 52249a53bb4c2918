import { expect, test } from 'vitest'
import type { Message, RoomEvents } from '@covey/rooms'
import { partsOfRooms } from '../src/internal/rooms-parts.js'
import { codeOf, start, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

/** A room, and what stands before each write of what is durable and not in its log yet. */
async function scene(write: () => Promise<unknown>) {
  const { rooms } = await start(net)
  const room = await rooms.create({ name: 'Tea' })
  await room.send('first')
  const core = partsOfRooms(rooms).open.get(room.id)!.base.local
  const set = core.setUserData.bind(core)
  core.setUserData = async (...args) => {
    await write()
    return set(...args)
  }
  const messages = room.messages({ live: true, limit: 1 })[Symbol.asyncIterator]()
  await messages.next()
  return { room, next: async () => (await messages.next()).value as Message, open: () => (core.setUserData = set) }
}

test('a message is shown at once, and sent when it is on the disk', async () => {
  let write = (): void => undefined
  const { room, next } = await scene(() => new Promise<void>((resolve) => (write = resolve)))
  let isSent = false
  const sending = room.send('hello').finally(() => (isSent = true))
  const shown = await next()
  expect([shown.text, shown.state, isSent]).toEqual(['hello', 'pending', false])
  write()
  expect((await sending).id).toBe(shown.id)
})

test('a message that the disk does not take is taken back', async () => {
  let fail: (error: Error) => void = () => undefined
  const { room, next, open } = await scene(() => new Promise((_, reject) => (fail = reject)))
  const settled: RoomEvents['settle'][] = []
  room.on('settle', (event) => void settled.push(event))
  const sending = codeOf(() => room.send('lost'))
  const shown = await next()
  expect(shown.text).toBe('lost')
  fail(new Error('full'))
  expect(await sending).toBe('ROOM_STORAGE_FAILED')
  expect(settled).toEqual([{ id: shown.id, state: 'withdrawn' }])
  open()
  await room.send('second')
  expect((await next()).text).toBe('second')
  expect(await textsOf(room)).toEqual(['first', 'second'])
})

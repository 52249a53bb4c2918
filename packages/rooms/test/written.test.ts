import Autobase from 'autobase'
import { expect, onTestFinished, test, vi } from 'vitest'
import { coresOf } from '@covey/rooms/internal'
import { start, textsOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('what a device has written is all that was told as sent, also where the log did not take it at once', async () => {
  const room = await (await start(net)).rooms.create({ name: 'Tea' })
  const before = await coresOf(room).written()
  const append = vi.spyOn(Autobase.prototype, 'append')
  onTestFinished(() => append.mockRestore())
  append.mockRejectedValueOnce(new Error('The disk is full.'))
  await room.send('kept')
  expect(await coresOf(room).written()).toBe(before + 1)
  expect(await textsOf(room, { pending: false })).toEqual(['kept'])

  append.mockRejectedValue(new Error('The disk is full.'))
  await room.send('kept as well')
  await expect(coresOf(room).written()).rejects.toMatchObject({ code: 'ROOM_STORAGE_FAILED' })
})

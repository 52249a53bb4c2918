import { expect, test } from 'vitest'
import { foundBy, memberOf, startDevice } from './support-apply.js'
import { useLocalNetwork } from './support.js'

const net = useLocalNetwork()

/** What is written of a core of another device, in hypercore 11.37.1. */
interface CoreState {
  flush(): Promise<boolean>
  _clearActiveBatch(): void
  readonly storage: { write(): { flush(): Promise<void> } }
}

/** As rocksdb-native says it when a disk is full. */
const notWritten = (): Promise<never> => Promise.reject(new Error('Batch was not applied'))

test.for<[string, (state: CoreState) => void]>([
  [
    'a block that has arrived',
    (state) => {
      state.flush = () => {
        state._clearActiveBatch()
        return notWritten()
      }
    }
  ],
  [
    'how much there is elsewhere',
    ({ storage }) => {
      const write = storage.write.bind(storage)
      storage.write = () => Object.assign(write(), { flush: notWritten })
    }
  ]
])('a room whose disk does not take %s says so, and ends', async ([, fail]) => {
  const owner = await foundBy(await startDevice(net))
  const member = await memberOf(owner, await startDevice(net))
  await owner.room.send('taken')
  await member.until(async () => (await member.room.messages()[Symbol.asyncIterator]().next()).value)
  const { core } = [...member.base.activeWriters].find(({ core: { key } }) => Buffer.from(key!).equals(owner.base.local.key))!
  fail((core as unknown as { core: { state: CoreState } }).core.state)
  const failing = member.room.once('error')
  await owner.room.send('not taken')
  expect(await failing).toMatchObject({ code: 'ROOM_STORAGE_FAILED' })
  await expect(member.room.send('and none of mine')).rejects.toMatchObject({ code: 'ROOM_STORAGE_FAILED' })
})

import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { foundBy, startDevice } from '../support-apply.js'
import { codeOf, useLocalNetwork } from '../support.js'

const net = useLocalNetwork()

/** A room whose own writer can append nothing, as while what it wrote before waits for what it builds on. */
async function stuckRoom() {
  const { room, base, log } = await foundBy(await startDevice(net))
  const { localWriter } = base as unknown as { readonly localWriter: { idle(): boolean } }
  const idle = localWriter.idle.bind(localWriter)
  let tries = 0
  let isStuck = true
  localWriter.idle = () => {
    tries++
    return !isStuck && idle()
  }
  return { room, log, tries: () => tries, free: () => (isStuck = false) }
}

test('while an append has to wait the process goes on, and it is made when it can be', async () => {
  const { room, log, tries, free } = await stuckRoom()
  const renaming = room.rename('Coffee')
  await expect.poll(tries).toBeGreaterThan(40)
  const before = tries()
  await pause(100)
  expect(tries() - before).toBeLessThan(60)
  free()
  await renaming
  expect((await room.info()).name).toBe('Coffee')
  await log.settled()
})

test('a room in which an append waits can be closed', async () => {
  const { room, tries } = await stuckRoom()
  const renaming = codeOf(() => room.rename('Coffee'))
  await expect.poll(tries).toBeGreaterThan(40)
  await room.close()
  expect(await renaming).toBe('ROOM_CLOSED')
})

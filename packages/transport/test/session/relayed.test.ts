import { expect, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import type { Relays } from '../../src/internal/relay/relays.js'
import { connect, createSide } from './pair.js'

/** Relays that lead nowhere, and what they were asked for. */
function createRelays() {
  const asked = { hops: [] as boolean[], network: 0 }
  const relays = {
    isNone: false,
    borrow: () => undefined,
    tick: () => undefined,
    suspend: () => undefined,
    close: () => undefined,
    onnetwork: () => void asked.network++,
    hops(isUrgent: boolean) {
      asked.hops.push(isUrgent)
      return []
    }
  }
  return { asked, relays: relays as unknown as Relays }
}

test('a peer that sleeps is asked for at relays as one that nobody waits for', async () => {
  const { asked, relays } = createRelays()
  const [side, sleeper] = [createSide(60, 8, relays), createSide(61)]
  side.sessions.want(sleeper.keyPair.publicKey)
  await connect(side, sleeper)
  while (side.opened.length === 0) await turn()
  const state = side.sessions.get(encodeZ32(sleeper.keyPair.publicKey))!
  await sleeper.sessions.suspend()
  while (state.path !== 'offline') await turn()
  asked.hops.length = 0
  state.tick(Date.now())
  expect(asked.hops).toEqual([false])
  state.session!.isPeerAsleep = false
  state.tick(Date.now())
  expect(asked.hops).toEqual([false, true])
})

test('while it is suspended no relay is asked, whatever other parts find or the network does', async () => {
  const { asked, relays } = createRelays()
  const side = createSide(62, 8, relays)
  const found = createSide(63).keyPair.publicKey
  await side.sessions.suspend()
  side.sessions.meet(found)
  side.network.emit('network-update')
  expect([asked, side.sessions.get(encodeZ32(found))]).toEqual([{ hops: [], network: 0 }, undefined])
  side.sessions.resume()
  side.sessions.meet(found)
  side.network.emit('network-update')
  expect([asked.hops.length > 0, asked.network]).toEqual([true, 1])
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

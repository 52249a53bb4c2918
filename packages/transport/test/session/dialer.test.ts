import { setImmediate } from 'node:timers/promises'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import type HyperDHT from 'hyperdht'
import { expect, onTestFinished, test, vi } from 'vitest'
import { EarlyNonces } from '../../src/internal/session/early-nonces.js'
import { Dialer } from '../../src/internal/session/dialer.js'
import { steadyNow } from '../../src/internal/steady-clock.js'

/** A dialer whose dials fail with a code of the DHT, which says how many random punches go on. */
function createDialer() {
  const dht = {
    _randomPunchLimit: 1,
    _randomPunches: 1,
    _randomPunchInterval: 1_000,
    _lastRandomPunch: 0,
    code: 'HOLEPUNCH_ABORTED',
    dials: 0,
    isLocal: [] as boolean[],
    connect(_: unknown, { localConnection }: { localConnection: boolean }) {
      dht.dials++
      dht.isLocal.push(localConnection)
      const stream = new NoiseSecretStream(true, null, { autoStart: false })
      stream.destroy(Object.assign(new Error('No way.'), { code: dht.code }))
      return stream
    }
  }
  const keyPair = NoiseSecretStream.keyPair()
  const { publicKey } = NoiseSecretStream.keyPair()
  const dialer = new Dialer({ dht: dht as unknown as HyperDHT, keyPair, publicKey, earlyNonces: new EarlyNonces(() => null), onopen: () => undefined, onfail: () => undefined })
  const startedAt = Date.now()
  let at = 0
  vi.useFakeTimers({ toFake: ['Date'], now: startedAt })
  onTestFinished(() => void vi.useRealTimers())
  return {
    dht,
    dialer,
    /** How many dials there were until so long after the start. */
    async tickUntil(ms: number): Promise<number> {
      for (; at <= ms; at += 250) {
        vi.setSystemTime(startedAt + at)
        dialer.tick(false, steadyNow())
        await setImmediate()
      }
      return dht.dials
    }
  }
}

test('who waits for a turn to punch is dialled when there is one, and at once', async () => {
  const { dht, tickUntil } = createDialer()
  expect(await tickUntil(60_000)).toBe(1)
  dht._randomPunches = 0
  dht._lastRandomPunch = Date.now()
  expect(await tickUntil(60_750)).toBe(1)
  expect(await tickUntil(61_000)).toBe(2)
})

test('every other dial goes without the local network, and the first after a change does not', async () => {
  const { dht, dialer, tickUntil } = createDialer()
  dht.code = 'PEER_NOT_FOUND'
  await tickUntil(750)
  dialer.reset()
  await tickUntil(1_000)
  expect(dht.isLocal).toEqual([true, false, true, true])
})

test('a dial that fails otherwise is made again after pauses that grow', async () => {
  const { dht, tickUntil } = createDialer()
  dht.code = 'PEER_NOT_FOUND'
  // 0, 250, 750, 1,750, 3,750, 7,750 ms.
  expect(await tickUntil(8_000)).toBe(6)
})

test('a turn to punch comes also where the clock was set back since the last', async () => {
  const { dht, tickUntil } = createDialer()
  expect(await tickUntil(750)).toBe(1)
  dht._randomPunches = 0
  dht._lastRandomPunch = Date.now() + 3_600_000
  expect(await tickUntil(1_000)).toBe(2)
})

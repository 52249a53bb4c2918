import type HyperDHT from 'hyperdht'
import { expect, test } from 'vitest'
import { diagnose } from '../src/internal/diagnose.js'
import type { RelayMeasure, Relays } from '../src/internal/relay/relays.js'

const HOUR = 3_600_000

/** How a device is heard: a port for each node that was asked, or null where none answers. */
function heard(...ports: (number | null)[]): HyperDHT {
  const nodes = ports.map((_, i) => ({ host: '192.0.2.1', port: i }))
  return {
    fullyBootstrapped: async () => undefined,
    toArray: () => nodes,
    bootstrapNodes: [],
    localAddress: () => ({ host: '10.0.0.2', port: 1 }),
    async ping({ port }: { port: number }) {
      if (ports[port] === null) throw new Error('REQUEST_TIMEOUT')
      return { to: { host: '198.51.100.7', port: ports[port]! } }
    }
  } as unknown as HyperDHT
}

function relays(...measures: Partial<RelayMeasure>[]): Relays {
  const none: RelayMeasure = { id: 'y', isReachable: true, roundTripMs: 1, clockAheadMs: 0 }
  return { measure: async () => measures.map((measure) => ({ ...none, ...measure })) } as unknown as Relays
}

test.each([
  [[1, 1, null], 'consistent', 2, /^Peers can be reached directly\.$/],
  [[1, 2], 'random', 2, /another port for each destination.* not at all, as long as there is no relay\.$/],
  [[1, null], 'unknown', 1, /^UDP works, but too little answers/],
  [[null, null], 'unknown', 0, /^Nothing answers/],
  [[], 'unknown', 0, /^Nothing answers/]
])('heard at %j: %s', async (ports, nat, answered, summary) => {
  const found = await diagnose(heard(...ports), relays(), undefined)
  expect(found).toMatchObject({ nat, udp: { asked: ports.length, answered } })
  expect(found.summary).toMatch(summary)
})

test('of several clocks the middle one is believed, and a wrong one is told of', async () => {
  const found = await diagnose(heard(1, 1), relays({ clockAheadMs: 9 * HOUR }, { clockAheadMs: HOUR }, { clockAheadMs: HOUR - 5 }), undefined)
  expect(found.clockAheadMs).toBe(HOUR)
  expect(found.summary).toMatch(/clock of this device is 60 min fast/)
})

test('with a relay, a random NAT is no hindrance', async () => {
  const { summary } = await diagnose(heard(1, 2), relays({}, { isReachable: false, clockAheadMs: null }), undefined)
  expect(summary).toMatch(/through a relay, at once\. 1 of 2 relays do not answer\.$/)
})

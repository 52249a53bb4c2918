import type HyperDHT from 'hyperdht'

/** hyperdht 6.32.0, index.js */
interface Upstream {
  _randomPunchLimit: number
  readonly _randomPunches: number
  readonly _randomPunchInterval: number
  /** By the clock. */
  _lastRandomPunch: number
}

/**
 * How many punches through random ports go on at a time. Each is 256 sockets for 5 s on average, so with the one of the
 * stack a device behind such a NAT needs 20 s for four peers, where all goes well.
 */
const MAX_RANDOM_PUNCHES = 2

/** A punch that is made is given up after 35 s. One that may not be made now ends after some round trips. */
const TURNED_AWAY_MS = 10_000

export function allowPunches(dht: HyperDHT): void {
  ;(dht as unknown as Upstream)._randomPunchLimit = MAX_RANDOM_PUNCHES
}

/** Whether a punch through random ports may begin. */
export function hasTurn(dht: HyperDHT): boolean {
  const upstream = dht as unknown as Upstream
  // The clock was set back, and upstream would wait until it is what it was.
  if (upstream._lastRandomPunch > Date.now()) upstream._lastRandomPunch = 0
  const { _randomPunchLimit, _randomPunches, _randomPunchInterval, _lastRandomPunch } = upstream
  return _randomPunches < _randomPunchLimit && Date.now() - _lastRandomPunch >= _randomPunchInterval
}

/** Whether a dial failed because others were at it, which says nothing about the peer. */
export function isOutOfTurn(cause: Error | undefined, tookMs: number): boolean {
  return (cause as { code?: string } | undefined)?.code === 'HOLEPUNCH_ABORTED' && tookMs < TURNED_AWAY_MS
}

/** The devices that are there and have a room, open or asleep; each may be met in several ways, and is there by any. */
export interface Attendance {
  met(peer: string): void
  lost(peer: string): void
  isHere(peer: string): boolean
  /** For how long a device has been there without a break, as this one has seen it; 0 for one that is not. */
  hereMs(peer: string): number
  /** For how long it has been away; 0 for one that is there. */
  awayMs(peer: string): number
  /** For how long this device looks. */
  lookedMs(): number
  /** This device slept: what was not seen counts for nobody. */
  passOver(ms: number): void
  /** Calls back when somebody has come or gone. */
  onchange(listener: () => void): () => void
}

/** Who knows a room's key can come by any number of names: of those that have gone, the last are remembered. */
const MAX_GONE = 1_024

/**
 * It outlives the times in which the room is open, and in which it sleeps. How long others are away is counted while this
 * device runs and meets anybody.
 */
export function createAttendance(now: () => number = Date.now): Attendance {
  let startedAt = now()
  /** Since when nobody else has been there. */
  let aloneSince: number | undefined = startedAt
  const here = new Map<string, { since: number; ways: number }>()
  const gone = new Map<string, number>()
  const listeners = new Set<() => void>()
  const changed = (): void => listeners.forEach((listener) => listener())

  function passOver(ms: number): void {
    startedAt += ms
    for (const each of here.values()) each.since = Math.min(each.since + ms, now())
    for (const [peer, at] of gone) gone.set(peer, Math.min(at + ms, now()))
  }

  return {
    met(peer) {
      const known = here.get(peer)
      if (known !== undefined) return void known.ways++
      if (aloneSince !== undefined) passOver(now() - aloneSince)
      aloneSince = undefined
      here.set(peer, { since: now(), ways: 1 })
      gone.delete(peer)
      changed()
    },
    lost(peer) {
      const known = here.get(peer)
      if (known === undefined || --known.ways > 0) return
      here.delete(peer)
      gone.set(peer, now())
      if (here.size === 0) aloneSince = now()
      if (gone.size > MAX_GONE) gone.delete(gone.keys().next().value!)
      changed()
    },
    isHere: (peer) => here.has(peer),
    hereMs: (peer) => now() - (here.get(peer)?.since ?? now()),
    awayMs: (peer) => (here.has(peer) ? 0 : Math.max(1, now() - (gone.get(peer) ?? startedAt))),
    lookedMs: () => now() - startedAt,
    passOver,
    onchange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
}

/** What the suites of the laboratory answer; of each, what is shown or judged. Times are in milliseconds. */
export type Matrix = Record<string, Record<string, Cell>>

export interface Cell {
  /** How many of `n` attempts connected. */
  readonly ok: number
  readonly n: number
  /** The median time to the first byte; null when none connected. */
  readonly ms: number | null
  readonly kinds: readonly string[]
  readonly hows: readonly string[]
}

export interface LanRow {
  readonly key: string
  readonly ok: number
  readonly n: number
  readonly ms: number | null
  readonly kinds: readonly string[]
}

/** Two devices behind one NAT that has no uplink. */
export interface AloneRow {
  readonly key: string
  readonly ok: number
  readonly n: number
  /** From when both have started to the first byte; null where they were connected before, or never. */
  readonly ms: number | null
  readonly kinds: readonly string[]
  /** The longest that no answer came after the cut, where they were connected before. */
  readonly gapMs: number | null
}

export interface FaultRow {
  readonly key: string
  readonly pair: string
  readonly ok: number
  readonly n: number
  /** On the stream that there was before. */
  readonly same: number
  readonly afterMs: number | null
  readonly maxAfterMs: number | null
}

export interface RaceRow {
  readonly delta: number
  readonly extra: object
  readonly n: number
  readonly ok: number
  readonly ms: number | null
  readonly runs: readonly (number | null)[]
}

export interface FanoutRow {
  readonly peer: string
  readonly variant: string
  readonly times: readonly (number | null)[]
  readonly direct: readonly (number | null)[]
}

export interface ThroughputRow {
  readonly peer: string
  readonly rtt: number
  readonly loss: number
  readonly pair: string
  readonly path?: string
  readonly MBs?: number
  readonly rxCpuMsPerMB?: number
  readonly txCpuMsPerMB?: number
}

export interface Results {
  matrix?: Matrix
  lan?: readonly LanRow[]
  alone?: readonly AloneRow[]
  faults?: readonly FaultRow[]
  race?: Readonly<Record<string, readonly RaceRow[]>>
  fanout?: readonly FanoutRow[]
  throughput?: readonly ThroughputRow[]
}

import type { Role } from '../roles.js'

/** A device that may index. */
export interface Candidate {
  /** The id of the device. */
  readonly id: string
  readonly person: string
  readonly role: Role
  /** For how long it has been there without a break, as this device has seen it; 0 for one that is not. */
  readonly hereMs: number
  /** For how long it has been away; 0 for one that is there. */
  readonly awayMs: number
}

export interface IndexerPlan {
  /** The devices that index, in the order in which they were named. */
  readonly present: readonly string[]
  readonly candidates: readonly Candidate[]
  /** What the person of this device may do. */
  readonly role: Role
}

/** How long a device has to have been there to be thought of as one that mostly is. */
export const STEADY_MS = 600_000

/** How long an indexer sleeps until another takes its place: a change costs everybody the view once more. */
export const SLEPT_MS = 86_400_000

/**
 * Which devices should index, where that is others than now: three that are there, as soon as there are so many, and in
 * place of one that sleeps long another. Never two, and nothing that the present quorum could not sign.
 */
export function planIndexers({ present, candidates, role }: IndexerPlan): string[] | undefined {
  const known = present.map((id) => candidates.find((candidate) => candidate.id === id))
  // One that is not known here is not judged either.
  if (!known.every((candidate) => candidate !== undefined)) return undefined
  const awake = known.filter(({ awayMs }) => awayMs === 0)
  if (awake.length < Math.floor(present.length / 2) + 1) return undefined
  const kept = known.filter((one) => one.awayMs < SLEPT_MS || (one.role === 'owner' && role !== 'owner'))
  if (kept.length === 3) return undefined
  const chosen = [...kept]
  const steady = candidates.filter(({ id, hereMs }) => hereMs >= STEADY_MS && !present.includes(id))
  for (const candidate of steady.toSorted(byStanding)) {
    if (chosen.length === 3) break
    const isAnother = candidate.role === 'owner' || chosen.every(({ person }) => person !== candidate.person)
    if (isAnother) chosen.push(candidate)
  }
  return chosen.length === 3 ? chosen.toSorted(byRole).map(({ id }) => id) : undefined
}

/** The owner's first, which goes on alone where that has to be. */
function byRole(a: Candidate, b: Candidate): number {
  return Number(b.role === 'owner') - Number(a.role === 'owner')
}

function byStanding(a: Candidate, b: Candidate): number {
  return byRole(a, b) || b.hereMs - a.hereMs || (a.id < b.id ? -1 : 1)
}

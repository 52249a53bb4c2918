import { encodeZ32 } from '@covey/core'
import { isAtLeast, roleOf } from '../roles.js'
import type { Attendance } from './attendance.js'
import { indexersIn, mayName } from './authority/indexers.js'
import { hasVoice } from './authority/voices.js'
import { planIndexers, STEADY_MS, type Candidate } from './plan-indexers.js'
import type { Roster } from './roster.js'
import type { RoomView } from './view.js'

/** Many see the same; each waits its turn, so that mostly one says it. */
const MAX_WAIT_MS = 60_000

/** A timer that is later than that has slept with its device. */
const MAX_LATE_MS = 60_000

/** Up to which length of the view, in blocks, indexers are changed without being asked: each device copies it then. */
const MAX_MOVED_BLOCKS = 32_768

export interface IndexerKeeperInit {
  /** The id of this device. */
  readonly self: string
  /** The key of its identity. */
  readonly identity: Uint8Array
  readonly view: RoomView
  readonly roster: Roster
  /** Names devices, by id. */
  readonly name: (devices: readonly string[]) => Promise<void>
  /** A device whose room is asleep is there: news wake it, and it signs. */
  readonly attendance: Attendance
  readonly onerror: (error: unknown) => void
}

/** Sees to it that a room has three indexers that are there, where its admins have so many devices. */
export interface IndexerKeeper {
  close(): void
}

interface KnownCandidate extends Candidate {
  readonly writer: Uint8Array
}

/**
 * Looks every ten minutes or so, until it is closed; on devices of admins alone there is anything to see. How long others
 * are away is counted while this device runs and meets anybody: its own sleep is not theirs.
 */
export function createIndexerKeeper({ self, identity, view, roster, name, attendance, onerror }: IndexerKeeperInit): IndexerKeeper {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  function schedule(): void {
    if (isClosed) return
    const waitMs = STEADY_MS + Math.random() * MAX_WAIT_MS
    const due = Date.now() + waitMs
    timer = setTimeout(() => {
      if (Date.now() - due > MAX_LATE_MS) attendance.passOver(Date.now() - due)
      look().catch(onerror).finally(schedule)
    }, waitMs)
    // To look after the indexers is no reason for a process to go on.
    ;(timer as { unref?: () => void }).unref?.()
  }

  async function look(): Promise<void> {
    const own = await view.member(identity)
    const role = own === null || own.muted ? undefined : roleOf(own.role)
    if (role === undefined || !isAtLeast(role, 'admin') || view.db.core.length > MAX_MOVED_BLOCKS) return
    // A direct room has two people.
    if ((await view.room())?.peer) return
    const present = await Promise.all((await indexersIn(view)).map(async (writer) => (await view.device(writer))!.device))
    const known = await candidates()
    const next = planIndexers({ present: present.map(encodeZ32), candidates: known, role })
    const writers = next?.map((id) => known.find((candidate) => candidate.id === id)!.writer) ?? []
    if (next !== undefined && !isClosed && (await mayName(view, { identity, role }, writers))) await name(next)
  }

  async function candidates(): Promise<KnownCandidate[]> {
    const found: KnownCandidate[] = []
    for (const row of (await roster.devices()).values()) {
      const role = hasVoice(row) ? roleOf((await view.member(row.identity))?.role ?? 0) : undefined
      if (role === undefined || !isAtLeast(role, 'admin') || (await view.writer(row.writer)) === null) continue
      const id = encodeZ32(row.device)
      const seen = id === self ? { hereMs: attendance.lookedMs(), awayMs: 0 } : { hereMs: attendance.hereMs(id), awayMs: attendance.awayMs(id) }
      found.push({ id, writer: row.writer, person: encodeZ32(row.identity), role, ...seen })
    }
    return found
  }

  schedule()
  return {
    close() {
      isClosed = true
      clearTimeout(timer)
    }
  }
}

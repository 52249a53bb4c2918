import type { EventEmitter } from '@covey/core'
import type { RoomEvents } from '../room.js'
import type { ForkReports } from './fork-reports.js'
import { frozenError, splitError } from './guards/frozen-error.js'
import type { BaseGuard } from './guards/guarded-base.js'
import type { HealthWatch } from './room-health.js'

export interface GuardedInit {
  readonly events: EventEmitter<RoomEvents>
  readonly forks: ForkReports
  readonly health: HealthWatch
  /** Told of the key of a writer that writes too much. */
  readonly onflood: (writer: Uint8Array) => void
}

/** Tells a room of what the guards of its base find. */
export function tellGuarded({ events, forks, health, onflood }: GuardedInit): BaseGuard {
  return {
    onfrozen(frozen) {
      health.frozen(frozen)
      void events.emit('error', frozenError(frozen))
    },
    onflood: ({ key }) => onflood(key),
    onfork: forks.report,
    onsplit(split) {
      health.split()
      void events.emit('error', splitError(split))
    }
  }
}

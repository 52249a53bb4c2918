import { mapKey } from './map-key.js'
import type { Equivocation } from './equivocation.js'
import type { OpLog } from './op-log.js'
import { encodeStruct } from './structs.js'
import type { RoomView } from './view.js'

/** Brings before the room that a writer signed two pasts. */
export interface ForkReports {
  report(proof: Equivocation): void
  /** To be called once, when the room is open. */
  start(room: OpenParts): void
  /** Whether something is to be brought, unless others do before. */
  isWaiting(): boolean
  close(): void
}

interface OpenParts {
  readonly view: RoomView
  readonly log: OpLog
  /** Whether this device may write. */
  readonly isAdmitted: () => Promise<boolean>
  readonly onerror: (error: unknown) => void
}

/** Many find it at the same time; each waits its turn, so that mostly one brings it. */
const MAX_WAIT_MS = 3_000

export function createForkReports(): ForkReports {
  const proofs = new Map<string, Equivocation>()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  let room: OpenParts | undefined
  let closed = false

  function schedule(proof: Equivocation): void {
    if (room === undefined || closed) return
    const { onerror } = room
    const timer = setTimeout(() => {
      bring(room!, proof)
        .catch(onerror)
        .finally(() => timers.delete(timer))
    }, Math.random() * MAX_WAIT_MS)
    timers.add(timer)
  }

  return {
    report(proof) {
      const name = mapKey(proof.writer)
      if (proofs.has(name)) return
      proofs.set(name, proof)
      schedule(proof)
    },
    start(parts) {
      room = parts
      for (const proof of proofs.values()) schedule(proof)
    },
    isWaiting: () => timers.size > 0,
    close() {
      closed = true
      for (const timer of timers) clearTimeout(timer)
    }
  }
}

async function bring({ view, log, isAdmitted }: OpenParts, proof: Equivocation): Promise<void> {
  const device = await view.device(proof.writer)
  if (device === null || device.forked || !(await isAdmitted())) return
  await log.append([{ type: 'equivocation', payload: encodeStruct('equivocation', proof) }])
  // Its device is removed: a new key at once, and not with the next message.
  await log.append([], { underEpoch: true })
}

import type Hyperswarm from 'hyperswarm'
import { joinSwarm } from './internal/suspend-swarm.js'
import { lookUp } from './internal/swarm.js'

/** A place where peers who know the same 32 bytes meet. */
export interface Topic {
  /** Resolves when this device is announced and those who were there before have been looked up. */
  flushed(): Promise<void>
  /** Stops announcing and looking. Connections that were made stay. Idempotent. */
  close(): Promise<void>
}

/**
 * When to look again after announcing. Two peers who join at the same moment each look before the other
 * has announced, and would meet only at the next refresh, ten minutes later.
 */
const LOOKS_MS = [50, 500, 2_000]

export function joinTopic(
  swarm: Hyperswarm,
  topic: Uint8Array,
  { onclose, onerror }: { onclose: () => void; onerror: (error: Error) => void }
): Topic {
  const session = joinSwarm(swarm, topic, { server: true, client: true })
  const timers: ReturnType<typeof setTimeout>[] = []
  let closing: Promise<void> | undefined
  const isClosed = (): boolean => closing !== undefined
  const ondone = (error: Error): void => {
    if (!isClosed()) onerror(error)
  }
  const look = (): void => void lookUp(swarm, topic, isClosed).catch(ondone)

  // Who announces looks too, but a device that has just started is announced itself before.
  if (swarm.server.relayAddresses.length === 0) look()
  const announced = session.flushed().then(() => {
    if (!isClosed()) timers.push(...LOOKS_MS.map((delayMs) => setTimeout(look, delayMs)))
  })
  announced.catch(ondone)

  return {
    async flushed() {
      await announced
      await swarm.flush()
    },
    close() {
      return (closing ??= (async () => {
        for (const timer of timers) clearTimeout(timer)
        await session.destroy()
        onclose()
      })())
    }
  }
}

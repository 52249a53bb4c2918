import type Hyperswarm from 'hyperswarm'

/** A place where peers who know the same 32 bytes meet. */
export interface Topic {
  /** Resolves when this device is announced and those who were there before have been looked up. */
  flushed(): Promise<void>
  /** Stops announcing and looking. Connections that were made stay. Idempotent. */
  close(): Promise<void>
}

/**
 * How long after announcing to look once more. Two peers who join at the same moment each look
 * before the other has announced, and would meet only at the next refresh, ten minutes later.
 */
const SECOND_LOOK_MS = 1_000

export function joinTopic(
  swarm: Hyperswarm,
  topic: Uint8Array,
  { onclose, onerror }: { onclose: () => void; onerror: (error: Error) => void }
): Topic {
  const session = swarm.join(topic, { server: true, client: true })
  let timer: ReturnType<typeof setTimeout> | undefined
  let closing: Promise<void> | undefined

  const announced = session.flushed().then(() => {
    if (closing !== undefined) return
    timer = setTimeout(() => {
      if (closing === undefined) session.refresh({ server: true, client: true }).catch(onerror)
    }, SECOND_LOOK_MS)
  })
  announced.catch((error: Error) => {
    if (closing === undefined) onerror(error)
  })

  return {
    async flushed() {
      await announced
      await swarm.flush()
    },
    close() {
      return (closing ??= (async () => {
        clearTimeout(timer)
        await session.destroy()
        onclose()
      })())
    }
  }
}

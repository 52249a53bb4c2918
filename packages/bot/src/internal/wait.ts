import { onAbort } from '@covey/core'

/** What is tried again after; twice as long each time, up to the last. */
const RETRY_MS = 250
const MAX_RETRY_MS = 30_000

/** Resolves when it is time to try again what has failed so often in a row, or `signal` is aborted. */
export function waitToRetry(failures: number, signal: AbortSignal): Promise<void> {
  return wait(Math.min(RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS), signal).catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
}

/** Resolves after a while; rejects with the signal's reason. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stopListening()
      resolve()
    }, ms)
    const stopListening = onAbort(signal, (reason) => {
      clearTimeout(timer)
      reject(reason)
    })
  })
}

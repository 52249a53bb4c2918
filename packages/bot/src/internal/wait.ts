import { onAbort } from '@covey/core'

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

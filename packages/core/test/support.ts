import { CoreError, isCoveyError, type CoreErrorCode } from '@covey/core'
import { expect } from 'vitest'

/** The error that `run` throws; fails the test when it throws nothing. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return expect.fail('nothing was thrown')
}

/** The code of the `CoreError` that `run` throws. Anything else fails the test. */
export function codeThrownBy(run: () => unknown): CoreErrorCode {
  const error = thrownBy(run)
  if (!(error instanceof CoreError) || !isCoveyError(error)) throw error
  return error.code
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Lets everything run that is already due. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A promise and the means to settle it from outside. */
export function deferred<Value>() {
  let resolve!: (value: Value) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Value>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** A real signal that tells how many listeners it has. */
export function countingSignal() {
  const controller = new AbortController()
  const { signal } = controller
  const listeners = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (type: string, listener: never, options?: never) => {
    listeners.add(listener)
    add(type as 'abort', listener, options)
  }
  signal.removeEventListener = (type: string, listener: never, options?: never) => {
    listeners.delete(listener)
    remove(type as 'abort', listener, options)
  }
  return { controller, signal, listenerCount: () => listeners.size }
}

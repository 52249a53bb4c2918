import { onAbort, raceSignal, throwIfAborted, withTimeout } from '@covey/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { countingSignal, deferred, thrownBy, turn } from './support.js'

const unhandled = vi.fn()
beforeEach(() => void process.on('unhandledRejection', unhandled))
afterEach(async () => {
  await turn()
  process.off('unhandledRejection', unhandled)
  expect(unhandled).not.toHaveBeenCalled()
})

describe('throwIfAborted', () => {
  it('throws the very reason', () => {
    const reason = { any: 'thing' }
    expect(thrownBy(() => throwIfAborted(AbortSignal.abort(reason)))).toBe(reason)
  })

  it('does nothing otherwise', () => {
    throwIfAborted(undefined)
    throwIfAborted(new AbortController().signal)
  })
})

describe('onAbort', () => {
  it('calls with the reason, at once if aborted before', () => {
    const listener = vi.fn()
    const { controller, signal } = countingSignal()
    onAbort(signal, listener)
    expect(listener).not.toHaveBeenCalled()
    controller.abort('late')
    expect(listener).toHaveBeenCalledExactlyOnceWith('late')
    onAbort(signal, listener)
    expect(listener).toHaveBeenCalledTimes(2)
  })

  it('stops', () => {
    const listener = vi.fn()
    const { controller, signal, listenerCount } = countingSignal()
    onAbort(signal, listener)()
    expect(listenerCount()).toBe(0)
    controller.abort()
    expect(listener).not.toHaveBeenCalled()
  })
})

describe('raceSignal', () => {
  it('settles as the promise does and leaves no listener', async () => {
    const { signal, listenerCount } = countingSignal()
    const [good, bad] = [deferred<string>(), deferred<string>()]
    const outcomes = [raceSignal(good.promise, signal), raceSignal(bad.promise, signal)] as const
    expect(listenerCount()).toBe(2)
    good.resolve('value')
    bad.reject('error')
    expect(await outcomes[0]).toBe('value')
    await expect(outcomes[1]).rejects.toBe('error')
    expect(listenerCount()).toBe(0)
    expect(await raceSignal(Promise.resolve(1), undefined)).toBe(1)
  })

  it('rejects with the reason, and the promise may fail later unnoticed', async () => {
    const { controller, signal } = countingSignal()
    const work = deferred<string>()
    const outcome = raceSignal(work.promise, signal)
    controller.abort('enough')
    await expect(outcome).rejects.toBe('enough')
    await expect(raceSignal(work.promise, signal)).rejects.toBe('enough')
    work.reject(new Error('too late'))
  })
})

describe('withTimeout', () => {
  it('settles as the work does and leaves neither timer nor listener', async () => {
    vi.useFakeTimers()
    try {
      const { signal, listenerCount } = countingSignal()
      expect(await withTimeout(Promise.resolve(1), { timeoutMs: 10, signal })).toBe(1)
      expect(await withTimeout(() => 2, { timeoutMs: 10, signal })).toBe(2)
      await expect(withTimeout(() => { throw 'error' }, { timeoutMs: 10 })).rejects.toBe('error')
      expect(vi.getTimerCount()).toBe(0)
      expect(listenerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('rejects when the time is over, and the work may fail later unnoticed', async () => {
    vi.useFakeTimers()
    try {
      const { signal, listenerCount } = countingSignal()
      const work = deferred<string>()
      const outcome = withTimeout(work.promise, { timeoutMs: 50, signal })
      vi.advanceTimersByTime(49)
      expect(listenerCount()).toBe(1)
      vi.advanceTimersByTime(1)
      await expect(outcome).rejects.toMatchObject({ code: 'TIMEOUT', message: 'Not done within 50 ms.', retryable: true })
      expect(listenerCount()).toBe(0)
      work.reject(new Error('too late'))
    } finally {
      vi.useRealTimers()
    }
  })

  it('rejects with the error of onTimeout, also one that it throws', async () => {
    const never = new Promise<never>(() => {})
    const mine = new Error('mine')
    await expect(withTimeout(never, { timeoutMs: 0, onTimeout: () => mine })).rejects.toBe(mine)
    await expect(withTimeout(never, { timeoutMs: 0, onTimeout: () => { throw mine } })).rejects.toBe(mine)
  })

  it('rejects with the reason of the signal, before the work is started if aborted before', async () => {
    const { controller, signal } = countingSignal()
    const work = deferred<string>()
    const outcome = withTimeout(() => work.promise, { timeoutMs: 60_000, signal })
    controller.abort('enough')
    await expect(outcome).rejects.toBe('enough')
    work.reject(new Error('too late'))

    const start = vi.fn(async () => 1)
    await expect(withTimeout(start, { timeoutMs: 60_000, signal })).rejects.toBe('enough')
    expect(start).not.toHaveBeenCalled()
  })

  it.each([
    [{ timeoutMs: -1 }, 'timeoutMs must be at least 0'],
    [{ timeoutMs: 2 ** 31 }, 'timeoutMs must be at most 2147483647'],
    [{ timeout: 5 }, 'did you mean "timeoutMs"?'],
    [{ timeoutMs: 5, signal: {} }, 'signal must be an AbortSignal'],
    [{ timeoutMs: 5, onTimeout: new Error('x') }, 'onTimeout must be a function, got object']
  ])('refuses %j', async (options, message) => {
    await expect(withTimeout(async () => 1, options as never)).rejects.toThrow(message)
  })
})

import { createEvents, isCoveyError, CoreError, type CoveyError } from '@covey/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { countingSignal, deferred, turn } from './support.js'

interface Events { message: { text: string }; left: undefined; error: CoveyError }

const printed = vi.spyOn(console, 'error')
beforeEach(() => void printed.mockReset().mockImplementation(() => {}))
afterEach(() => expect(printed).not.toHaveBeenCalled())
const printedOnce = () => {
  expect(printed).toHaveBeenCalledOnce()
  const call = printed.mock.calls[0]
  printed.mockClear()
  return call
}

describe('on and emit', () => {
  it('calls the handlers of the event, in order, before emit returns', () => {
    const events = createEvents<Events>()
    const calls: string[] = []
    events.on('message', ({ text }) => calls.push(`first ${text}`))
    events.on('left', () => calls.push('left'))
    events.on('message', ({ text }) => calls.push(`second ${text}`))
    void events.emit('message', { text: 'tea' })
    expect(calls).toEqual(['first tea', 'second tea'])
  })

  it('resolves when all handlers have settled', async () => {
    const events = createEvents<Events>()
    const [slow, slower] = [deferred<void>(), deferred<void>()]
    const settled: string[] = []
    events.on('message', () => slower.promise.then(() => settled.push('slower')))
    events.on('message', () => slow.promise.then(() => settled.push('slow')))
    const emitted = events.emit('message', { text: '' }).then(() => settled.push('emitted'))
    slow.resolve()
    await turn()
    expect(settled).toEqual(['slow'])
    slower.resolve()
    await emitted
    expect(settled).toEqual(['slow', 'slower', 'emitted'])
  })

  it('removes one registration at a time, and only once', async () => {
    const events = createEvents<Events>()
    const handler = vi.fn()
    const stop = events.on('message', handler)
    events.on('message', handler)
    stop()
    stop()
    await events.emit('message', { text: '' })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('does not call a handler that was removed by one before it', async () => {
    const events = createEvents<Events>()
    const second = vi.fn()
    events.on('message', () => stopSecond())
    const stopSecond = events.on('message', second)
    await events.emit('message', { text: '' })
    expect(second).not.toHaveBeenCalled()
  })

  it('calls a handler that was added by another from the next event on', async () => {
    const events = createEvents<Events>()
    const added = vi.fn()
    const stop = events.on('message', () => void events.on('message', added))
    await events.emit('message', { text: 'one' })
    expect(added).not.toHaveBeenCalled()
    stop()
    await events.emit('message', { text: 'two' })
    expect(added).toHaveBeenCalledExactlyOnceWith({ text: 'two' })
  })

  it('names wrong arguments', () => {
    const events = createEvents<Events>()
    expect(() => events.on('message', undefined as never)).toThrow('handler must be a function, got undefined')
    expect(() => events.on(5 as never, () => {})).toThrow('event must be a string, got number')
  })
})

describe('failed handlers', () => {
  it.each([
    ['throws', () => { throw new Error('broken') }],
    ['rejects', () => Promise.reject(new Error('broken'))]
  ])('reports one that %s by the error event, and calls the others', async (_, broken) => {
    const events = createEvents<Events>()
    const [error, other] = [vi.fn(), vi.fn()]
    events.on('error', error)
    events.on('message', broken)
    events.on('message', other)
    await events.emit('message', { text: '' })
    expect(other).toHaveBeenCalledOnce()
    expect(error).toHaveBeenCalledOnce()
    expect(isCoveyError(error.mock.calls[0]![0], 'EVENT_HANDLER_FAILED')).toBe(true)
    expect(error.mock.calls[0]![0]).toMatchObject({
      message: 'A handler of the "message" event failed.', cause: new Error('broken')
    })
  })

  it('resolves only after the error handlers have settled', async () => {
    const events = createEvents<Events>()
    const handled = deferred<void>()
    const order: string[] = []
    events.on('error', () => handled.promise.then(() => order.push('handled')))
    events.on('message', () => { throw new Error('broken') })
    const emitted = events.emit('message', { text: '' }).then(() => order.push('emitted'))
    await turn()
    expect(order).toEqual([])
    handled.resolve()
    await emitted
    expect(order).toEqual(['handled', 'emitted'])
  })

  it('prints once what nobody handles', async () => {
    const events = createEvents<Events>()
    events.on('message', () => Promise.reject(new Error('broken')))
    await events.emit('message', { text: '' })
    expect(printedOnce()).toEqual([expect.objectContaining({ code: 'EVENT_HANDLER_FAILED', cause: new Error('broken') })])

    const error = new CoreError('TIMEOUT', 'late')
    await events.emit('error', error)
    expect(printedOnce()).toEqual([error])
  })

  it('prints once what an error handler fails with, and what it was given', async () => {
    const events = createEvents<Events>()
    const error = new CoreError('TIMEOUT', 'late')
    events.on('error', () => { throw 'not even an Error' })
    await events.emit('error', error)
    expect(printedOnce()).toEqual(expect.arrayContaining(['not even an Error', error]))
  })
})

describe('once', () => {
  it('resolves with the next payload and stops handling', async () => {
    const events = createEvents<Events>()
    const { signal, listenerCount } = countingSignal()
    const next = events.once('message', { signal })
    expect(listenerCount()).toBe(1)
    await events.emit('message', { text: 'one' })
    await events.emit('message', { text: 'two' })
    expect(await next).toEqual({ text: 'one' })
    expect(listenerCount()).toBe(0)
  })

  it('rejects with the reason of the signal, and handles no more', async () => {
    const events = createEvents<Events>()
    const { controller, signal } = countingSignal()
    const next = events.once('error', { signal })
    controller.abort('enough')
    await expect(next).rejects.toBe('enough')
    await expect(events.once('error', { signal })).rejects.toBe('enough')
    // An error that is printed has no handler left.
    await events.emit('error', new CoreError('TIMEOUT', 'late'))
    printedOnce()
  })

  it('names wrong arguments', async () => {
    const events = createEvents<Events>()
    await expect(events.once('message', { singal: 1 } as never)).rejects.toThrow('did you mean "signal"?')
    await expect(events.once('message', { signal: {} as never })).rejects.toThrow('signal must be an AbortSignal')
  })
})

import { createAsyncQueue, DEFAULT_QUEUE_MAX_LENGTH, type AsyncQueueOptions } from '@covey/core'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { countingSignal } from './support.js'

const done = { done: true, value: undefined }
const value = (number: number) => ({ done: false, value: number })

function open(options: AsyncQueueOptions = {}) {
  const onClose = vi.fn()
  const queue = createAsyncQueue<number>({ onClose, ...options })
  return { queue, reader: queue[Symbol.asyncIterator](), onClose }
}

describe('createAsyncQueue', () => {
  it('gives values in order, those pushed before reading and those after', async () => {
    const { queue, reader, onClose } = open()
    expect(queue.push(1)).toBe(true)
    expect(queue.length).toBe(1)
    expect(await reader.next()).toEqual(value(1))
    const next = reader.next()
    queue.push(2)
    expect(await next).toEqual(value(2))
    expect(queue.length).toBe(0)
    expect(onClose).not.toHaveBeenCalled()
  })

  it('loses, repeats and reorders nothing, however pushes and reads interleave', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 500 }), async (pushes) => {
      const { queue, reader } = open()
      const reads: ReturnType<typeof reader.next>[] = []
      let pushed = 0
      for (const push of pushes) {
        if (push) queue.push(pushed++)
        else reads.push(reader.next())
      }
      queue.end()
      while (reads.length < pushed) reads.push(reader.next())
      const results = await Promise.all(reads)
      expect(results.filter((result) => !result.done).map((result) => result.value)).toEqual([...Array(pushed).keys()])
      expect(queue.length).toBe(0)
    }))
  })

  it('gives each value to one of several waiting readers, first come first served', async () => {
    const { queue, reader } = open()
    const other = queue[Symbol.asyncIterator]()
    const reads = [reader.next(), other.next(), reader.next(), other.next()]
    queue.push(1)
    queue.push(2)
    queue.end()
    expect(await Promise.all(reads)).toEqual([value(1), value(2), done, done])
  })

  it('ends after what it holds, and takes no more', async () => {
    const { queue, reader, onClose } = open()
    queue.push(1)
    queue.end()
    expect(onClose).toHaveBeenCalledOnce()
    expect(queue.push(2)).toBe(false)
    queue.fail(new Error('ignored: it has ended'))
    expect([await reader.next(), await reader.next(), await reader.next()]).toEqual([value(1), done, done])
    expect(onClose).toHaveBeenCalledOnce()
  })

  it('fails after what it holds, for every reader', async () => {
    const { queue, reader, onClose } = open()
    const error = new Error('disk gone')
    queue.push(1)
    queue.fail(error)
    queue.end()
    expect(await reader.next()).toEqual(value(1))
    await expect(reader.next()).rejects.toBe(error)
    await expect(reader.next()).rejects.toBe(error)
    expect(onClose).toHaveBeenCalledOnce()

    const waiting = open()
    const reads = [waiting.reader.next(), waiting.queue[Symbol.asyncIterator]().next()]
    waiting.queue.fail(error)
    expect(await Promise.allSettled(reads)).toEqual([
      { status: 'rejected', reason: error }, { status: 'rejected', reason: error }
    ])
  })

  it('closes when the loop is left', async () => {
    const { signal, listenerCount } = countingSignal()
    const { queue, reader, onClose } = open({ signal })
    const waiting = queue[Symbol.asyncIterator]()
    queue.push(1)
    queue.push(2)
    for await (const number of queue) {
      expect(number).toBe(1)
      break
    }
    expect(onClose).toHaveBeenCalledOnce()
    expect(listenerCount()).toBe(0)
    expect(queue.length).toBe(0)
    expect(queue.push(3)).toBe(false)
    expect(await reader.next()).toEqual(done)
    expect(await waiting.next()).toEqual(done)
  })

  it('releases readers that wait when another leaves', async () => {
    const { queue, reader } = open()
    const waiting = reader.next()
    expect(await queue[Symbol.asyncIterator]().return()).toEqual(done)
    expect(await waiting).toEqual(done)
  })

  it('is done for whoever left, even after a failure or an abort', async () => {
    const { controller, signal } = countingSignal()
    const { queue, reader } = open({ signal })
    queue.fail(new Error('disk gone'))
    await reader.return()
    controller.abort()
    expect(await reader.next()).toEqual(done)
  })
})

describe('the signal of a queue', () => {
  it('rejects waiting readers, drops what is held, and closes', async () => {
    const { controller, signal } = countingSignal()
    const { queue, reader, onClose } = open({ signal })
    const waiting = reader.next()
    controller.abort('enough')
    await expect(waiting).rejects.toBe('enough')
    await expect(reader.next()).rejects.toBe('enough')
    expect(queue.push(1)).toBe(false)
    expect(onClose).toHaveBeenCalledOnce()
  })

  it.each(['open', 'ended'])('cuts short the reading of an %s queue with values in it', async (state) => {
    const { controller, signal } = countingSignal()
    const { queue, reader } = open({ signal })
    queue.push(1)
    queue.push(2)
    if (state === 'ended') queue.end()
    expect(await reader.next()).toEqual(value(1))
    controller.abort('enough')
    await expect(reader.next()).rejects.toBe('enough')
    expect(queue.length).toBe(0)
  })

  it('leaves no listener once the queue is closed, and closes at once if aborted before', async () => {
    const { controller, signal, listenerCount } = countingSignal()
    const { queue } = open({ signal })
    expect(listenerCount()).toBe(1)
    queue.end()
    expect(listenerCount()).toBe(0)
    controller.abort('enough')
    const late = open({ signal })
    expect(late.onClose).toHaveBeenCalledOnce()
    await expect(late.reader.next()).rejects.toBe('enough')
  })
})

describe('a full queue', () => {
  it('fails by default, after what it holds', async () => {
    const { queue, reader, onClose } = open({ maxLength: 2 })
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false])
    expect(onClose).toHaveBeenCalledOnce()
    expect([await reader.next(), await reader.next()]).toEqual([value(1), value(2)])
    await expect(reader.next()).rejects.toMatchObject({ code: 'QUEUE_OVERFLOW', retryable: true })
  })

  it('drops the oldest where told so', async () => {
    const { queue, reader } = open({ maxLength: 2, onOverflow: 'drop-oldest' })
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, true])
    queue.end()
    expect([await reader.next(), await reader.next(), await reader.next()]).toEqual([value(2), value(3), done])
  })

  it('is one with DEFAULT_QUEUE_MAX_LENGTH values, unless told otherwise', () => {
    const { queue } = open()
    const taken = Array.from({ length: DEFAULT_QUEUE_MAX_LENGTH }, (_, index) => queue.push(index))
    expect(taken).not.toContain(false)
    expect(queue.push(-1)).toBe(false)
  })

  it('counts no value that a waiting reader takes', async () => {
    const { queue, reader } = open({ maxLength: 1 })
    const reads = [reader.next(), reader.next()]
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, true])
    expect(await Promise.all(reads)).toEqual([value(1), value(2)])
  })
})

it.each([
  [{ maxLength: 0 }, 'maxLength must be at least 1'],
  [{ maxLenght: 1 }, 'did you mean "maxLength"?'],
  [{ onOverflow: 'drop' }, 'onOverflow must be "fail" or "drop-oldest"'],
  [{ onClose: 1 }, 'onClose must be a function, got number'],
  [{ signal: {} }, 'signal must be an AbortSignal']
])('createAsyncQueue refuses %j', (options, message) => {
  expect(() => createAsyncQueue(options as never)).toThrow(message)
})

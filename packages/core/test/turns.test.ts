import { createTurns } from '@covey/core'
import { describe, expect, it } from 'vitest'
import { deferred } from './support.js'

describe('createTurns', () => {
  it('does what has one key one after the other, whatever fails, and other keys at once', async () => {
    const turns = createTurns()
    const did: string[] = []
    const door = deferred<void>()
    const first = turns.take('a', undefined, async () => {
      await door.promise
      did.push('first')
      throw new Error('broken')
    })
    const second = turns.take('a', undefined, async () => did.push('second'))
    expect(await turns.take('b', undefined, async () => did.push('other'))).toBe(1)
    door.resolve()
    await expect(first).rejects.toThrow('broken')
    expect(await second).toBe(3)
    expect(did).toEqual(['other', 'first', 'second'])
  })

  it('begins nothing that was aborted before its turn, and waits for what goes on', async () => {
    const turns = createTurns()
    const did: string[] = []
    const door = deferred<void>()
    const abort = new AbortController()
    const begun = turns.take('a', abort.signal, async () => {
      await door.promise
      did.push('begun')
    })
    const waiting = turns.take('a', abort.signal, async () => did.push('never'))
    const next = turns.take('a', undefined, async () => did.push('next'))
    // So that the first has begun.
    await Promise.resolve()
    abort.abort(new Error('enough'))
    for (const each of [begun, waiting]) await expect(each).rejects.toBe(abort.signal.reason)
    expect(did).toEqual([])
    const ended = turns.end()
    door.resolve()
    await next
    await ended
    expect(did).toEqual(['begun', 'next'])
  })

  it('ends at once where nothing is done, and a work that throws rejects', async () => {
    const turns = createTurns()
    await turns.end()
    const broken = (): never => {
      throw new Error('at once')
    }
    await expect(turns.take('a', undefined, broken)).rejects.toThrow('at once')
    await turns.end()
  })
})

import { createClosers } from '@covey/core'
import { describe, expect, it } from 'vitest'
import { deferred } from './support.js'

describe('createClosers', () => {
  it('closes from last to first, one after the other, and once', async () => {
    const closers = createClosers()
    const closed: string[] = []
    const door = deferred<void>()
    closers.add(() => void closed.push('first'))
    closers.add(async () => {
      await door.promise
      closed.push('second')
    })
    expect(closers.isClosing).toBe(false)
    const closing = closers.close()
    expect(closers.isClosing).toBe(true)
    const again = closers.close()
    expect(closed).toEqual([])
    door.resolve()
    await Promise.all([closing, again])
    expect(closed).toEqual(['second', 'first'])
  })

  it('closes the rest when some fail, and throws what failed first, at each call', async () => {
    const closers = createClosers()
    const closed: string[] = []
    closers.add(() => void closed.push('first'))
    closers.add(() => Promise.reject(new Error('the second')))
    closers.add(() => {
      throw new Error('the third')
    })
    await expect(closers.close()).rejects.toThrow('the third')
    expect(closed).toEqual(['first'])
    await expect(closers.close()).rejects.toThrow('the third')
    expect(closed).toEqual(['first'])
  })

  it('closes all because of an error, which is thrown and no other', async () => {
    const closers = createClosers()
    const closed: string[] = []
    closers.add(() => void closed.push('first'))
    closers.add(() => Promise.reject(new Error('the second')))
    await expect(closers.closeAndThrow(new Error('why'))).rejects.toThrow('why')
    expect(closed).toEqual(['first'])
  })

  it('closes what was opened too late', async () => {
    const closers = createClosers()
    const closed: string[] = []
    closers.add(() => closers.add(() => void closed.push('while closing')))
    await closers.close()
    expect(closed).toEqual(['while closing'])
    closers.add(() => void closed.push('afterwards'))
    await closers.close()
    expect(closed).toEqual(['while closing', 'afterwards'])
  })
})

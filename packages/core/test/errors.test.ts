import { CoreError, CoveyError, isCoveyError } from '@covey/core'
import { describe, expect, it } from 'vitest'

describe('CoveyError', () => {
  it('carries code, cause, retryable and hint', () => {
    const cause = new Error('socket closed')
    const error = new CoreError('TIMEOUT', 'Not done in time.', { cause, retryable: true, hint: 'Try again.' })
    expect(error).toBeInstanceOf(CoveyError)
    expect(error).toMatchObject({
      name: 'CoreError', code: 'TIMEOUT', message: 'Not done in time.', cause, retryable: true, hint: 'Try again.'
    })
  })

  it('is not retryable, and has neither cause nor hint, unless told so', () => {
    const error = new CoreError('LINK_DAMAGED', 'Damaged.')
    expect(error).toMatchObject({ retryable: false, hint: undefined })
    expect('cause' in error).toBe(false)
  })
})

describe('isCoveyError', () => {
  it('tells codes apart', () => {
    const error = new CoreError('TIMEOUT', 'Not done in time.')
    expect(isCoveyError(error)).toBe(true)
    expect(isCoveyError(error, 'TIMEOUT')).toBe(true)
    expect(isCoveyError(error, 'LINK_DAMAGED')).toBe(false)
  })

  it('knows errors of another installed copy', () => {
    const foreign = Object.assign(new Error('from elsewhere'), { code: 'ROOM_CLOSED', [Symbol.for('@covey/error')]: true })
    expect(foreign).not.toBeInstanceOf(CoveyError)
    expect(isCoveyError(foreign, 'ROOM_CLOSED')).toBe(true)
  })

  it.each([undefined, null, 'TIMEOUT', new Error('plain'), { code: 'TIMEOUT' }])('refuses %s', (value) => {
    expect(isCoveyError(value)).toBe(false)
  })
})

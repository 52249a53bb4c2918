import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { paymentTipContent, readTipReference, tipReference } from '@covey/payments'
import { MSAT } from './support/people.js'

const [message, offer] = [encodeZ32(new Uint8Array(32).fill(1)), encodeZ32(new Uint8Array(32).fill(2))]

test('an offer is read as it was written, and whatever else as none', () => {
  const tip = { message, money: { asset: MSAT, amount: 21_000n } }
  const content = paymentTipContent.create(tip)
  expect(Buffer.from(content.data).toString('hex')).toBe(`${'01'.repeat(32)}17${Buffer.from(MSAT).toString('hex')}025208`)
  expect(paymentTipContent.read(content)).toEqual(tip)
  for (let length = 0; length < content.data.length; length++) {
    expect(paymentTipContent.read({ ...content, data: content.data.subarray(0, length) })).toBeUndefined()
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
      const read = paymentTipContent.read({ ...content, data })
      if (read !== undefined) expect(paymentTipContent.create(read).data).toEqual(data)
    })
  )
})

test('an offer names a message and money', () => {
  for (const wrong of [{ message: 'x' }, { message: `${message}y` }, { money: { asset: MSAT, amount: 0n } }, { money: { asset: MSAT, amount: 1 } }]) {
    expect(() => paymentTipContent.create({ message, money: { asset: MSAT, amount: 1n }, ...wrong } as never)).toThrow(TypeError)
  }
})

test('a reference is that of one message and one offer', () => {
  const reference = tipReference({ message, offer })
  expect(reference).toBe(`tip/${message}/${offer}`)
  expect(readTipReference(reference)).toEqual({ message, offer })
  for (const other of ['', 'tip', `tip/${message}`, `${reference}/`, ` ${reference}`, `tip/${message}/${offer.slice(1)}`]) expect(readTipReference(other)).toBeUndefined()
  expect(() => tipReference({ message: 'x', offer })).toThrow(TypeError)
})

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { codeOf, invoiceOf, openPair } from './support.js'

test('an invoice is paid over a channel, and the preimage is the proof', async () => {
  const { payer, payee } = await openPair()
  const invoice = await invoiceOf(payee, 21_000n)
  const received = payee.once('received')
  const payment = await payer.payInvoice(invoice, { maxFeeMsat: 0n })
  expect(payment).toMatchObject({ status: 'paid', amountMsat: 21_000n, feeMsat: 0n, code: null })
  expect(createHash('sha256').update(payment.preimage!).digest()).toEqual(Buffer.from(payment.paymentHash))
  expect(await received).toEqual({ paymentHash: payment.paymentHash, amountMsat: 21_000n })
  expect(payee.received(payment.paymentHash)).toBe(21_000n)
  expect(payer.payment(payment.paymentHash)).toEqual(payment)
  expect(await codeOf(payer.payInvoice('lnbcrt1nonsense', { maxFeeMsat: 0n }))).toBe('INVOICE_MALFORMED')
})

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { readNotice, readReceipt, readRequest, refundReferenceOf, signNotice, signReceipt, signRequest, type NoticeInit, type PaymentRequest } from '@covey/payments'
import { hex, ROOM, unhex } from './support/people.js'

// Bytes that a released version has written. They may be added to, never changed: rooms hold such messages for good.
const vector = JSON.parse(readFileSync(new URL('./vectors/messages.json', import.meta.url), 'utf8'))
const { atMs, createdMs } = vector
const alice = await openFile(vector.payeeFile)
const bob = await openFile(vector.payerFile)

function request(): PaymentRequest {
  const read = readRequest(unhex(vector.request), { room: ROOM, atMs })
  if (!read.ok) throw read.error
  return read.value
}

it('a request is read and signed as before', () => {
  const read = request()
  expect(read).toMatchObject({
    payee: alice.identity.publicKey,
    payer: bob.identity.publicKey,
    money: { asset: 'eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7', amount: 2_500_000n },
    purpose: 'Tea für zwei',
    reference: 'tip:1',
    createdMs,
    expiresMs: createdMs + 3_600_000,
    methods: [
      { type: 'evm', data: new Uint8Array(20).fill(5) },
      { type: 'bolt11', data: Uint8Array.of(1, 2, 3) }
    ]
  })
  expect([hex(read.id), hex(read.coreHash), hex(read.hash)]).toEqual([vector.id, vector.coreHash, vector.requestHash])
  expect(hex(signRequest(alice, read, read.methods).bytes)).toBe(vector.request)
})

it('a receipt is read and signed as before', () => {
  const init = { method: 'evm', proof: new Uint8Array(97).fill(9), createdMs: createdMs + 1 }
  expect(readReceipt(unhex(vector.receipt), { request: request(), atMs })).toMatchObject({ ok: true, value: { ...init, hash: unhex(vector.receiptHash) } })
  expect(hex(signReceipt(bob, request(), init).bytes)).toBe(vector.receipt)
})

it.each(['ack', 'cancel', 'refund'] as const)('an %s is read and signed as before', (kind) => {
  const hashes = { receipt: unhex(vector.receiptHash), refundRequest: unhex(vector.refundRequest) }
  const init = { kind, ...(kind === 'cancel' ? {} : hashes), createdMs: createdMs + 2 } as NoticeInit
  if (init.kind === 'ack') delete (init as { refundRequest?: unknown }).refundRequest
  expect(readNotice(unhex(vector.notices[kind]), { kind, request: request(), atMs }).ok).toBe(true)
  expect(hex(signNotice(alice, request(), init).bytes)).toBe(vector.notices[kind])
})

it('what is given back is asked for, said and shown as before', () => {
  const { givenBack } = vector
  const asked = readRequest(unhex(givenBack.request), { room: ROOM, atMs, payee: bob.identity.publicKey })
  if (!asked.ok) throw asked.error
  expect(asked.value).toMatchObject({ payer: alice.identity.publicKey, purpose: 'Kalt', reference: givenBack.reference, coreHash: unhex(givenBack.coreHash) })
  expect(refundReferenceOf({ hash: unhex(vector.receiptHash) })).toBe(givenBack.reference)
  expect(hex(signRequest(bob, asked.value, asked.value.methods).bytes)).toBe(givenBack.request)
  const notice = { kind: 'refund', receipt: unhex(vector.receiptHash), refundRequest: asked.value.coreHash, createdMs: createdMs + 4 } as const
  expect(hex(signNotice(alice, request(), notice).bytes)).toBe(givenBack.notice)
  expect(readNotice(unhex(givenBack.notice), { kind: 'refund', request: request(), atMs })).toMatchObject({ ok: true, value: notice })
  const receipt = { method: 'evm', proof: new Uint8Array(97).fill(8), createdMs: createdMs + 5 }
  expect(hex(signReceipt(alice, asked.value, receipt).bytes)).toBe(givenBack.receipt)
})

async function openFile(bytes: string): Promise<LocalIdentity> {
  const storage = createMemorySecretStore()
  await storage.write('identity', unhex(bytes))
  return openIdentity({ storage })
}

import core from 'blind-pairing-core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRequest, readResponse } from '../../src/internal/guards/read-request.js'

const invite = core.createInvite(new Uint8Array(32).fill(1))

test('what blind-pairing makes is read', () => {
  for (const length of [1, 64, 200, 253, 1_000, 2_048]) {
    const candidate = new core.CandidateRequest(invite.invite, Buffer.alloc(length, 7))
    expect(isRequest(candidate.encode())).toBe(true)
    const request = core.MemberRequest.from(candidate.encode())
    request.open(invite.publicKey)
    request.confirm({ key: new Uint8Array(32).fill(1), encryptionKey: new Uint8Array(32).fill(2) })
    expect(readResponse(request.response!)).toBeDefined()
  }
})

test('any bytes are judged, and what is judged a request opens nothing that throws anything odd', () => {
  const bytes = fc.uint8Array({ maxLength: 5_000 })
  const altered = fc
    .tuple(fc.nat(), fc.uint8Array({ maxLength: 40 }))
    .map(([at, patch]) => {
      const request = Uint8Array.from(new core.CandidateRequest(invite.invite, Buffer.alloc(64, 7)).encode())
      request.set(patch.subarray(0, request.length), at % Math.max(1, request.length - patch.length))
      return request
    })
  fc.assert(
    fc.property(fc.oneof(bytes, altered), (value) => {
      readResponse(value)
      if (!isRequest(value)) return
      const request = core.MemberRequest.from(value)
      expect(request.requestData.session).toHaveLength(32)
      try {
        request.open(invite.publicKey)
      } catch (error) {
        expect((error as Error).message).toBe('Failed to open invite with provided key')
      }
    }),
    { numRuns: 20_000 }
  )
})

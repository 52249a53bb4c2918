import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { draftRequest, signRequest, type PaymentMethod, type PaymentRequest, type RequestInit } from '@covey/payments'

export const ROOM = new Uint8Array(32).fill(0xaa)
export const OTHER_ROOM = new Uint8Array(32).fill(0xbb)
export const NOW = 1_790_000_000_000
export const MSAT = 'lightning:bcrt/slip44:0'
export const METHOD: PaymentMethod = { type: 'test', data: Uint8Array.of(1, 2, 3) }

export function person(): Promise<LocalIdentity> {
  return openIdentity({ storage: createMemorySecretStore() })
}

/** A signed request of `payee`, for what `init` does not say: 21 satoshis, for tea, from now for an hour. */
export function ask(payee: LocalIdentity, init: Partial<RequestInit> = {}, methods: readonly PaymentMethod[] = [METHOD]): PaymentRequest {
  const core = draftRequest({
    room: ROOM,
    payee: payee.identity.publicKey,
    money: { asset: MSAT, amount: 21_000n },
    purpose: 'Tea',
    createdMs: NOW,
    ...init
  })
  return signRequest(payee, core, methods)
}

/** The code that a call fails with, `'TypeError'`, or `null` when it succeeds. */
export async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call()
    return null
  } catch (error) {
    if (error instanceof TypeError) return 'TypeError'
    return (error as { code?: string }).code ?? String(error)
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'))
}

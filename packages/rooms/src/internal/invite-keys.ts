import pairing, { type MemberRequest } from 'blind-pairing-core'
import c from 'compact-encoding'
import type { Structs } from './structs.js'

/** The keys of an invite: who has the seed can ask, who has the public key can read what is asked. */
export interface InviteKeys {
  readonly id: Uint8Array
  readonly publicKey: Uint8Array
  readonly seed: Uint8Array
}

export function createInviteKeys(roomKey: Uint8Array): InviteKeys {
  const { id, publicKey, seed } = pairing.createInvite(roomKey)
  return { id, publicKey, seed }
}

/** Proof that whoever made a join request holds the secret of an invite. */
export type Receipt = Structs['receipt']

const SESSION_BYTES = 32
const SIGNATURE_BYTES = 64

/** What a pairing request says, or `undefined` if it was not made with the invite of this key. */
export function openRequest(
  request: MemberRequest,
  publicKey: Uint8Array
): { request: Uint8Array; receipt: Receipt } | undefined {
  let userData: Uint8Array
  try {
    userData = request.open(publicKey)
  } catch {
    // The one thing that `open` throws for.
    return undefined
  }
  return { request: userData, receipt: { invite: request.inviteId, publicKey, ...splitReceipt(request.receipt!) } }
}

/** Whether a receipt is genuine, and for this request. Depends on nothing but its arguments. */
export function isReceipt({ publicKey, session, signature }: Receipt, request: Uint8Array): boolean {
  return pairing.verifyReceipt({ session, signature, userData: request }, publicKey) !== null
}

/** Proof that this device holds the secret of an invite, for one request. */
export function makeReceipt(link: { seed: Uint8Array; discoveryKey: Uint8Array }, request: Uint8Array): Receipt {
  const { inviteId, keyPair } = new pairing.CandidateRequest(link, request)
  const { receipt } = pairing.createReceipt(encodePairingInvite(link), request)
  return { invite: inviteId, publicKey: keyPair.publicKey, ...splitReceipt(receipt) }
}

/** A receipt is the session, the signature of both by the invite, and the request. */
function splitReceipt(receipt: Uint8Array): Pick<Receipt, 'session' | 'signature'> {
  const session = receipt.subarray(0, SESSION_BYTES)
  return { session, signature: receipt.subarray(SESSION_BYTES, SESSION_BYTES + SIGNATURE_BYTES) }
}

/** An invite as the pairing protocol writes it. */
export function encodePairingInvite({ seed, discoveryKey }: { seed: Uint8Array; discoveryKey: Uint8Array }): Uint8Array {
  const unused = { expires: 0, sensitive: false, testInvitation: false, additionalNodes: null }
  return c.encode(pairing.Invite, { ...unused, seed, discoveryKey, id: new Uint8Array() })
}

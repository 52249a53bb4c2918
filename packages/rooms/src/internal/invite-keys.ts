import pairing from 'blind-pairing-core'
import c from 'compact-encoding'

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

/** An invite as the pairing protocol writes it. */
export function encodePairingInvite({ seed, discoveryKey }: { seed: Uint8Array; discoveryKey: Uint8Array }): Uint8Array {
  const unused = { expires: 0, sensitive: false, testInvitation: false, additionalNodes: null }
  return c.encode(pairing.Invite, { ...unused, seed, discoveryKey, id: new Uint8Array() })
}

import NoiseWrap from 'hyperdht/lib/noise-wrap.js'
import type Hyperswarm from 'hyperswarm'
import { concatBytes, encodeUtf8, equalBytes } from '@covey/core'
import { SESSION_PROTOCOL } from './constants.js'
import { NONCE_BYTES } from './greeting.js'

/** Before a nonce, behind what HyperDHT says in a handshake. */
const TAG = encodeUtf8(SESSION_PROTOCOL)

/**
 * Has whoever dials say its half of a new session in the handshake already, encrypted to the key that is dialled, so
 * that who is dialled may speak as soon as the connection is there, and not a round trip later. It may be an old one,
 * which somebody says again. HyperDHT passes over what it does not know.
 */
export class EarlyNonces {
  /** Each by the hash of its handshake, which the stream has as the same object. */
  readonly #heard = new WeakMap<Uint8Array, Uint8Array>()
  readonly #nonceFor: (remotePublicKey: Uint8Array) => Uint8Array | null

  /** @param nonceFor What is said to a device that is dialled; null: nothing. */
  constructor(nonceFor: (remotePublicKey: Uint8Array) => Uint8Array | null) {
    this.#nonceFor = nonceFor
  }

  /** What came with the handshake of a connection, if anything did. */
  of({ handshakeHash }: { readonly handshakeHash: Uint8Array | null }): Uint8Array | null {
    return (handshakeHash && this.#heard.get(handshakeHash)) ?? null
  }

  /** For `connect()` of HyperDHT. */
  readonly dial = (keyPair: Hyperswarm['keyPair'], remotePublicKey: Uint8Array): NoiseWrap => {
    const wrap = new NoiseWrap(keyPair, remotePublicKey)
    const { handshake } = wrap
    const send = handshake.send.bind(handshake)
    handshake.send = (payload) => {
      const nonce = this.#nonceFor(remotePublicKey)
      return send(nonce === null ? payload : concatBytes(payload, TAG, nonce))
    }
    return wrap
  }

  /** For its servers. */
  readonly answer = (keyPair: Hyperswarm['keyPair']): NoiseWrap => {
    const wrap = new NoiseWrap(keyPair, null)
    const { handshake } = wrap
    const [recv, final] = [handshake.recv.bind(handshake), wrap.final.bind(wrap)]
    let nonce: Uint8Array | null = null
    handshake.recv = (message) => {
      const payload = recv(message)
      nonce = nonceIn(payload)
      return payload
    }
    wrap.final = () => {
      const keys = final()
      if (nonce !== null) this.#heard.set(keys.hash, nonce)
      return keys
    }
    return wrap
  }
}

function nonceIn(payload: Uint8Array): Uint8Array | null {
  const at = payload.length - NONCE_BYTES
  if (at < TAG.length || !equalBytes(payload.subarray(at - TAG.length, at), TAG)) return null
  return payload.slice(at)
}

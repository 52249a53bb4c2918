import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import sodium from 'sodium-universal'
import { concatBytes, encodeUtf8, equalBytes } from '@covey/core'

export const HASH_BYTES = 32

/** What is asked of who says that it has a block. */
export interface Challenge {
  readonly discoveryKey: Uint8Array
  readonly index: number
  readonly nonce: Uint8Array
  /** Shows that who asks knows the core's key. */
  readonly proof: Uint8Array
}

const KNOWS = encodeUtf8('covey/holding/knows/1')
const BLOCK = encodeUtf8('covey/holding/block/1')

/** Asks for a block of a core, in words that only who has it can answer, and only now. */
export function makeChallenge(core: Hypercore, index: number): Challenge {
  const nonce = new Uint8Array(HASH_BYTES)
  sodium.randombytes_buf(nonce)
  return { discoveryKey: core.discoveryKey!, index, nonce, proof: hash(KNOWS, nonce, core.key!) }
}

/** What the answer to a challenge has to be; `undefined` where this device does not have the block itself. */
export async function answerOf(core: Hypercore, { index, nonce }: Challenge): Promise<Uint8Array | undefined> {
  const block = await core.get(index, { wait: false, raw: true })
  return block === null ? undefined : hash(BLOCK, nonce, block)
}

/** Answers a challenge of a stranger: with nothing where the core is not here, or is not known to who asks. */
export async function answerChallenge(corestore: Corestore, challenge: Challenge): Promise<Uint8Array | undefined> {
  const core = corestore.get({ discoveryKey: challenge.discoveryKey, active: false })
  try {
    await core.ready()
  } catch (error) {
    // Nothing was opened, and to close that would fail in the same way.
    if ((error as { code?: string }).code === 'STORAGE_EMPTY') return undefined
    throw error
  }
  try {
    if (!equalBytes(challenge.proof, hash(KNOWS, challenge.nonce, core.key!))) return undefined
    if (challenge.index >= core.length) return undefined
    return await answerOf(core, challenge)
  } finally {
    await core.close()
  }
}

/** BLAKE2b-256; all parts but the last have one length each. */
function hash(domain: Uint8Array, nonce: Uint8Array, rest: Uint8Array): Uint8Array {
  const digest = new Uint8Array(HASH_BYTES)
  sodium.crypto_generichash(digest, concatBytes(domain, nonce, rest))
  return digest
}

/** 0 to `limit - 1`, each as likely. @param limit at most 2^32. */
export function randomBelow(limit: number): number {
  return sodium.randombytes_uniform(limit)
}

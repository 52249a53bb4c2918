import type Autobase from 'autobase'
import Hypercore, { type Manifest } from 'hypercore'
import type { TreeNode } from 'hypercore-crypto'
import { RoomError } from '../../errors.js'
import { isFrozen, type UpstreamCore } from '../guards/guard-core.js'
import type { RoomView } from '../view.js'

/** What peers send each other of a core: index.js of hypercore 11.37.1, `proof` and `applyProof`. */
export interface Proof {
  readonly fork: number
  readonly block: { readonly index: number; readonly value: Uint8Array; readonly nodes: readonly TreeNode[] } | null
  readonly hash: null
  readonly seek: null
  readonly upgrade: {
    readonly start: number
    readonly length: number
    readonly nodes: readonly TreeNode[]
    readonly additionalNodes: readonly TreeNode[]
    readonly signature: Uint8Array
  } | null
  readonly manifest: Manifest | null
}

type Request = { readonly block: { readonly index: number; readonly nodes: number } } | { readonly upgrade: { readonly start: number; readonly length: number } }

/** A core of a device, to be read as peers read it, and written as what they send is. */
export interface CarryingCore extends Omit<Hypercore<unknown>, 'proof' | 'core'> {
  readonly core: UpstreamCore & { checkConflict(proof: Proof, from: null): Promise<boolean> }
  proof(request: Request): Promise<Proof>
  /** `false` when the core is another meanwhile. Throws for what its device has not signed. */
  applyProof(proof: Proof, from: null): Promise<boolean>
}

/** Does something with the core of a device, and lets go of it. */
export async function withCore<Value>(
  base: Autobase<RoomView>,
  key: Uint8Array,
  work: (core: CarryingCore) => Promise<Value>
): Promise<Value> {
  const core = base.store.get({ key, active: false }) as unknown as CarryingCore
  try {
    await core.ready()
    return await work(core)
  } finally {
    await core.close()
  }
}

/** Whether the device of a core signed two pasts, or took something back, as far as is known here. */
export function isForked(core: CarryingCore): boolean {
  return isFrozen(core) || core.fork !== 0
}

/** How many of the blocks from `start` on are here without a gap, counted from the core's first. */
export async function endOfRun(core: CarryingCore, start: number): Promise<number> {
  let end = Math.max(start, Math.min(core.contiguousLength, core.length))
  while (end < core.length && (await core.has(end))) end++
  return end
}

/** The key of the core that `signer` signs alone, and what says so. */
export function coreOf(signer: Uint8Array): { readonly key: Uint8Array; readonly manifest: Manifest } {
  const key = Hypercore.key(signer)
  return { key, manifest: Hypercore.parseManifest({ version: 1, signers: [{ publicKey: signer }] }, key) }
}

/** What Hypercore throws for a proof that proves nothing, or nothing to this device. */
const UNPROVEN = new Set(['INVALID_CHECKSUM', 'INVALID_OPERATION', 'INVALID_PROOF', 'INVALID_SIGNATURE', 'BAD_ARGUMENT'])

/** Whether a proof was taken. @throws {RoomError} ROOM_STORAGE_FAILED */
export async function take(core: CarryingCore, proof: Proof): Promise<boolean> {
  try {
    return await core.applyProof(proof, null)
  } catch (cause) {
    if (UNPROVEN.has((cause as { code?: string }).code ?? '')) return false
    throw new RoomError('ROOM_STORAGE_FAILED', 'What the bundle has could not be written.', { cause })
  }
}

const SIGNATURE_BYTES = 64

/** A signature of the one signer, as hypercore has it in a manifest of version 1: a list of one, and no patch. */
export function wrapSignature(signature: Uint8Array): Uint8Array {
  return Uint8Array.of(1, 0, ...signature, 0, 0)
}

/** The signature in what {@link wrapSignature} makes, if it is one such. */
export function unwrapSignature(wrapped: Uint8Array | null): Uint8Array | undefined {
  if (wrapped?.length !== SIGNATURE_BYTES + 4 || wrapped[0] !== 1 || wrapped[1] !== 0) return undefined
  return wrapped.slice(2, 2 + SIGNATURE_BYTES)
}

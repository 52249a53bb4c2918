import type Corestore from 'corestore'
import type { UpgradeProof } from 'hypercore'
import { rootCount } from '../equivocation.js'

/** lib/core.js of hypercore 11.37.1: what all sessions of a core share. */
export interface UpstreamCore {
  readonly key: Uint8Array
  readonly header: { readonly frozen: boolean }
  readonly state: { readonly length: number; readonly fork: number }
  readonly replicator: { onconflict(): Promise<void> }
  checkConflict(proof: UpgradeProof, from: object): Promise<boolean>
  _onconflict(proof: UpgradeProof): Promise<void>
  verifyReorg(proof: UpgradeProof): Promise<unknown>
}

/** Whether two signatures for one place of a core were found; Hypercore keeps it on disk. */
export function isFrozen(core: unknown): boolean {
  return (core as { readonly core: UpstreamCore | null }).core?.header.frozen === true
}

/** Told of a core whose key has signed two trees, with the one that is not here. */
export type OnConflict = (core: UpstreamCore, proof: UpgradeProof) => void

/**
 * Believes that a core's key signed two trees only where it did, and then closes nothing beneath those
 * who read it.
 *
 * The attack, in hypercore 11.37.1: a peer who has an honest core sends what it has of the signed tree
 * unasked, with a node too many. The signature holds, since verifyUpgrade reads no more nodes than it
 * needs (lib/merkle-tree.js:929), but the nodes are hashed all together to be compared
 * (lib/core.js:640). So the tree seems to be another: the core is frozen on disk for good, also at its
 * own writer, and every session of it is closed. Where two trees were truly signed, the core is frozen
 * as well, which is right, and the sessions are closed beneath Autobase, which is not.
 */
function guardCore(core: UpstreamCore, onconflict: OnConflict): void {
  if (cores.has(core)) return
  cores.add(core)
  const check = core.checkConflict.bind(core)
  // `true`: nothing more is done with what was sent.
  core.checkConflict = async (proof, from) => !isWhole(proof) || check(proof, from)
  core._onconflict = async (proof) => {
    // Tells those who sent the other tree of this one.
    await core.replicator.onconflict()
    onconflict(core, proof)
  }
}

const cores = new WeakSet<UpstreamCore>()

/** Guards all cores that a store opens from now on, in whatever namespace. To be called before the first is opened. */
export function guardStore(store: Corestore): void {
  listenersOf(store)
}

/**
 * Calls back with each conflict of a core of a guarded store, in whatever namespace.
 *
 * @returns stops calling back; the cores stay guarded.
 */
export function watchConflicts(store: Corestore, onconflict: OnConflict): () => void {
  const listeners = listenersOf(store)
  listeners.add(onconflict)
  return () => void listeners.delete(onconflict)
}

function listenersOf(store: Corestore): Set<OnConflict> {
  // One for all rooms of a peer: they share the cores.
  const session = store as unknown as UpstreamStore
  const known = stores.get(session.cores)
  if (known !== undefined) return known
  const listeners = new Set<OnConflict>()
  stores.set(session.cores, listeners)
  // A session that is closed watches no more; the root is there to the end.
  const root = session.root ?? session
  root.watch((core) =>
    guardCore(core, (...conflict) => {
      for (const listener of listeners) listener(...conflict)
    })
  )
  return listeners
}

/** index.js of corestore 7.12.5. */
interface UpstreamStore {
  /** All cores that are open, whatever session opened them. */
  readonly cores: object
  readonly root: UpstreamStore | null
  watch(onopen: (core: UpstreamCore) => void): void
}

const stores = new WeakMap<object, Set<OnConflict>>()

/**
 * Lets a writer take nothing back.
 *
 * The attack, in hypercore 11.37.1: a writer truncates its core and signs another past, with a higher
 * fork number, and every peer replaces what it has (lib/replicator.js:2903). What was read, and is in
 * the view, is then not what newcomers read.
 */
export function guardWriterCore(core: UpstreamCore, onconflict: OnConflict): void {
  if (writers.has(core)) return
  writers.add(core)
  const verify = core.verifyReorg.bind(core)
  core.verifyReorg = async (proof) => {
    await verify(proof)
    onconflict(core, proof)
    throw new Error('A writer has taken back what it had signed.')
  }
}

const writers = new WeakSet<UpstreamCore>()

/** Whether there are as many nodes as there are roots of a tree of this length, and so no others. */
function isWhole({ upgrade: { start, length, nodes } }: UpgradeProof): boolean {
  return start === 0 && nodes.length === rootCount(length)
}

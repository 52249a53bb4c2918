import type Corestore from 'corestore'
import type { UpgradeProof } from 'hypercore'
import { isOfDisk } from '@covey/transport/internal'
import { rootCount } from '../equivocation.js'

/** lib/core.js of hypercore 11.37.1: what all sessions of a core share. */
export interface UpstreamCore {
  readonly key: Uint8Array
  readonly header: { readonly frozen: boolean }
  readonly state: { readonly length: number; readonly fork: number }
  readonly replicator: { onconflict(): Promise<void> }
  checkConflict(proof: UpgradeProof, from: object): Promise<boolean>
  /** Whether what a peer sent was of use, and is written down. */
  verify(proof: object, from: object): Promise<boolean>
  /** Writes down how much there is of it here, and elsewhere. */
  flushHints(): Promise<void>
  _onconflict(proof: UpgradeProof): Promise<void>
  verifyReorg(proof: UpgradeProof): Promise<unknown>
}

/** Whether two signatures for one place of a core were found; Hypercore keeps it on disk. */
export function isFrozen(core: unknown): boolean {
  return (core as { readonly core: UpstreamCore | null }).core?.header.frozen === true
}

/** Told of a core whose key has signed two trees, with the one that is not here. */
export type OnConflict = (core: UpstreamCore, proof: UpgradeProof) => void

/** What the cores of a store tell. */
export interface CoreWatcher {
  readonly onconflict: OnConflict
  /** The disk did not take what was to be written of a core. */
  readonly onunwritten: (core: UpstreamCore, error: Error) => void
}

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
 *
 * Tells where the disk fails, too: hypercore stops asking whoever sent what could not be written, or
 * told of more (lib/replicator.js:1262, 1440), and tells nobody, so that the core would stand still
 * without a word.
 */
function guardCore(core: UpstreamCore, { onconflict, onunwritten }: CoreWatcher): void {
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
  const [verify, flushHints] = [core.verify.bind(core), core.flushHints.bind(core)]
  const onfail = (error: unknown): never => {
    if (isOfDisk(error)) onunwritten(core, error)
    throw error
  }
  core.verify = (proof, from) => verify(proof, from).catch(onfail)
  core.flushHints = () => flushHints().catch(onfail)
}

const cores = new WeakSet<UpstreamCore>()

/** Guards all cores that a store opens from now on, in whatever namespace. To be called before the first is opened. */
export function guardStore(store: Corestore): void {
  watchersOf(store)
}

/**
 * Calls back with what befalls the cores of a guarded store, in whatever namespace.
 *
 * @returns stops calling back; the cores stay guarded.
 */
export function watchCores(store: Corestore, watcher: CoreWatcher): () => void {
  const watchers = watchersOf(store)
  watchers.add(watcher)
  return () => void watchers.delete(watcher)
}

function watchersOf(store: Corestore): Set<CoreWatcher> {
  // One for all rooms of a peer: they share the cores.
  const session = store as unknown as UpstreamStore
  const known = stores.get(session.cores)
  if (known !== undefined) return known
  const watchers = new Set<CoreWatcher>()
  stores.set(session.cores, watchers)
  const all: CoreWatcher = {
    onconflict: (...conflict) => watchers.forEach(({ onconflict }) => onconflict(...conflict)),
    onunwritten: (...failure) => watchers.forEach(({ onunwritten }) => onunwritten(...failure))
  }
  // A session that is closed watches no more; the root is there to the end.
  const root = session.root ?? session
  root.watch((core) => guardCore(core, all))
  return watchers
}

/** index.js of corestore 7.12.5. */
interface UpstreamStore {
  /** All cores that are open, whatever session opened them. */
  readonly cores: object
  readonly root: UpstreamStore | null
  watch(onopen: (core: UpstreamCore) => void): void
}

const stores = new WeakMap<object, Set<CoreWatcher>>()

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

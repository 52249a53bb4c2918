import type Autobase from 'autobase'
import type { AutobaseHandlers, Head, SystemView } from 'autobase'
import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import type { Download } from 'hypercore'
import type { UpstreamCore } from './guard-core.js'

// The parts of autobase 7.28.1 that the guards look at or wrap, as its sources have them. None is
// documented: `assertUpstream` makes sure that they are still what is written here.

/** lib/linearizer.js: a block of a writer, in the graph. */
export interface GraphNode {
  readonly writer: UpstreamWriter
  /** The block is number `length - 1` of its writer. */
  readonly length: number
  readonly value: Uint8Array | null
  /** What it links to and is not linked yet; see `_ensureNodeDependencies`. */
  readonly heads: Head[]
  /** Loses what has been linked; `actualHeads` does not. */
  readonly actualHeads: readonly Head[]
  readonly dependencies: Set<GraphNode>
  readonly optimistic: boolean
  /** How many blocks of the same append are left, this one included. */
  readonly batch: number
  trace: Trace | null | undefined
}

/** Which blocks of the views the writer read and wrote: a hint of what to download. */
export interface Trace {
  system: number[]
  encryption: number[]
  user: { view: number; blocks: number[] }[]
}

/** What a writer's block is decoded with. */
export interface OplogEncoding {
  preencode(state: object, message: never): void
  encode(state: object, message: never): void
  decode(state: { start: number; end: number; buffer: Uint8Array }): OplogMessage
}

export interface OplogMessage {
  version: number
  checkpoint: { system: unknown; encryption: unknown; user: unknown[] | null } | null
  digest: { pointer: number; key: Uint8Array | null } | null
}

type WriterCore = Hypercore<unknown> & { readonly key: Uint8Array; readonly core: UpstreamCore; valueEncoding: OplogEncoding | null }

export type UpstreamRange = Download & { readonly range: { readonly end: number } }

/** lib/writer.js */
export interface UpstreamWriter {
  readonly core: WriterCore & { setActive(active: boolean): void }
  readonly isRemoved: boolean
  /** Whether it signs the room's view, as far as this device has read. */
  readonly isActiveIndexer: boolean
  /** What is being downloaded, or null. */
  range: UpstreamRange | null
  readonly nodes: { readonly length: number; get(index: number): GraphNode | null }
  /** How many blocks of it are in the graph, or were. */
  readonly length: number
  /** The next one, which may wait for what it builds on. */
  node: GraphNode | null
  frozen: boolean
  isActive: boolean
  _loadNextNode(): Promise<boolean>
  _ensureNodeDependencies(boot: unknown): Promise<boolean>
  _pause(): void
  _resume(): void
  updateActivity(): void
  _close(): Promise<void>
}

/** lib/linearizer.js */
export interface UpstreamLinearizer {
  readonly heads: Set<GraphNode>
  _initialHeads: Head[]
  readonly indexers: readonly UpstreamWriter[]
  addHead(node: GraphNode): GraphNode
}

/** lib/apply-state.js: what an indexer has signed, as its core says. */
export interface UpstreamCheckpoint {
  readonly core: WriterCore
  length: number
  digest: { key: Uint8Array | null; at: number } | null
  signatures: { system: Signature | null; encryption: Signature | null; user: (Signature | null)[] }
  updateCheckpoints(): Promise<boolean>
}

export interface Signature {
  readonly signature: Uint8Array | null
  readonly length: number
}

/** A session of a view; `bitfield` tells which blocks of what is signed are here. */
export type ViewCore = Hypercore<unknown> & { readonly core: { readonly bitfield: { get(index: number): boolean } | null } }

/** lib/linearizer.js */
export interface Ordered {
  readonly shared: number
  readonly indexed: readonly GraphNode[]
  readonly tip: readonly GraphNode[]
}

/** lib/apply-state.js */
export interface UpstreamApplyState {
  readonly interrupted: boolean
  readonly opened: boolean
  /** How much of the system's view the indexers' order has settled, as this peer works it out. */
  readonly indexedLength: number
  readonly system: SystemView
  readonly base: { readonly recoveries: number; readonly local: Hypercore<unknown> & { readonly key: Uint8Array } }
  readonly key: Uint8Array
  readonly local: Hypercore<unknown>
  /** What is written with the views: what was applied since the indexers' order, and how far that is. */
  readonly localState: { setBootRecord(record: object): void; flush(): Promise<void> }
  /** All that is written in one. */
  readonly store: { flush(): Promise<void> }
  /** The room's own views; `mappedIndex` is the place of each in what the system says, or -1. */
  readonly views: readonly { readonly name: string | null; readonly mappedIndex: number; readonly core: ViewCore | null }[]
  readonly systemView: { readonly core: ViewCore }
  readonly encryptionView: { readonly core: ViewCore }
  /** Applies what is new in the order: what comes after the first `shared` nodes of `indexed` and `tip` together. */
  update(order: Ordered, localNodes: readonly object[] | null): Promise<object>
  maybeSigned(): Promise<void>
  _flush(localNodes: readonly object[] | null): Promise<void>
  _createCheckpointCore(key: Uint8Array, active: boolean, signer: number, paused: boolean): UpstreamCheckpoint
}

/** lib/store.js: a view, as the indexers have signed it, and as it is here. */
export interface UpstreamViewRef {
  readonly core: Hypercore<unknown>
  readonly batch: Hypercore<unknown> | null
  /** Of one that moves to a core of other indexers: what is written there, and the core. */
  readonly moveTo: readonly [Hypercore<unknown>, Hypercore<unknown>] | null
}

/** lib/fast-forward.js */
export interface UpstreamFastForward {
  readonly base: { readonly store: Corestore; readonly core: Hypercore<unknown> }
  /** All that is closed with it. */
  readonly cores: Hypercore<unknown>[]
  /** The system's core, and to where. */
  readonly key: Uint8Array
  readonly length: number
  readonly views: readonly { readonly key: Uint8Array; readonly length: number }[]
  _upgrade(): Promise<boolean>
}

/** index.js */
export interface UpstreamAutobase<View> extends Omit<Autobase<View>, 'activeWriters' | 'core' | 'local' | 'hintWakeup'> {
  readonly activeWriters: { readonly size: number; has(key: Uint8Array): boolean; get(key: Uint8Array): UpstreamWriter | null } & Iterable<UpstreamWriter>
  readonly _wakeupHints: Map<string, number>
  readonly linearizer: UpstreamLinearizer
  readonly core: Hypercore<Uint8Array>
  /** `null` until it is opened. */
  readonly local: (Hypercore<unknown> & { readonly key: Uint8Array }) | null
  readonly _viewStore: { readonly byName: ReadonlyMap<string, UpstreamViewRef> }
  readonly _draining: boolean
  /** core-coupler 2: whose news are asked for of each peer that is met. */
  readonly _coupler: { remove(core: WriterCore): void } | null
  readonly fastForwardTo: object | null
  readonly fastForwarding: UpstreamFastForward | null
  _applyState: UpstreamApplyState | null
  fastForwardMinimum: number
  _queueFastForward(): void
  _runForceFastForward(): Promise<void>
  _warn(error: Error): void
  isFastForwarding(): boolean
  hintWakeup(hints: Head | Head[]): void
  _isLocalCore(core: WriterCore): boolean
  /** A session of a writer's core, which decodes its blocks. */
  _makeWriterCore(key: Uint8Array): WriterCore
  _makeWriter(key: Uint8Array, length: number, isActive: boolean, isRemoved: boolean): UpstreamWriter
  _updateLinearizer(indexers: UpstreamWriter[], heads: Head[]): void
  _runFastForward(fastForward: UpstreamFastForward): Promise<void>
  _migrateView(...args: unknown[]): Promise<UpstreamViewRef>
  _applyFastForwardMigration(ref: UpstreamViewRef, view: Head): Promise<void>
  /** Follows all hints. */
  _drainWakeup(): Promise<void>
  _wakeupWriter(key: Uint8Array, length: number): Promise<void>
  _queueBump(): void
  /** Does what is to be done, once for all who ask meanwhile. */
  _bump: () => Promise<void>
  /** What is to be appended, and how much was. */
  readonly _appending: readonly unknown[] | null
  readonly _appended: number
  /** Whether it is being closed. */
  readonly _interrupting: boolean
  /** Closes, and tells why. */
  _onError(error: Error): void
  _close(): Promise<void>
}

export interface UpstreamAutobaseClass {
  new <View>(store: Corestore, key: Uint8Array | null, handlers: AutobaseHandlers<View>): UpstreamAutobase<View>
}

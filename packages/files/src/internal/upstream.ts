import hypercore from 'hypercore/package.json' with { type: 'json' }
import storage from 'hypercore-storage/package.json' with { type: 'json' }
import { FileError } from '../errors.js'

/** The versions whose storage is wrapped here: on another, blocks might be lost, or kept twice. */
const WRITTEN_FOR = { hypercore: '11.37.1', 'hypercore-storage': '3.3.1' } as const

const INSTALLED = { hypercore: hypercore.version, 'hypercore-storage': storage.version }

/**
 * Refuses to run with modules that the storage of blocks was not written for.
 *
 * @throws {FileError} UPSTREAM_UNSUPPORTED
 */
export function assertUpstream(installed: Readonly<Record<keyof typeof WRITTEN_FOR, string>> = INSTALLED): void {
  for (const module of ['hypercore', 'hypercore-storage'] as const) {
    const [found, expected] = [installed[module], WRITTEN_FOR[module]]
    if (found === expected) continue
    throw new FileError('UPSTREAM_UNSUPPORTED', `${module} is ${found}, and files are stored by way of ${expected}.`, {
      hint: `Install ${module}@${expected}, or a version of @covey/files that is made for ${found}.`
    })
  }
}

/** hypercore-storage 3.3.1, lib/tx.js: what is written to a core at once. */
export interface UpstreamWrite {
  putBlock(index: number, block: Uint8Array): void
  deleteTreeNode(index: number): void
  deleteBlock(index: number): void
  deleteBlockRange(start: number, end: number): void
  flush(): Promise<boolean>
}

/** hypercore-storage 3.3.1, lib/tx.js */
export interface UpstreamRead {
  getBlock(index: number): Promise<Uint8Array | null>
  getTreeNode(index: number): Promise<{ readonly hash: Uint8Array; readonly size: number } | null>
}

/** hypercore-storage 3.3.1, index.js: where one core is kept. */
export interface UpstreamStorage {
  read(fork?: number): UpstreamRead
  write(): UpstreamWrite
}

/** hypercore-storage 3.3.1, index.js: where all cores are kept. */
export interface UpstreamStorages {
  resumeCore(discoveryKey: Uint8Array): Promise<UpstreamStorage | null>
  createCore(init: { readonly discoveryKey: Uint8Array }): Promise<UpstreamStorage>
}

/** hypercore 11.37.1, lib/replicator.js */
export interface UpstreamPeer {
  readonly remotePublicKey: Uint8Array
  readonly remoteContiguousLength: number
  readonly remoteBitfield: { findFirst(value: boolean, position: number): number }
  readonly channel: { close(): void }
  /** Nothing is asked of who is paused. */
  paused: boolean
}

/** hypercore 11.37.1, lib/core.js: what all sessions of a core share. */
export interface UpstreamCore {
  readonly opened: boolean
  readonly storage: UpstreamStorage
  /** `null` before it is opened, as what follows. */
  readonly state: { readonly length: number } | null
  readonly bitfield: { get(index: number): boolean; firstSet(position: number): number; countSet(start: number, length: number): number } | null
  readonly replicator: { readonly peers: readonly UpstreamPeer[]; updateAll(): void }
}

import type Hypercore from 'hypercore'
import type { Download } from 'hypercore'
import HyperDB, { type Definition } from 'hyperdb'
import { preloadMissing } from './preload-missing.js'

/** How many blocks of a view are kept in memory: the upper part of its tree, and what was read last. */
const MAX_BLOCKS = 1_024

/** What Hyperbee asks of its caches, by the number of a block. */
interface BlockCache {
  get(seq: number): unknown
  set(seq: number, value: unknown): void
}

/** index.js of hyperbee 2.27.3: the fields of a tree, or of a snapshot of one. */
export interface UpstreamBee {
  _nodeCache: BlockCache | null
  _keyCache: BlockCache | null
  /** How many blocks of the core it sees; at least 1. */
  readonly version: number
  ready(): Promise<void>
  get(...args: readonly unknown[]): Promise<unknown>
  /** A session of the core, for one read. */
  _makeSnapshot(): Hypercore<unknown>
  snapshot(options?: object): UpstreamBee
  checkout(version: number, options?: { readonly reuseSession: boolean }): UpstreamBee
  createReadStream(range: object): AsyncIterable<BeeEntry>
  /** What is in one of them, or another in both: `left` is of this one. */
  createDiffStream(right: UpstreamBee, range: object): AsyncIterable<{ readonly left: BeeEntry | null; readonly right: BeeEntry | null }>
  close(): Promise<void>
}

export interface BeeEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/**
 * Opens the database in a core, and has all its snapshots read each block of the tree once.
 *
 * The defect, in hyperdb 6.8.0: after every append it reads from another snapshot (lib/engine/bee.js),
 * and a snapshot of hyperbee 2.27.3 begins with empty caches (index.js:462).
 *
 * A block is the same for all snapshots but for those from before a truncation, which see what was cut
 * off: from then on they share nothing. Nor is it the same where the view moves to another core, which tells
 * of no truncation, or of one to its old length (lib/session-state.js of hypercore 11.37.1).
 */
export function openSharing(core: Hypercore<unknown>, definition: Definition): HyperDB {
  const [nodes, keys] = [createShared(), createShared()]
  // Before hyperdb listens, which takes its next snapshot at once.
  const cut = (length: number): void => {
    nodes.cut(length)
    keys.cut(length)
  }
  core.on('truncate', cut)
  core.on('migrate', () => cut(0))
  const db = HyperDB.bee(core, definition, { extension: false, autoUpdate: true })
  const bee = db.db as UpstreamBee
  const snapshot = bee.snapshot.bind(bee)
  bee.snapshot = (options) => {
    const one = snapshot(options)
    const makeSnapshot = one._makeSnapshot.bind(one)
    one._makeSnapshot = () => preloadMissing(makeSnapshot(), core)
    fetchSparingly(one)
    const [ownNodes, ownKeys] = [nodes.open(), keys.open()]
    const share = (): void => {
      one._nodeCache = ownNodes
      one._keyCache = ownKeys
    }
    // One that does not open fails in the hands of who reads from it.
    one.ready().then(share, () => undefined)
    return one
  }
  return db
}

/**
 * Has what is looked up by many at once fetched block by block.
 *
 * No attack: of every node on the way to a row, hyperbee 2.27.3 fetches all keys and all children at once (index.js:207),
 * of which it needs a fifth. For one row that saves waiting; where many are under way somebody waits for bytes.
 */
function fetchSparingly(bee: UpstreamBee): void {
  const [get, makeSnapshot] = [bee.get.bind(bee), bee._makeSnapshot.bind(bee)]
  let underWay = 0
  bee._makeSnapshot = () => {
    const core = makeSnapshot()
    const download = core.download.bind(core)
    core.download = (range) => (underWay > 1 ? NOTHING : download(range))
    return core
  }
  bee.get = async (...args) => {
    underWay++
    try {
      return await get(...args)
    } finally {
      underWay--
    }
  }
}

/** hyperbee does not look at what it is given. */
const NOTHING = undefined as unknown as Download

interface Shared {
  /** For a snapshot that is made now. */
  open(): BlockCache
  /** The blocks from here on are others. */
  cut(length: number): void
}

function createShared(): Shared {
  const blocks = new Map<number, unknown>()
  let cuts = 0
  return {
    open() {
      const made = cuts
      return {
        get(seq) {
          const value = made === cuts ? blocks.get(seq) : undefined
          if (value === undefined) return null
          // The last that was used is the last to go.
          blocks.delete(seq)
          blocks.set(seq, value)
          return value
        },
        set(seq, value) {
          if (made !== cuts) return
          blocks.set(seq, value)
          if (blocks.size > MAX_BLOCKS) blocks.delete(blocks.keys().next().value!)
        }
      }
    },
    cut(length) {
      cuts++
      for (const seq of blocks.keys()) if (seq >= length) blocks.delete(seq)
    }
  }
}

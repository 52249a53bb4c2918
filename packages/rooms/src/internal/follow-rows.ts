import type HyperDB from 'hyperdb'
import type { Query } from 'hyperdb'
import type { BeeEntry, UpstreamBee } from './guards/share-blocks.js'

/** A part of the view in memory, which costs as much as has changed in it to be kept as the view is. */
export interface FollowedRows<Row> {
  /**
   * The rows as the view has them now, which are the same objects for as long as they do not change; what is given changes with
   * the next call. To be called one at a time.
   */
  update(): Promise<ReadonlyMap<string, Row>>
  /** The view may have been replaced by another: all is read again. */
  reset(): void
  close(): void
}

export interface FollowedRowsInit<Row> {
  readonly db: HyperDB
  readonly collection: string
  readonly query?: Query
  readonly nameOf: (row: Row) => string
  /** Called with every row that comes, goes or changes, before `update` resolves. */
  readonly onchange?: (name: string, before: Row | undefined, after: Row | undefined) => void
}

/** Of how many updates is remembered what there was before them; a view that is cut off further back is read again. */
const MAX_UNDOS = 64

/** How often a view is read again that is cut off while it is read: its order may change all the time. */
const MAX_TRIES = 4

/** How long what is read of a view that was cut off may take: what it waits for may never come. */
const STALE_MS = 1_000

/** What an update has changed, to be taken back when the view is cut off before where it has led. */
interface Undo<Row> {
  readonly version: number
  readonly before: (readonly [name: string, row: Row | undefined])[]
}

/** lib/definition of hyperdb 6.8.0 */
interface UpstreamCollection<Row> {
  encodeKeyRange(query: Query): object
  reconstruct(schemaVersion: number, key: Uint8Array, value: Uint8Array): Row
}

/**
 * Follows the rows of a part of the view. A view grows, and is cut off where the order of the room changes: what was
 * read since is taken back then, and the two trees compared from there on, which skips what they have in common.
 */
export function followRows<Row extends object>({ db, collection: name, query = {}, nameOf, onchange }: FollowedRowsInit<Row>): FollowedRows<Row> {
  const bee = db.db as UpstreamBee
  const collection = db.definition.resolveCollection(name) as UpstreamCollection<Row>
  const range = collection.encodeKeyRange(query)
  const rows = new Map<string, Row>()
  let undos: Undo<Row>[] = []
  /** Up to which length of the view's core the rows are; 0 before they were read. */
  let version = 0
  /** To which length it was cut off since. */
  let cut = Infinity
  /** What is read belongs to this; what belongs to an earlier one changes nothing any more. */
  let round = 0
  let giveUpSoon = (): void => undefined
  function oncut(length: number): void {
    cut = Math.min(cut, length)
    giveUpSoon()
  }
  const reset = (): void => oncut(0)
  db.core.on('truncate', oncut)
  // What comes in its place tells of no truncation, or of another (lib/session-state.js of hypercore 11.37.1).
  db.core.on('migrate', reset)

  const read = (entry: BeeEntry | null): Row | undefined =>
    entry === null ? undefined : collection.reconstruct(db.versions.schema, entry.key, entry.value)

  function set(name: string, row: Row | undefined): void {
    const before = rows.get(name)
    if (row === undefined) rows.delete(name)
    else rows.set(name, row)
    onchange?.(name, before, row)
  }

  function takeBack(length: number): void {
    while (version > length) {
      const undo = undos.pop()
      for (const [name, row] of undo?.before.toReversed() ?? []) set(name, row)
      version = undo?.version ?? 0
    }
  }

  async function readAll(now: UpstreamBee, mine: number): Promise<void> {
    const gone = new Set(rows.keys())
    undos = []
    for await (const entry of now.createReadStream(range)) {
      if (mine !== round) return
      const row = read(entry)!
      gone.delete(nameOf(row))
      set(nameOf(row), row)
    }
    if (mine !== round) return
    for (const name of gone) set(name, undefined)
  }

  async function readChanges(now: UpstreamBee, mine: number): Promise<void> {
    const then = now.checkout(version, { reuseSession: true })
    await then.ready()
    if (mine !== round) return
    // The blocks that both see are the same.
    then._nodeCache = now._nodeCache
    then._keyCache = now._keyCache
    const undo: Undo<Row> = { version, before: [] }
    undos.push(undo)
    if (undos.length > MAX_UNDOS) undos.shift()
    for await (const { left, right } of now.createDiffStream(then, range)) {
      if (mine !== round) return
      const [after, before] = [read(left), read(right)]
      const name = nameOf((after ?? before)!)
      // As it was taken to be, and not as it is read: what is cut off while it is read may be neither the old state nor the new one.
      undo.before.push([name, rows.get(name)])
      set(name, after)
    }
  }

  async function follow(mine: number): Promise<void> {
    if (cut === Infinity && version > 0 && db.core.length === version) return
    const earlier = cut
    cut = Infinity
    const now = bee.snapshot()
    try {
      await now.ready()
      if (mine !== round) return
      // What was cut off while it was being taken may be in it or not, and counts the next time too.
      takeBack(Math.min(earlier, cut))
      if (version === 0) await readAll(now, mine)
      else if (version < now.version) await readChanges(now, mine)
      if (mine === round) version = now.version
    } finally {
      await now.close()
    }
  }

  /** False when it was given up. */
  async function followUnlessStale(): Promise<boolean> {
    const mine = ++round
    let timer: ReturnType<typeof setTimeout> | undefined
    const stale = new Promise<false>((resolve) => {
      giveUpSoon = () => void (timer ??= setTimeout(() => resolve(false), STALE_MS))
    })
    try {
      return await Promise.race([follow(mine).then(() => true), stale])
    } finally {
      clearTimeout(timer)
      giveUpSoon = () => undefined
      round++
    }
  }

  async function update(): Promise<ReadonlyMap<string, Row>> {
    for (let tries = 1; ; tries++) {
      try {
        if (!(await followUnlessStale())) {
          version = 0
          continue
        }
      } catch (error) {
        version = 0
        if (cut === Infinity || tries >= MAX_TRIES) throw error
      }
      // What was cut off while it was read may be in it or not; of a view that was replaced it may be half of each.
      if (cut === Infinity || (cut > 0 && tries >= MAX_TRIES)) return rows
    }
  }

  return {
    update,
    reset,
    close() {
      db.core.off('truncate', oncut)
      db.core.off('migrate', reset)
    }
  }
}

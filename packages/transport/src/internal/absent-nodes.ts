/** hypercore-storage 3.3.1, lib/tx.js: what is read of a core at once. */
interface UpstreamRead {
  /** Of rocksdb-native 3.18.1, lib/batch.js. */
  readonly read: { readonly _operations?: { readonly length: number } }
  hasTreeNode(index: number): Promise<boolean>
  tryFlush(): void
  destroy(): void
}

/** hypercore-storage 3.3.1, lib/tx.js: what is written to a core at once. */
interface UpstreamWrite {
  putTreeNode(node: { readonly index: number }): void
  flush(): Promise<boolean>
}

/** hypercore-storage 3.3.1, index.js: where one core is kept. */
interface UpstreamStorage {
  read(fork?: number): UpstreamRead
  write(): UpstreamWrite
  /** What is written through this, together with other cores, is not seen here. */
  atomize(atom: object): unknown
}

/** hypercore-storage 3.3.1, index.js: where all cores are kept. */
export interface UpstreamStorages {
  resumeCore(discoveryKey: Uint8Array): Promise<UpstreamStorage | null>
  createCore(init: object): Promise<UpstreamStorage>
}

/** Of a core. */
const MAX_ABSENT = 16_384

/**
 * Has a store remember which nodes of the trees of its cores are not there.
 *
 * No attack: before each block that it asks for, hypercore 11.37.1 looks for the nodes above it, one after the other, until there is
 * one (lib/merkle-tree.js:745). Neighbours have the same ones, which are looked for again for each, and hypercore-storage 3.3.1
 * keeps in memory only what it finds. Of what is wrongly held for absent, a peer is asked for more of the proof than is needed.
 */
export function rememberAbsent(storages: UpstreamStorages): void {
  const { resumeCore, createCore } = storages
  storages.resumeCore = async (discoveryKey) => {
    const storage = await resumeCore.call(storages, discoveryKey)
    return storage && remembering(storage)
  }
  storages.createCore = async (init) => remembering(await createCore.call(storages, init))
}

function remembering(storage: UpstreamStorage): UpstreamStorage {
  const [read, write, atomize] = [storage.read.bind(storage), storage.write.bind(storage), storage.atomize.bind(storage)]
  let absent: Set<number> | undefined = new Set()
  /** What is being looked for: by many at once, who ask for neighbours at once. */
  const asking = new Map<number, Promise<boolean>>()

  storage.read = (fork) => {
    const batch = read(fork)
    const has = batch.hasTreeNode.bind(batch)
    const tryFlush = batch.tryFlush.bind(batch)
    batch.hasTreeNode = (index) => {
      if (absent === undefined) return has(index)
      if (absent.has(index)) return Promise.resolve(false)
      const known = asking.get(index)
      if (known !== undefined) return known
      const asked = has(index)
      asking.set(index, asked)
      const answered = (isThere: boolean): void => {
        // What was written meanwhile may have been it.
        if (asking.get(index) === asked && asking.delete(index) && !isThere) remember(index)
      }
      // Whoever asks is told of what failed.
      asked.then(answered, () => answered(true))
      return asked
    }
    // Nobody waits for an empty one, which takes the database as long as any other.
    batch.tryFlush = () => (batch.read._operations?.length === 0 ? batch.destroy() : tryFlush())
    return batch
  }

  storage.write = () => {
    const batch = write()
    const put = batch.putTreeNode.bind(batch)
    const flush = batch.flush.bind(batch)
    const indexes: number[] = []
    batch.putTreeNode = (node) => {
      indexes.push(node.index)
      put(node)
    }
    batch.flush = async () => {
      try {
        return await flush()
      } finally {
        for (const index of indexes) {
          absent?.delete(index)
          asking.delete(index)
        }
      }
    }
    return batch
  }

  storage.atomize = (atom) => {
    absent = undefined
    return atomize(atom)
  }

  function remember(index: number): void {
    if (absent !== undefined && absent.size >= MAX_ABSENT) absent.clear()
    absent?.add(index)
  }
  return storage
}

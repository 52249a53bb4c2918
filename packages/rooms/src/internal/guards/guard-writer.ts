import type { FrozenReason } from './judge-block.js'
import type { GraphNode, Trace, UpstreamWriter } from './autobase-internals.js'
import { boundedEncoding } from './bounded-encoding.js'
import { judgeBlock, judgeCore } from './judge-block.js'

/** A writer that is not read on. */
export interface FrozenWriter {
  readonly key: Uint8Array
  /** The block that is not read, nor any after it. */
  readonly index: number
  readonly reason: FrozenReason
}

/** How many hints of blocks to download one block may give; autobase gives about ten for an op. */
const MAX_TRACED_BLOCKS = 1_024

/**
 * Stops reading a writer at the first block that autobase could not have written.
 *
 * The attacks, in autobase 7.28.1: a head that is there twice fails the assertion "Corrupted DAG"
 * (lib/writer.js:299), which `_updateAll` hands to safety-catch (index.js:1225), and the process
 * stops. A `batch` that is 0, or counts wrongly, and a head in the middle of another's batch fail
 * "Batch is linked partially" (lib/linearizer.js:384) or tear a batch apart in lib/apply-state.js:1301;
 * the base closes, and again at every start. A long `trace` is spread as arguments
 * (lib/apply-state.js:1206), with the same end. A core with a manifest of version 2 names a key that
 * does not exist (lib/encryption.js:124, 288), and the base waits for it without end.
 *
 * The judgement depends on the writer's core alone. So every peer freezes the same writer at the same
 * block, nobody's block builds on one that others do not read, and after a restart the same block is
 * found again before anything is done with it: there is nothing to remember.
 */
export function guardWriter(
  writer: UpstreamWriter,
  onfrozen: (frozen: FrozenWriter) => void,
  isForked: (core: UpstreamWriter['core']) => boolean,
  onwaiting: () => void
): void {
  const { core } = writer
  const load = writer._loadNextNode.bind(writer)
  const link = writer._ensureNodeDependencies.bind(writer)
  let bounded = false
  let waiting: GraphNode | undefined

  function freeze(index: number, reason: FrozenReason): false {
    writer.node = null
    writer.frozen = true
    writer._pause()
    writer._resume = () => undefined
    writer.updateActivity = () => undefined
    writer.isActive = false
    core.setActive(false)
    onfrozen({ key: core.key, index, reason })
    return false
  }

  /** As upstream, but `undefined` for a block that is there and cannot be decoded. */
  async function tryLoad(index: number): Promise<boolean | undefined> {
    try {
      return await load()
    } catch (error) {
      // Upstream freezes the writer for every failure; a disk that fails is no fault of the writer's.
      writer.frozen = false
      if ((await core.get(index, { wait: false, raw: true })) === null) return false
      if (isUndecodable(error)) return undefined
      throw error
    }
  }

  writer._loadNextNode = async () => {
    const index = writer.nodes.length
    if (!(await core.has(index))) return false
    if (isForked(core)) return freeze(index, 'forked')
    if (!bounded) {
      const reason = judgeCore(core.manifest)
      if (reason !== undefined) return freeze(index, reason)
      core.valueEncoding = boundedEncoding(core.valueEncoding!)
      bounded = true
    }
    const loaded = (await tryLoad(index)) ?? (await tryLoad(index))
    if (loaded === undefined) return freeze(index, 'undecodable')
    if (!loaded) return false
    const reason = judgeBlock(writer.node!, writer.nodes.get(index - 1))
    if (reason !== undefined) return freeze(index, reason)
    writer.node!.trace = boundedTrace(writer.node!.trace)
    return true
  }

  writer._ensureNodeDependencies = async (boot) => {
    const node = writer.node!
    if (await link(boot)) {
      linkWholeBatches(node)
      return true
    }
    // What it waits for may be here, and not have been read before somebody waited for it.
    if (waiting !== node) onwaiting()
    waiting = node
    return false
  }
}

/**
 * What builds on a part of an append builds on all of it. To freeze its writer instead would need the
 * block that is built on, which a peer that fast-forwarded past it has not.
 */
function linkWholeBatches(node: GraphNode): void {
  for (const dependency of node.dependencies) {
    const { batch, length, writer } = dependency
    const isOwnAppend = writer === node.writer && length === node.length - 1
    if (batch === 1 || isOwnAppend) continue
    const end = writer.nodes.get(length + batch - 2)
    if (end === null) continue
    node.dependencies.delete(dependency)
    node.dependencies.add(end)
  }
}

/** Decoding and decrypting fail with these; what storage and sessions fail with has a code of its own. */
export function isUndecodable(error: unknown): boolean {
  const { code } = error as { code?: string }
  return code === undefined || code === 'DECODING_ERROR'
}

/** A room has one view, number 0. */
function boundedTrace(trace: Trace | null | undefined): Trace | null {
  if (!trace) return null
  const user = trace.user.filter(({ view }) => view === 0)
  const counts = [trace.system, trace.encryption, ...user.map(({ blocks }) => blocks)].map(({ length }) => length)
  const count = counts.reduce((sum, length) => sum + length, 0)
  return count > MAX_TRACED_BLOCKS ? null : { ...trace, user }
}

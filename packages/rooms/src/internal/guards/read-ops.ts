import type Autobase from 'autobase'
import type Hypercore from 'hypercore'
import type { UpstreamAutobase } from './autobase-internals.js'
import { boundedEncoding } from './bounded-encoding.js'
import { isUndecodable } from './guard-writer.js'
import { judgeCore } from './judge-block.js'

/** A session of a writer's core, whoever it is, for {@link lastOps}. To be closed by the caller. */
export async function openOps(base: Autobase<unknown>, writer: Uint8Array): Promise<Hypercore<unknown>> {
  const core = (base as unknown as UpstreamAutobase<unknown>)._makeWriterCore(writer)
  await core.ready()
  core.valueEncoding = boundedEncoding(core.valueEncoding!)
  return core
}

/** The last ops in a writer's core, oldest first, as far as they are on this device: of its last `count` blocks. */
export async function* lastOps(core: Hypercore<unknown>, count: number): AsyncGenerator<Uint8Array> {
  // Of a core that no writer's software makes, autobase would wait for a key that there is not.
  if (judgeCore(core.manifest) !== undefined) return
  for (let index = Math.max(0, core.length - count); index < core.length; index++) {
    const op = await opAt(core, index)
    if (op) yield op
  }
}

async function opAt(core: Hypercore<unknown>, index: number): Promise<Uint8Array | null | undefined> {
  try {
    const block = (await core.get(index, { wait: false })) as { node: { value: Uint8Array | null } } | null
    return block?.node.value
  } catch (error) {
    // Whoever wrote it: there is no op in it.
    if (isUndecodable(error)) return undefined
    throw error
  }
}

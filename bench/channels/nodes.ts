import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import type { LocalNetwork } from '@covey/testing'
import { createNode, localNetwork, openStore, type Node } from '@covey/transport'

export interface BenchNode {
  readonly node: Node
  close(): Promise<void>
}

export function openNodes(network: LocalNetwork, count: number): Promise<BenchNode[]> {
  return Promise.all(Array.from({ length: count }, () => openNode(network)))
}

async function openNode(network: LocalNetwork): Promise<BenchNode> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-bench-'))
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(folder), network: localNetwork(network.bootstrap) })
  return {
    node,
    async close() {
      await node.close()
      await identity.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

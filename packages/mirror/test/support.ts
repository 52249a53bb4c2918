import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createRelay, type Relay, type RelayInit } from '@covey/mirror'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { createNode, localNetwork, openStore, type Node, type NodeInit, type Path } from '@covey/transport'

/** A local DHT for all tests of a file. */
export function useLocalNetwork(): { readonly network: LocalNetwork } {
  let network: LocalNetwork | undefined
  beforeAll(async () => void (network = await createLocalNetwork()))
  afterAll(() => network?.close())
  return {
    get network() {
      return network!
    }
  }
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-mirror-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A relay that is closed at the end of the test. */
export async function startRelay({ network }: { network: LocalNetwork }, init: RelayInit = {}): Promise<Relay> {
  const relay = await createRelay({ network: localNetwork(network.bootstrap), ...init })
  onTestFinished(() => relay.close())
  return relay
}

/** A node in a folder of its own, closed at the end of the test. */
export async function startNode({ network }: { network: LocalNetwork }, init: Partial<NodeInit> = {}): Promise<Node> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const store = await openStore(await temporaryFolder())
  const node = createNode({ identity, store, network: localNetwork(network.bootstrap), ...init })
  onTestFinished(async () => {
    await node.close()
    await identity.close()
  })
  return node
}

/** A DHT in which nobody answers: what a device has where UDP is blocked. */
export function noNetwork() {
  return localNetwork([{ host: '127.0.0.1', port: 9 }])
}

/** Resolves when `node` reaches `peer` in this way. */
export function pathTo(node: Node, peer: string, path: Path): Promise<void> {
  if (node.path(peer) === path) return Promise.resolve()
  return new Promise((resolve) => {
    const stop = node.on('path', (event) => {
      if (event.peer !== peer || event.path !== path) return
      stop()
      resolve()
    })
  })
}

/** Resolves when the test is true; looked at often, since what it tells of has no event. */
export async function until(test: () => boolean): Promise<void> {
  while (!test()) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** The code that a call fails with, or `null` when it succeeds. */
export async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call()
    return null
  } catch (error) {
    if (error instanceof TypeError) return 'TypeError'
    return (error as { code?: string }).code ?? String(error)
  }
}

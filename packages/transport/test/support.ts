import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { createNode, localNetwork, openStore, type Node } from '@covey/transport'

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
  const folder = await mkdtemp(join(tmpdir(), 'covey-transport-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A node in a folder of its own, closed at the end of the test. */
export async function startNode({ network }: { network: LocalNetwork }, folder?: string): Promise<Node> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const store = await openStore(folder ?? (await temporaryFolder()))
  const node = createNode({ identity, store, network: localNetwork(network.bootstrap) })
  onTestFinished(async () => {
    await node.close()
    await identity.close()
  })
  return node
}

export function topicOf(name: string): Uint8Array {
  const topic = new Uint8Array(32)
  new TextEncoder().encodeInto(name, topic)
  return topic
}

/** Resolves when `node` is connected to `peer`. */
export function connected(node: Node, peer: string): Promise<void> {
  if (node.peers.includes(peer)) return Promise.resolve()
  return new Promise((resolve) => {
    const stop = node.on('connect', (event) => {
      if (event.peer !== peer) return
      stop()
      resolve()
    })
  })
}

/** Another process that has `folder` open, until it is killed. */
export async function openInAnotherProcess(folder: string): Promise<{ kill(): Promise<void> }> {
  const script = fileURLToPath(new URL('hold-store.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const exited = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
  }
  onTestFinished(kill)
  const said = await Promise.race([once(child.stdout, 'data').then(String), exited.then(() => 'nothing')])
  if (said.trim() !== 'open') throw new Error(`the other process said ${said}`)
  return { kill }
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

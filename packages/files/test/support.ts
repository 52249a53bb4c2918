import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createFiles, type FileProgress, type Files, type FilesInit, type SharedFile } from '@covey/files'
import { createMemorySecretStore, openIdentity, type SecretStore } from '@covey/identity'
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
  const folder = await mkdtemp(join(tmpdir(), 'covey-files-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Peer {
  readonly node: Node
  readonly files: Files
  readonly folder: string
  /** Where it may put what it likes. */
  readonly desk: string
  /** Closes it, and opens it again as after a restart. */
  restart(): Promise<Peer>
  close(): Promise<void>
}

interface Home {
  readonly folder: string
  readonly desk: string
  readonly secrets: SecretStore
}

export async function startPeer(local: { network: LocalNetwork }, { home, ...held }: { home?: Home } & Pick<FilesInit, 'budgetBytes' | 'holding'> = {}): Promise<Peer> {
  const { folder, desk, secrets } = home ?? {
    folder: await temporaryFolder(),
    desk: await temporaryFolder(),
    secrets: createMemorySecretStore()
  }
  const identity = await openIdentity({ storage: secrets })
  const store = await openStore(folder)
  const node = createNode({ identity, store, network: localNetwork(local.network.bootstrap) })
  const files = await createFiles({ identity, node, folder: join(folder, 'files'), ...held })
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await files.close()
      await node.close()
      await identity.close()
    })())
  onTestFinished(close)
  const restart = async (): Promise<Peer> => {
    await close()
    return startPeer(local, { home: { folder, desk, secrets }, ...held })
  }
  return { node, files, folder, desk, restart, close }
}

/** Connects the first to all others. */
export async function connect(one: Peer, ...others: Peer[]): Promise<void> {
  await Promise.all(others.map((other) => one.node.connect(other.node.publicKey)))
}

/** A file of random bytes on the peer's desk. */
export async function writeRandom(peer: Peer, name: string, size: number): Promise<{ path: string; bytes: Uint8Array }> {
  const path = join(peer.desk, name)
  const bytes = Uint8Array.from(randomBytes(size))
  await writeFile(path, bytes)
  return { path, bytes }
}

export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export async function digestOf(path: string): Promise<string> {
  return digest(await readFile(path))
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Uint8Array.from(Buffer.concat(parts))
}

/** The first progress of this kind. */
export async function until(file: SharedFile, isIt: (progress: FileProgress) => boolean): Promise<FileProgress> {
  return new Promise((resolve) => {
    const check = (progress: FileProgress): void => {
      if (!isIt(progress)) return
      stop()
      resolve(progress)
    }
    const stop = file.on('progress', check)
    void file.progress().then(check)
  })
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

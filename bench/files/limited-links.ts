import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createFiles, type Files } from '@covey/files'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import type { LocalNetwork } from '@covey/testing'
import { createNode, localNetwork, openStore, type Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'

interface Device {
  readonly node: Node
  readonly files: Files
  readonly desk: string
  close(): Promise<void>
}

/** Devices that all have one file whole, each of which sends no more than so many bytes a second. */
export interface LimitedLinks {
  /** Fetches the file from the first so many of them on a device that has nothing; resolves with how long it took. */
  fetch(holders: number): Promise<number>
  close(): Promise<void>
}

export async function openLimitedLinks(network: LocalNetwork, folder: string, path: string, holders: number, bytesPerSecond: number): Promise<LimitedLinks> {
  const devices = await Promise.all(Array.from({ length: holders }, () => openDevice(network, folder)))
  const [sharer, ...others] = devices as [Device, ...Device[]]
  const { content } = await sharer.files.share(path)
  for (const { node, files, desk } of others) {
    await node.connect(sharer.node.publicKey)
    await files.open(content).saveTo(desk)
  }
  for (const { node } of devices) limit(node, bytesPerSecond)
  return {
    async fetch(count) {
      const receiver = await openDevice(network, folder)
      try {
        for (const { node } of devices.slice(0, count)) await receiver.node.connect(node.publicKey)
        const startedAt = performance.now()
        await receiver.files.open(content).saveTo(receiver.desk)
        return performance.now() - startedAt
      } finally {
        await receiver.close()
      }
    },
    async close() {
      await Promise.all(devices.map((device) => device.close()))
    }
  }
}

async function openDevice(network: LocalNetwork, parent: string): Promise<Device> {
  const folder = await mkdtemp(join(parent, 'device-'))
  const desk = join(folder, 'desk')
  await mkdir(desk)
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(join(folder, 'store')), network: localNetwork(network.bootstrap) })
  const files = await createFiles({ identity, node, folder: join(folder, 'files') })
  return {
    node,
    files,
    desk,
    async close() {
      await files.close()
      await node.close()
      await identity.close()
      await rm(folder, { recursive: true })
    }
  }
}

interface Stream {
  _write(frame: Uint8Array, done: () => void): void
}

/** What waits on a link for its turn, as in the buffers of a socket and a router: two of the largest frames, 50 ms of one of 10 MB/s. */
const QUEUE_BYTES = 524_288

/** Has each frame of the sessions that begin from now on arrive when such a link would have carried it. */
function limit(node: Node, bytesPerSecond: number): void {
  const { sessionSwarm } = partsOf(node) as { sessionSwarm: { on(event: 'connection', listener: (session: Stream) => void): void } }
  sessionSwarm.on('connection', (session) => {
    const write = session._write.bind(session)
    let freeAt = 0
    let queuedBytes = 0
    let before = Promise.resolve()
    let takeMore: (() => void) | undefined
    session._write = (frame, done) => {
      const arrivesAt = (freeAt = Math.max(freeAt, performance.now()) + (frame.length * 1_000) / bytesPerSecond)
      queuedBytes += frame.length
      before = before.then(async () => {
        const leftMs = arrivesAt - performance.now()
        if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs))
        await new Promise<void>((resolve) => write(frame, resolve))
        queuedBytes -= frame.length
        if (queuedBytes < QUEUE_BYTES) takeMore?.()
      })
      takeMore = () => {
        takeMore = undefined
        done()
      }
      if (queuedBytes < QUEUE_BYTES) takeMore()
    }
  })
}

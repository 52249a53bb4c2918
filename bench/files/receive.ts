import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalNetwork } from '@covey/testing'
import { createPeer, localNetwork, type SharedFile } from 'covey'
import { openStockCopy } from '../stock/drive.js'

/** What a process is to receive, from a peer that has all of it. */
export interface Receiving {
  readonly storage: string
  readonly bootstrap: LocalNetwork['bootstrap']
  /** The first file of a room, or one of a Hyperdrive, whose key is in hex. */
  readonly from: { readonly invite: string } | { readonly drive: string; readonly name: string }
  /** An empty folder that it is saved in; by default it is read to its end. */
  readonly folder?: string
}

/** What it took, from the call on. */
export interface Received {
  readonly bytes: number
  readonly ms: number
  readonly cpuMs: number
  /** Beyond what there was before. */
  readonly mostMemoryBytes: number
}

/** How often it is looked how much memory there is. */
const LOOK_MS = 50

const receiving = JSON.parse(process.argv[2]!) as Receiving
const { storage, bootstrap, from, folder } = receiving
await ('invite' in from ? receiveFromRoom(from.invite) : receiveFromDrive(from.drive, from.name))
process.disconnect?.()

async function receiveFromRoom(invite: string): Promise<void> {
  await using peer = await createPeer({ storage, name: 'Receiver', network: localNetwork(bootstrap) })
  const room = await peer.rooms.join(invite)
  for await (const message of room.messages({ live: true })) {
    const file = room.files.of(message)
    if (file === undefined) continue
    await measured(() => takeAll(file))
    break
  }
}

async function takeAll(file: SharedFile): Promise<number> {
  if (folder !== undefined) return (await stat(await file.saveTo(folder))).size
  let bytes = 0
  for await (const part of file.stream()) bytes += part.length
  return bytes
}

async function receiveFromDrive(drive: string, name: string): Promise<void> {
  const copy = await openStockCopy({ bootstrap }, storage, Buffer.from(drive, 'hex'))
  const path = join(folder!, 'saved')
  await measured(async () => {
    await copy.save(name, path)
    return (await stat(path)).size
  })
  await copy.close()
}

/** Tells when it begins, and then what it took. */
async function measured(receive: () => Promise<number>): Promise<void> {
  const idleBytes = process.memoryUsage.rss()
  let mostMemoryBytes = 0
  const look = (): void => void (mostMemoryBytes = Math.max(mostMemoryBytes, process.memoryUsage.rss() - idleBytes))
  const looking = setInterval(look, LOOK_MS)
  process.send!('begun')
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
  const bytes = await receive()
  const ms = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpu)
  look()
  clearInterval(looking)
  process.send!({ bytes, ms, cpuMs: (user + system) / 1_000, mostMemoryBytes } satisfies Received)
}

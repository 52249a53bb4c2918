// oxlint-disable-next-line typescript/triple-slash-reference -- the module has no types of its own
/// <reference path="./hyperdrive.d.ts" />
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { LocalNetwork } from '@covey/testing'
import Corestore from 'corestore'
import Hyperdrive from 'hyperdrive'
import { createStockSwarm } from './swarm.js'

/** A Hyperdrive that others can fetch from. */
export interface StockDrive {
  readonly key: Uint8Array
  /** Reads a file into the drive, under a name. */
  put(path: string, name: string): Promise<void>
  /** Gives the blocks back. */
  clear(name: string): Promise<void>
  close(): Promise<void>
}

/** A copy of one, on a device that is connected with it. */
export interface StockCopy {
  /** Fetches what has that name, and writes it to a file. */
  save(name: string, path: string): Promise<void>
  close(): Promise<void>
}

export async function openStockDrive(network: Pick<LocalNetwork, 'bootstrap'>, folder: string): Promise<StockDrive> {
  const store = new Corestore(join(folder, 'stock'))
  const drive = new Hyperdrive(store)
  await drive.ready()
  const swarm = createStockSwarm(network, (connection) => void store.replicate(connection))
  await swarm.join(drive.discoveryKey, { server: true, client: false }).flushed()
  return {
    key: drive.key,
    put: (path, name) => pipeline(createReadStream(path), drive.createWriteStream(name)),
    async clear(name) {
      await drive.clear(name)
    },
    async close() {
      await swarm.destroy()
      await drive.close()
    }
  }
}

export async function openStockCopy(network: Pick<LocalNetwork, 'bootstrap'>, folder: string, key: Uint8Array): Promise<StockCopy> {
  const store = new Corestore(folder)
  const drive = new Hyperdrive(store, key)
  await drive.ready()
  let swarm!: ReturnType<typeof createStockSwarm>
  await new Promise<void>((resolve) => {
    swarm = createStockSwarm(network, (connection) => {
      store.replicate(connection)
      resolve()
    })
    swarm.join(drive.discoveryKey, { server: false, client: true })
  })
  const known = async (name: string): Promise<void> => {
    for (;;) {
      // Without peers yet, as when they have just connected, `update` does not wait.
      const grown = new Promise((resolve) => drive.core.once('append', resolve))
      if ((await drive.entry(name)) !== null) return
      await grown
    }
  }
  return {
    async save(name, path) {
      await known(name)
      await pipeline(drive.createReadStream(name), createWriteStream(path))
    },
    async close() {
      await swarm.destroy()
      await drive.close()
    }
  }
}

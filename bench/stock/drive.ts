// oxlint-disable-next-line typescript/triple-slash-reference -- the module has no types of its own
/// <reference path="./hyperdrive.d.ts" />
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { LocalNetwork } from '@covey/testing'
import Corestore from 'corestore'
import Hyperdrive from 'hyperdrive'
import { createStockSwarm } from './swarm.js'

/** Two connected Hyperswarms, and a Hyperdrive that the first writes and the second reads. */
export interface StockDrive {
  /** Reads a file into the drive, under a name. */
  put(path: string, name: string): Promise<void>
  /** Fetches what has that name, and writes it to a file. */
  save(name: string, path: string): Promise<void>
  /** Gives the blocks back on both sides. */
  clear(name: string): Promise<void>
  close(): Promise<void>
}

export async function openStockDrive(network: LocalNetwork, folder: string): Promise<StockDrive> {
  const near = new Corestore(join(folder, 'stock-near'))
  const far = new Corestore(join(folder, 'stock-far'))
  const source = new Hyperdrive(near)
  await source.ready()
  const copy = new Hyperdrive(far, source.key)
  await copy.ready()
  const giver = createStockSwarm(network, (connection) => void near.replicate(connection))
  await giver.join(source.discoveryKey, { server: true, client: false }).flushed()
  let taker!: ReturnType<typeof createStockSwarm>
  await new Promise<void>((resolve) => {
    taker = createStockSwarm(network, (connection) => {
      far.replicate(connection)
      resolve()
    })
    taker.join(source.discoveryKey, { server: false, client: true })
  })

  const known = async (name: string): Promise<void> => {
    for (;;) {
      // Without peers yet, as when they have just connected, `update` does not wait.
      const grown = new Promise((resolve) => copy.core.once('append', resolve))
      if ((await copy.entry(name)) !== null) return
      await grown
    }
  }
  return {
    put: (path, name) => pipeline(createReadStream(path), source.createWriteStream(name)),
    async save(name, path) {
      await known(name)
      await pipeline(copy.createReadStream(name), createWriteStream(path))
    },
    async clear(name) {
      await Promise.all([source.clear(name), copy.clear(name)])
    },
    async close() {
      await Promise.all([giver.destroy(), taker.destroy()])
      await Promise.all([source.close(), copy.close()])
    }
  }
}

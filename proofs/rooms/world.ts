import { existsSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRequire } from 'node:module'
import type CorestoreClass from 'corestore'
import type ProtomuxWakeupClass from 'protomux-wakeup'
import { createMemorySecretStore, generatePhrase, openIdentity, type LocalIdentity } from '../../packages/identity/src/index.js'

// These are dependencies of the rooms, not of the proofs.
const require = createRequire(new URL('../../packages/rooms/src/index.ts', import.meta.url))
const Corestore = require('corestore') as typeof CorestoreClass
const ProtomuxWakeup = require('protomux-wakeup') as typeof ProtomuxWakeupClass

/** A machine of a person: its store lasts for all histories, in each of which it has another room. */
export interface Machine {
  readonly person: number
  readonly identity: LocalIdentity
  readonly corestore: CorestoreClass
  readonly wakeup: ProtomuxWakeupClass
}

export interface World {
  readonly machines: readonly Machine[]
  close(): Promise<void>
}

/** Who the machines belong to: four people, one of whom has two. */
const OWNERS = [0, 1, 2, 3, 3]

export async function createWorld(): Promise<World> {
  // In memory where there is such a folder: nothing here is about the disk.
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'covey-proof-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  // Also when the proof is ended before its time: what lies in memory is there until the machine is started anew.
  process.once('exit', remove)
  const phrases = OWNERS.map(() => generatePhrase())
  const machines = await Promise.all(
    OWNERS.map(async (person, i): Promise<Machine> => {
      const identity = await openIdentity({ storage: createMemorySecretStore(), phrase: phrases[person]! })
      const corestore = new Corestore(join(folder, `${i}`))
      await corestore.ready()
      return { person, identity, corestore, wakeup: new ProtomuxWakeup() }
    })
  )
  return {
    machines,
    async close() {
      for (const { corestore, wakeup, identity } of machines) {
        wakeup.destroy()
        await corestore.close()
        await identity.close()
      }
      process.off('exit', remove)
      remove()
    }
  }
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Corestore from 'corestore'
import { openView, type RoomView } from '../../packages/rooms/src/internal/view.js'

/** Views as a room has them, each in a core of its own, on one disk. */
export interface Views {
  open(): RoomView
  close(): Promise<void>
}

export async function createViews(): Promise<Views> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-bench-keys-'))
  const store = new Corestore(folder)
  await store.ready()
  let count = 0
  return {
    open() {
      const name = `view ${count++}`
      return openView({ get: () => store.get({ name }) } as unknown as Parameters<typeof openView>[0])
    },
    async close() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

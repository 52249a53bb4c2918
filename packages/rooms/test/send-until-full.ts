// A process of its own, because what is tested is what a full disk does to one.
import { appendFileSync, rmSync, statfsSync } from 'node:fs'
import { openIdentity } from '@covey/identity'
import { createRooms, type Room } from '@covey/rooms'
import { createNode, openStore, type Network, type Store } from '@covey/transport'

/** `awaited`: an invite, or the id of a message. */
const [mode, disk, network, awaited] = process.argv.slice(2) as [string, string, string, string?]

function tell(what: object): void {
  console.log(JSON.stringify(what))
}

/** Leaves so many bytes, and no more. */
function fillDisk(leave: number): void {
  const chunk = Buffer.alloc(65_536)
  try {
    for (let free = freeBytes() - leave; free > 0; free = freeBytes() - leave) {
      appendFileSync(`${disk}/ballast`, chunk.subarray(0, Math.min(free, chunk.length)))
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOSPC') throw error
  }
}

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(disk)
  return bavail * bsize
}

async function open() {
  const store: Store = await openStore(`${disk}/store`)
  const identity = await openIdentity({ storage: `${disk}/identity` })
  const node = createNode({ identity, store, network: JSON.parse(network) as Network })
  const rooms = await createRooms({ identity, node })
  const watch = (room: Room): void => void room.on('error', ({ code }) => tell({ event: 'error', code }))
  rooms.on('open', ({ room }) => watch(room))
  for (const room of rooms.list()) watch(room)
  const close = async (): Promise<void> => {
    await rooms.close()
    await node.close()
    await identity.close()
  }
  return { rooms, close }
}

async function report(room: Room): Promise<void> {
  for await (const { id, text } of room.messages()) tell({ event: 'message', id, text: text.slice(0, 20) })
}

async function arrival(room: Room, awaited: string): Promise<void> {
  for await (const { id } of room.messages({ live: true })) if (id === awaited) return
}

/** Several at once, so that the disk also fills within a commit of many. */
async function sendUntilFull(room: Room): Promise<void> {
  for (let next = 0; ; ) {
    const texts = Array.from({ length: 8 }, () => `${next++} `.padEnd(16_000, 'x'))
    const results = await Promise.allSettled(texts.map((text) => room.send(text)))
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') tell({ event: 'sent', id: result.value.id, text: texts[i]!.slice(0, 20) })
      else tell({ event: 'refused', code: (result.reason as { code?: string }).code ?? String(result.reason) })
    }
    if (results.some(({ status }) => status === 'rejected')) return
  }
}

switch (mode) {
  case 'start-on-full': {
    fillDisk(0)
    try {
      await open()
    } catch (error) {
      tell({ event: 'refused', code: (error as { code?: string }).code ?? String(error) })
    }
    rmSync(`${disk}/ballast`)
    // By the same process, which must not have kept the lock.
    const { rooms, close } = await open()
    await (await rooms.create({ name: 'Tea' })).send('first')
    await close()
    tell({ event: 'opened' })
    break
  }
  case 'create': {
    const { rooms, close } = await open()
    const room = await rooms.create({ name: 'Tea' })
    await room.send('first')
    await report(room)
    await close()
    break
  }
  case 'send-until-full': {
    const { rooms, close } = await open()
    const [room] = rooms.list()
    // A room that is open.
    await room!.info()
    fillDisk(200_000)
    await sendUntilFull(room!)
    await close()
    tell({ event: 'closed' })
    break
  }
  case 'open-on-full':
    fillDisk(0)
    try {
      const { close } = await open()
      tell({ event: 'opened' })
      await close()
    } catch (error) {
      tell({ event: 'refused', code: (error as { code?: string }).code ?? String(error) })
    }
    break
  case 'read': {
    const { rooms, close } = await open()
    const [room] = rooms.list()
    if (awaited !== undefined) await arrival(room!, awaited)
    await report(room!)
    const { id } = await room!.send('after')
    tell({ event: 'sent', id, text: 'after' })
    await close()
    tell({ event: 'closed' })
    break
  }
  case 'receive-until-full': {
    const { rooms, close } = await open()
    const room = await rooms.join(awaited!)
    const broken = new Promise<void>((resolve) => void room.on('error', () => resolve()))
    fillDisk(200_000)
    tell({ event: 'joined' })
    await broken
    await close()
    tell({ event: 'closed' })
    break
  }
}
process.exit(0)

import { decodeKey, encodeZ32 } from '@covey/core'
import type { Holding, MirrorClient } from '@covey/mirror/client'
import type { MirrorHealth, Room } from '@covey/rooms'
import type { RoomCores } from '@covey/rooms/internal'

/** A room that mirrors hold, open or asleep. */
export interface HeldRoom {
  /** The mirrors that are to hold it, by id. */
  readonly mirrors: readonly string[]
  /** What else of it they are to hold. */
  readonly holding: Pick<Holding, 'mirrors' | 'hold' | 'release'>
  /** Resolves when what is to be held, and by whom, is what the room says now. */
  look(): Promise<void>
  /** Tells what failed in the background. */
  onerror(error: unknown): void
}

/** Has a room held by the peer's mirrors, and by those that the room names while this device is a member. */
export function holdRoom(room: Room, cores: RoomCores, client: MirrorClient): HeldRoom {
  const holding = client.open()
  const held = new Set<string>()
  const changed = cores.tellMirrors(health)
  let named = ''
  let looking: Promise<void> | undefined
  let isChanged = false

  async function lookAgain(): Promise<void> {
    try {
      while (isChanged) await lookOnce()
    } finally {
      // Before anybody else runs: who asks from now on is not told of what was looked at before.
      looking = undefined
    }
  }

  async function lookOnce(): Promise<void> {
    isChanged = false
    const links = await cores.mirrors()
    if (links.join() !== named) {
      holding.name(links)
      changed()
    }
    named = links.join()
    if (client.mirrors.length + links.length === 0) return
    const keys = await cores.keys()
    for (const key of keys) held.add(encodeZ32(key))
    holding.hold(keys)
  }

  function look(): Promise<void> {
    isChanged = true
    looking ??= lookAgain()
    return looking
  }

  /** What each mirror says to lack of the `blocks` that this device wrote. */
  function health(blocks: number): MirrorHealth[] {
    const lengths = client.held(cores.own)
    const reachable = new Set(client.peers)
    return holding.mirrors.map((id) => {
      const isConnected = reachable.has(id)
      return { id, isConnected, missingBlocks: isConnected ? Math.max(0, blocks - (lengths.get(id) ?? 0)) : undefined }
    })
  }

  // Of a room that is closed, which is what this asks, nothing is news.
  const onerror = (error: unknown): void => void room.info().then(() => client.report(error), () => undefined)
  const onchange = (): void => void look().catch(onerror)
  const stops = [
    cores.onchange(onchange),
    // Autobase goes by what writers and readers tell each other, and a mirror does not speak its language.
    client.on('held', ({ key, length }) => {
      if (!held.has(encodeZ32(key))) return
      cores.wake(key, length).catch(onerror)
      changed()
    }),
    client.on('reach', changed),
    room.on('close', () => {
      for (const stop of stops) stop()
      if (cores.isLeft()) holding.release([...held].map((key) => decodeKey(key)))
      holding.close()
    })
  ]
  onchange()
  return {
    get mirrors() {
      return holding.mirrors
    },
    holding,
    look,
    onerror
  }
}

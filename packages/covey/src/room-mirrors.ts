import { assertInteger, assertOptions, assertSignal, encodeZ32, onAbort, throwIfAborted } from '@covey/core'
import { MirrorError, type MirrorClient } from '@covey/mirror/client'
import type { Room } from '@covey/rooms'
import { coresOf, type RoomCores } from '@covey/rooms/internal'

/** How long {@link RoomMirrors.durable} waits, and for whom. */
export interface DurableOptions {
  /** How many mirrors have to have it. Default 1. */
  readonly mirrors?: number
  /** How many of the members' other devices have to have it. Default 0. */
  readonly devices?: number
  readonly signal?: AbortSignal | undefined
}

/** Who has proven to have all that this device had said in a room when it was asked, by id. */
export interface Durability {
  readonly mirrors: readonly string[]
  readonly devices: readonly string[]
}

/** What mirrors do for one room. */
export interface RoomMirrors {
  /**
   * Resolves when everything that this device has said in the room so far is elsewhere too: from then on it is not lost
   * with this device. Each mirror and device that counts has answered a question that only who has the blocks can.
   *
   * @throws {MirrorError} TOO_FEW_MIRRORS when the peer has not so many.
   * @throws {RoomError} ROOM_CLOSED
   * @throws the signal's `reason` when it is aborted first.
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer({ storage: './alice', mirrors: process.argv.slice(2) })
   * const room = await alice.rooms.create({ name: 'Tea' })
   * await room.send('hello')
   * if (process.argv.length > 2) await room.durable({ mirrors: 1, signal: AbortSignal.timeout(30_000) })
   * ```
   */
  durable(options?: DurableOptions): Promise<Durability>
  /**
   * Who has everything that this device has said in the room, proven now. Who is not in reach is not in it.
   *
   * @throws {RoomError} ROOM_CLOSED
   */
  durability(): Promise<Durability>
}

/** How often devices are asked again: they do not tell what they have fetched. */
const ASK_AGAIN_MS = 1_000

/** Has the mirrors hold a room, for as long as it is open, and asks who has what. */
export function mirrorsOf(room: Room, client: MirrorClient): RoomMirrors {
  const cores = coresOf(room)
  if (client.mirrors.length > 0) keepHeld(room, cores, client)

  async function durable({ mirrors = 1, devices = 0, signal }: DurableOptions): Promise<Durability> {
    // Where the room is closed, this says so.
    await room.info()
    const length = await cores.written()
    const proven = { mirrors: new Set<string>(), devices: new Set<string>() }
    let wake = (): void => undefined
    const timer = setInterval(() => wake(), ASK_AGAIN_MS)
    const stops = [client.on('held', () => wake()), room.on('close', () => wake()), onAbort(signal, () => wake())]
    try {
      for (;;) {
        throwIfAborted(signal)
        const woken = new Promise<void>((resolve) => (wake = resolve))
        await proveAll(client, cores, length, proven)
        if (proven.mirrors.size >= mirrors && proven.devices.size >= devices) {
          return { mirrors: [...proven.mirrors], devices: [...proven.devices] }
        }
        // Where the room is closed, this says so.
        await room.info()
        await woken
      }
    } finally {
      clearInterval(timer)
      for (const stop of stops) stop()
    }
  }

  return {
    async durable(options = {}) {
      assertOptions(options, 'options', ['mirrors', 'devices', 'signal'])
      const { mirrors = 1, devices = 0, signal } = options
      assertInteger(mirrors, 'options.mirrors', { min: 0 })
      assertInteger(devices, 'options.devices', { min: 0 })
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      if (mirrors > client.mirrors.length) {
        throw new MirrorError('TOO_FEW_MIRRORS', `There are ${client.mirrors.length} mirrors, and ${mirrors} are asked for.`, {
          hint: 'Give the links of more to createPeer({ mirrors }).'
        })
      }
      return durable(options)
    },
    durability: () => durable({ mirrors: 0 })
  }
}

function keepHeld(room: Room, cores: RoomCores, client: MirrorClient): void {
  let isOpen = true
  const held = new Set<string>()
  const hold = async (): Promise<void> => {
    const keys = await cores.keys()
    for (const key of keys) held.add(encodeZ32(key))
    client.hold(keys)
  }
  // What is closed beneath it is no news.
  const onerror = (error: unknown): void => void (isOpen && client.report(error))
  const onchange = (): void => void hold().catch(onerror)
  const stops = [
    cores.onchange(onchange),
    // Autobase goes by what writers and readers tell each other, and a mirror does not speak its language.
    client.on('held', ({ key, length }) => {
      if (held.has(encodeZ32(key))) cores.wake(key, length).catch(onerror)
    }),
    room.on('close', () => {
      isOpen = false
      for (const stop of stops) stop()
    })
  ]
  onchange()
}

/** Adds who proves to have the first `length` blocks of what this device wrote. */
async function proveAll(
  client: MirrorClient,
  cores: RoomCores,
  length: number,
  proven: { readonly mirrors: Set<string>; readonly devices: Set<string> }
): Promise<void> {
  const held = client.held(cores.own)
  const reachable = new Set(client.peers)
  const prove = async (peer: string, to: Set<string>): Promise<void> => {
    if (!to.has(peer) && reachable.has(peer) && (await client.prove(peer, cores.own, length))) to.add(peer)
  }
  const mirrors = client.mirrors.filter((mirror) => (held.get(mirror) ?? 0) >= length)
  const devices = await cores.devices()
  await Promise.all([...mirrors.map((mirror) => prove(mirror, proven.mirrors)), ...devices.map((device) => prove(device, proven.devices))])
}

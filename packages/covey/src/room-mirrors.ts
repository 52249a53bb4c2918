import { assertInteger, assertOptions, assertSignal, decodeKey, onAbort, raceSignal, throwIfAborted } from '@covey/core'
import { MirrorError, type MirrorClient } from '@covey/mirror/client'
import { RoomError, type CallOptions, type Room } from '@covey/rooms'
import { coresOf } from '@covey/rooms/internal'
import { holdRoom } from './hold-room.js'
import type { FileMirrors } from './mirror-files.js'

/** How long {@link RoomMirrors.durable} waits, for what, and for whom. */
export interface DurableOptions {
  /** The id of a message, of anybody. Default: all that this device has said so far. */
  readonly message?: string
  /** In place of a message: the id of a file that this device shares, of which they have to have all. */
  readonly file?: string
  /** How many mirrors have to have it. Default 1. */
  readonly mirrors?: number
  /** How many of the members' other devices have to have it. Default 0. */
  readonly devices?: number
  readonly signal?: AbortSignal | undefined
}

/** Who has proven to have what was asked about when it was asked, by id. */
export interface Durability {
  readonly mirrors: readonly string[]
  readonly devices: readonly string[]
}

/** What mirrors do for one room. */
export interface RoomMirrors {
  /**
   * Resolves when everything that this device has said in the room so far is elsewhere too: from then on it is not lost
   * with this device. Each mirror and device that counts has answered a question that only who has the blocks can.
   * Where it has said nothing, that is at once, and nobody is asked. With `message` it is about what the author's device
   * had written up to that one. With `file` it is about that file alone, to its end.
   *
   * @throws {MirrorError} TOO_FEW_MIRRORS when the peer and the room have not so many, or they are not to hold the file:
   *   see `mirrorFiles` of `createPeer`.
   * @throws {FileError} FILE_FORGOTTEN where this device shares no such file, FILE_CHANGED, FILES_CLOSED
   * @throws {RoomError} ROOM_CLOSED, MESSAGE_NOT_FOUND for a message that is not in the log here, ROOM_NOT_WRITABLE,
   *   ROOM_STORAGE_FAILED when something that was told as sent cannot be written
   * @throws the signal's `reason` when it is aborted first.
   * @example
   * ```ts
   * import { createPeer } from 'covey'
   *
   * const alice = await createPeer({ storage: './alice', mirrors: process.argv.slice(2) })
   * const room = await alice.rooms.create({ name: 'Tea' })
   * const { id } = await room.send('hello')
   * if (process.argv.length > 2) await room.durable({ message: id, mirrors: 1, signal: AbortSignal.timeout(30_000) })
   * ```
   */
  durable(options?: DurableOptions): Promise<Durability>
  /**
   * Who has a message, by its id, or by default everything that this device has said in the room; proven now. Who is not
   * in reach is not in it, nor who does not answer within 10 s. What this device has not got itself it gets first; where
   * nobody gives it, nobody can prove it.
   *
   * @throws {RoomError} as {@link durable} does
   */
  durability(id?: string, options?: CallOptions): Promise<Durability>
}

/** How often devices are asked again: they do not tell what they have fetched. */
const ASK_AGAIN_MS = 1_000

/** What is to be proven: the first `length` blocks of a core, by its key. */
interface Place {
  readonly key: Uint8Array
  readonly length: number
}

/** Has the mirrors hold a room, open or asleep, until it is closed, and asks who has what. */
export function mirrorsOf(room: Room, client: MirrorClient, files: FileMirrors): RoomMirrors {
  const cores = coresOf(room)
  const held = holdRoom(room, cores, client)
  files.add(room, held.holding, held.look(), held.onerror)

  /** What is closed beneath a call fails in its own words. */
  async function whileOpen<Value>(work: () => Promise<Value>): Promise<Value> {
    await room.info()
    try {
      return await work()
    } catch (error) {
      await room.info()
      throw error
    }
  }

  async function placeOf(message: Uint8Array | undefined): Promise<Place> {
    if (message === undefined) return { key: cores.own, length: await cores.written() }
    const found = await cores.locate(message)
    if (found !== undefined) return found
    throw new RoomError('MESSAGE_NOT_FOUND', 'There is no such message in the log of the room.', {
      hint: 'One of another that is still pending may come.'
    })
  }

  async function durable(message: Uint8Array | undefined, { file, mirrors = 1, devices = 0, signal }: DurableOptions): Promise<Durability> {
    const place = await raceSignal(file === undefined ? placeOf(message) : files.cores.whole(file), signal)
    // It has said nothing that could be lost.
    if (place.length === 0) return { mirrors: [], devices: [] }
    const proofs = createProofs(place, signal)
    const failures: unknown[] = []
    let wake = (): void => undefined
    const timer = setInterval(() => wake(), ASK_AGAIN_MS)
    const stops = [client.on('held', () => wake()), room.on('close', () => wake()), onAbort(signal, () => wake())]
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => (wake = resolve))
        throwIfAborted(signal)
        if (failures.length > 0) throw failures[0]
        await room.info()
        if (file !== undefined) {
          // It may have been forgotten meanwhile.
          await files.cores.whole(file)
          if (mirrors > 0 && !files.isHeld(file)) throw notMirrored(mirrors)
        }
        // Who is silent holds up nobody: it goes on with each that has proven it.
        for (const proof of await proofs.ask()) {
          proof.then(
            (isProven) => void (isProven && wake()),
            (error: unknown) => {
              failures.push(error)
              wake()
            }
          )
        }
        const proven = proofs.proven()
        if (proven.mirrors.length >= mirrors && proven.devices.length >= devices) return proven
        await woken
      }
    } finally {
      clearInterval(timer)
      for (const stop of stops) stop()
    }
  }

  async function durability(message: Uint8Array | undefined, signal: AbortSignal | undefined): Promise<Durability> {
    const place = await placeOf(message)
    const proofs = createProofs(place, signal)
    if (place.length > 0) await Promise.all(await proofs.ask())
    return proofs.proven()
  }

  /** Who has proven to have the first `length` blocks of a core. */
  function createProofs({ key, length }: Place, signal: AbortSignal | undefined) {
    const mirrors = new Set<string>()
    const devices = new Set<string>()
    const asking = new Set<string>()

    async function prove(peer: string, proven: Set<string>): Promise<boolean> {
      asking.add(peer)
      try {
        if (!(await client.prove(peer, key, length, { signal }))) return false
        proven.add(peer)
        return true
      } finally {
        asking.delete(peer)
      }
    }

    return {
      proven: (): Durability => ({ mirrors: [...mirrors], devices: [...devices] }),
      /** Asks all who can be asked, have not proven it, and are not being asked. */
      async ask(): Promise<Promise<boolean>[]> {
        // Who asks has to know the answer.
        if (!(await client.fetch(key, length - 1, { signal }))) return []
        const members = await cores.devices()
        const claims = client.held(key)
        const reachable = new Set(client.peers)
        const askAll = (peers: readonly string[], proven: Set<string>): Promise<boolean>[] =>
          peers.filter((peer) => reachable.has(peer) && !proven.has(peer) && !asking.has(peer)).map((peer) => prove(peer, proven))
        return [...askAll(held.mirrors.filter((mirror) => (claims.get(mirror) ?? 0) >= length), mirrors), ...askAll(members, devices)]
      }
    }
  }

  return {
    async durable(options = {}) {
      assertOptions(options, 'options', ['message', 'file', 'mirrors', 'devices', 'signal'])
      const { message, file, mirrors = 1, devices = 0, signal } = options
      if (message !== undefined && file !== undefined) throw new TypeError('options.message and options.file exclude each other')
      if (file !== undefined) decodeKey(file, 'options.file')
      const id = message === undefined ? undefined : decodeKey(message, 'options.message')
      assertInteger(mirrors, 'options.mirrors', { min: 0 })
      assertInteger(devices, 'options.devices', { min: 0 })
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      return whileOpen(async () => {
        await raceSignal(held.look(), signal)
        if (mirrors > held.mirrors.length) throw tooFew(held.mirrors.length, mirrors)
        return durable(id, options)
      })
    },
    async durability(id, options = {}) {
      const message = id === undefined ? undefined : decodeKey(id, 'id')
      assertOptions(options, 'options', ['signal'])
      const { signal } = options
      assertSignal(signal, 'options.signal')
      throwIfAborted(signal)
      const asking = whileOpen(async () => {
        await held.look()
        return durability(message, signal)
      })
      return raceSignal(asking, signal)
    }
  }
}

function tooFew(present: number, wanted: number): MirrorError {
  return new MirrorError('TOO_FEW_MIRRORS', `Mirrors: ${present}, and ${wanted} are asked for.`, {
    hint: 'Give the links of more to room.setMirrors, or to createPeer({ mirrors }).'
  })
}

function notMirrored(wanted: number): MirrorError {
  return new MirrorError('TOO_FEW_MIRRORS', `Mirrors: ${wanted} are asked for, and none is to hold the file.`, {
    hint: 'Share it with mirror: true, or have createPeer({ mirrorFiles }) take larger ones, or more.'
  })
}

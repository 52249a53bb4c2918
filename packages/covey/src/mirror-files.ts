import { assertInteger, assertOptions } from '@covey/core'
import type { FileCores, OfferedFile } from '@covey/files/internal'
import type { Holding } from '@covey/mirror/client'
import type { Room } from '@covey/rooms'

/** Which of the files that a peer shares in rooms its mirrors, and those of the rooms, are to hold. */
export interface MirrorFilesInit {
  /**
   * The largest, in bytes, of those of which `share` says nothing else. Default {@link DEFAULT_MIRRORED_FILE_BYTES}. 0 for
   * those alone that are shared with `mirror: true`.
   */
  readonly maxFileBytes?: number
  /**
   * How much of them all, in bytes and over all rooms: where there is more, those that were shared last. Default
   * {@link DEFAULT_MIRRORED_BYTES}. 0 for none at all.
   */
  readonly maxBytes?: number
}

/** 16 MiB: pictures, voice notes and documents, and not the film that would take hours to send from a phone. */
export const DEFAULT_MIRRORED_FILE_BYTES = 16 * 2 ** 20
/** 256 MiB: a quarter of what a mirror holds for a device by default, so that what is said in rooms has its place there. */
export const DEFAULT_MIRRORED_BYTES = 256 * 2 ** 20
/** How many files mirrors are to hold at most: each is a core that is open here and there while both are connected. */
export const MAX_MIRRORED_FILES = 256

/** Several files that are shared at once are dealt with together. */
const SETTLE_MS = 50
/** How long after a change of a room it is seen whether messages were withdrawn, with what else changes until then. */
const LOOK_MS = 1_000
/** How many of the files of a room are looked at then, the newest; all of them once after each start. */
const MAX_LOOKED = 64

/** Has mirrors hold the files that a peer shares in its rooms, as its policy says. */
export interface FileMirrors {
  readonly cores: FileCores
  /** Has the files of a room held along with it, from when `ready` is over, until the room is closed. */
  add(room: Room, holding: FileHolding, ready: Promise<unknown>, onerror: (error: unknown) => void): void
  /** All rooms that there were were added: what is held before would be more than there is room for. */
  begin(): void
  /** Whether the mirrors of its room are to hold a file now, by its id. */
  isHeld(id: string): boolean
  /** Idempotent. */
  close(): void
}

type FileHolding = Pick<Holding, 'mirrors' | 'hold' | 'release'>

interface HeldFiles {
  readonly holding: FileHolding
  isReady: boolean
  /** The keys of their cores, by id. */
  keys: ReadonlyMap<string, Uint8Array>
}

/** @throws {TypeError} that names the field. */
export function createFileMirrors(cores: FileCores, policy: MirrorFilesInit): FileMirrors {
  assertOptions(policy, 'init.mirrorFiles', ['maxFileBytes', 'maxBytes'])
  const { maxFileBytes = DEFAULT_MIRRORED_FILE_BYTES, maxBytes = DEFAULT_MIRRORED_BYTES } = policy
  assertInteger(maxFileBytes, 'init.mirrorFiles.maxFileBytes', { min: 0 })
  assertInteger(maxBytes, 'init.mirrorFiles.maxBytes', { min: 0 })
  const rooms = new Map<string, HeldFiles>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let hasBegun = false

  /** By what the policy says: the newest first, as long as there is room. */
  function choose(): OfferedFile[] {
    let left = maxBytes
    const chosen: OfferedFile[] = []
    for (const file of cores.offered()) {
      const { size, offered: { group, isAsked } } = file
      // Of what is not read to its end and has no size yet, nobody knows what it will be.
      if (!rooms.has(group) || size === undefined || size > left) continue
      if (!isAsked && (maxFileBytes === 0 || size > maxFileBytes)) continue
      left -= size
      chosen.push(file)
      if (chosen.length === MAX_MIRRORED_FILES) break
    }
    return chosen
  }

  function settle(): void {
    clearTimeout(timer)
    timer = undefined
    const chosen = maxBytes === 0 ? [] : choose()
    for (const [id, held] of rooms) {
      if (!held.isReady) continue
      const keys = new Map(chosen.filter(({ offered }) => offered.group === id).map((file) => [file.id, file.key]))
      const before = held.keys
      held.keys = keys
      held.holding.release([...before].flatMap(([file, key]) => (keys.has(file) ? [] : [key])))
      held.holding.hold([...keys].flatMap(([file, key]) => (before.has(file) ? [] : [key])))
    }
  }

  function settleSoon(): void {
    if (hasBegun && rooms.size > 0) timer ??= setTimeout(settle, SETTLE_MS)
  }

  const stop = cores.onchange(settleSoon)

  return {
    cores,
    add(room, holding, ready, onerror) {
      const held: HeldFiles = { holding, isReady: false, keys: new Map() }
      rooms.set(room.id, held)
      const stopWatching = watchWithdrawn(room, cores, holding, onerror)
      room.on('close', () => {
        stopWatching()
        // Others get its place when something is shared next: rooms are closed one by one when the peer is.
        if (rooms.get(room.id) === held) rooms.delete(room.id)
      })
      // What is said in the room comes first, where a mirror has no room for all. That it failed is told by who looked.
      const begin = (): void => {
        held.isReady = true
        settleSoon()
      }
      void ready.then(begin, begin)
    },
    begin() {
      hasBegun = true
      settleSoon()
    },
    isHeld(id) {
      if (timer !== undefined) settle()
      return [...rooms.values()].some(({ keys }) => keys.has(id))
    },
    close() {
      stop()
      rooms.clear()
      clearTimeout(timer)
    }
  }
}

/** Notices messages that were withdrawn, by whomever: what they offered is offered no more. Opens no room that sleeps. */
function watchWithdrawn(room: Room, cores: FileCores, holding: FileHolding, onerror: (error: unknown) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let hasLooked = false

  async function look(): Promise<void> {
    // Nobody holds any of it.
    if (holding.mirrors.length === 0) return
    const files = cores.offered().filter(({ offered }) => offered.group === room.id)
    const looked = hasLooked ? files.slice(0, MAX_LOOKED) : files
    hasLooked = true
    for (const { id, offered } of looked) {
      if (offered.message === undefined) continue
      const message = await room.message(offered.message)
      if (message?.kind === 'deleted') await cores.offer(id, undefined)
    }
  }

  const stop = room.on('update', () => {
    timer ??= setTimeout(() => {
      timer = undefined
      look().catch(onerror)
    }, LOOK_MS)
  })
  return () => {
    stop()
    clearTimeout(timer)
  }
}

import { isCoveyError, decodeKey, equalBytes } from '@covey/core'
import type { Node } from '@covey/transport'
import type { Directory } from './direct-rooms.js'
import { inboxTopic } from './dm-message.js'

/** How many people are looked for at a time: each is a topic to announce and to look up. */
const MAX_SOUGHT = 64
/** How many devices of a person are dialled. */
const MAX_DIALLED = 8
/** How long the same people come first, where not all can: then others do, as many as a device is asked about at once. */
const TURN_MS = 5 * 60_000
const TURN_STEP = 12

/** Looks for the devices of people, until they are found. */
export interface Seeking {
  /** Whom to look for, and a device by which each was met, if any; those first whom somebody waits for. Others are looked for no more. */
  set(people: ReadonlyMap<string, Uint8Array | null | undefined>, awaited?: ReadonlySet<string>): Promise<void>
  close(): Promise<void>
}

/** In which order people are looked for: first those whom somebody waits for, the others by turns, which change with time. */
export function inTurn(people: readonly string[], awaited: ReadonlySet<string>): string[] {
  const others = people.filter((person) => !awaited.has(person))
  const first = others.length === 0 ? 0 : (Math.floor(Date.now() / TURN_MS) * TURN_STEP) % others.length
  return [...people.filter((person) => awaited.has(person)), ...others.slice(first), ...others.slice(0, first)]
}

export function createSeeking(node: Node, directory: Directory, onerror: (error: unknown) => void): Seeking {
  const seekers = new Map<string, () => Promise<void>>()
  let isClosed = false

  async function start(person: string, device: Uint8Array | null | undefined): Promise<() => Promise<void>> {
    const key = decodeKey(person)
    const known = await directory.devicesOf(key, MAX_DIALLED - 1)
    const devices = device && !known.some((one) => equalBytes(one, device)) ? [...known, device] : known
    const contacts = isClosed ? [] : devices.flatMap((one) => dial(one) ?? [])
    const topic = isClosed ? undefined : node.join(inboxTopic(key))
    return async () => {
      for (const contact of contacts) contact.close()
      await topic?.close()
    }
  }

  function dial(device: Uint8Array): { close(): void } | undefined {
    if (equalBytes(device, node.publicKey)) return undefined
    try {
      return node.addContact(device)
    } catch (error) {
      if (isCoveyError(error, 'PEER_BLOCKED')) return undefined
      throw error
    }
  }

  let turn: Promise<void> = Promise.resolve()
  let turning: ReturnType<typeof setTimeout> | undefined

  async function seek(people: ReadonlyMap<string, Uint8Array | null | undefined>, awaited: ReadonlySet<string>): Promise<void> {
    const wanted = new Set(isClosed ? [] : inTurn([...people.keys()], awaited).slice(0, MAX_SOUGHT))
    for (const [person, stop] of seekers) {
      if (wanted.has(person)) continue
      seekers.delete(person)
      await stop()
    }
    for (const person of wanted) {
      if (!seekers.has(person)) seekers.set(person, await start(person, people.get(person)))
    }
  }

  return {
    set(people, awaited = new Set()) {
      clearTimeout(turning)
      turn = turn.catch(() => undefined).then(() => seek(people, awaited))
      if (!isClosed && people.size > MAX_SOUGHT) {
        turning = setTimeout(() => void this.set(people, awaited).catch(onerror), TURN_MS)
        // Nobody stays for that.
        ;(turning as { unref?: () => void }).unref?.()
      }
      return turn
    },
    async close() {
      isClosed = true
      await this.set(new Map())
    }
  }
}

import { isCoveyError, decodeKey, equalBytes } from '@covey/core'
import type { Node } from '@covey/transport'
import type { Directory } from './direct-rooms.js'
import { inboxTopic } from './dm-message.js'

/** How many people are looked for at a time: each is a topic to announce and to look up. */
const MAX_SOUGHT = 64
/** How many devices of a person are dialled. */
const MAX_DIALLED = 8

/** Looks for the devices of people, until they are found. */
export interface Seeking {
  /** Whom to look for, and a device by which each was met, if any. Others are looked for no more. */
  set(people: ReadonlyMap<string, Uint8Array | null | undefined>): Promise<void>
  close(): Promise<void>
}

export function createSeeking(node: Node, directory: Directory): Seeking {
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

  return {
    set(people) {
      turn = turn
        .catch(() => undefined)
        .then(async () => {
          const wanted = isClosed ? new Map<string, null>() : new Map([...people].slice(0, MAX_SOUGHT))
          for (const [person, stop] of seekers) {
            if (wanted.has(person)) continue
            seekers.delete(person)
            await stop()
          }
          for (const [person, device] of wanted) {
            if (!seekers.has(person)) seekers.set(person, await start(person, device))
          }
        })
      return turn
    },
    async close() {
      isClosed = true
      await this.set(new Map())
    }
  }
}

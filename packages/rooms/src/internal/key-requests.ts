import { equalBytes } from '@covey/core'
import type { EpochKeys } from './epoch-keys.js'
import { createRateLimit, type RateLimit } from './guards/rate-limit.js'
import type { Keyring } from './keyring.js'
import { mapKey } from './map-key.js'
import type { OpLog } from './op-log.js'
import type { KeyRequestRow, RoomView } from './view.js'

/** Asks the others for keys that this device lacks, and gives them what they lack. */
export interface KeyRequests {
  /** Asks for the key of an epoch, if this device may have it; again, if what it was given is no good. */
  ask(epoch: Uint8Array): void
  /** To be called when members, devices or epochs have changed. */
  changed(): void
  /** Whether this device is about to answer somebody, unless others do before. */
  isWaiting(): boolean
  close(): void
}

export interface KeyRequestsInit {
  readonly view: RoomView
  readonly log: OpLog
  readonly keyring: Keyring
  readonly epochKeys: EpochKeys
  /** This device's writer core. */
  readonly writer: Uint8Array
  readonly onerror: (error: unknown) => void
}

/** Who made an epoch answers at once; the others wait their turn, so that mostly one answers. */
const MIN_WAIT_MS = 500
const MAX_WAIT_MS = 5_000
/** How often a device asks for a key: somebody may answer with garbage, as often as they are asked. */
const MAX_ASKS = 3
/** How often this device answers one that asks for the same key; others may answer too. */
const MAX_ANSWERS = 3
/** How many keys this device gives one that asks: the epochs of years at once, and then one in ten minutes. */
const ANSWER_RATE = { burst: 256, perSecond: 1 / 600 }

export function createKeyRequests({ view, log, keyring, epochKeys, writer, onerror }: KeyRequestsInit): KeyRequests {
  const asked = new Map<string, number>()
  const asking = new Set<string>()
  const answers = new Map<string, number>()
  const rates = new Map<string, RateLimit>()
  const waiting = new Map<string, ReturnType<typeof setTimeout>>()
  let closed = false

  /** @returns whether anybody was asked. */
  async function request(epoch: Uint8Array): Promise<boolean> {
    const [device, row] = await Promise.all([view.device(writer), view.epoch(epoch)])
    if (device === null || row === null || !(await keyring.mayHave(device, row))) return false
    if ((await view.keyRequest(epoch, writer)) !== null) return false
    await log.append([{ type: 'keyRequest', target: epoch }])
    return true
  }

  async function plan(): Promise<void> {
    for (const request of await view.all('key-requests')) {
      const name = mapKey(request.epoch) + mapKey(request.writer)
      if (waiting.has(name) || equalBytes(request.writer, writer)) continue
      const isOwn = equalBytes((await view.epoch(request.epoch))?.writer ?? request.epoch, writer)
      const waitMs = isOwn ? 0 : MIN_WAIT_MS + Math.random() * (MAX_WAIT_MS - MIN_WAIT_MS)
      if (closed) return
      waiting.set(
        name,
        setTimeout(() => {
          waiting.delete(name)
          answer(request).catch(report)
        }, waitMs)
      )
    }
  }

  async function answer({ epoch, writer: asking }: KeyRequestRow): Promise<void> {
    if (closed || (await view.keyRequest(epoch, asking)) === null) return
    const [device, row, key] = await Promise.all([view.device(asking), view.epoch(epoch), epochKeys.key(epoch)])
    if (device === null || row === null || key === undefined || !(await keyring.mayHave(device, row))) return
    if (!mayAnswer(epoch, asking)) return
    await log.append(keyring.grant({ id: epoch, key }, [device]))
  }

  /** Each answer is an op of this device's: who asks without end must not make others write without end. */
  function mayAnswer(epoch: Uint8Array, asking: Uint8Array): boolean {
    const given = answers.get(mapKey(epoch) + mapKey(asking)) ?? 0
    const rate = rates.get(mapKey(asking)) ?? createRateLimit(ANSWER_RATE)
    rates.set(mapKey(asking), rate)
    if (given >= MAX_ANSWERS || !rate.take()) return false
    answers.set(mapKey(epoch) + mapKey(asking), given + 1)
    return true
  }

  function report(error: unknown): void {
    if (!closed) onerror(error)
  }

  return {
    ask(epoch) {
      const name = mapKey(epoch)
      const times = asked.get(name) ?? 0
      if (closed || asking.has(name) || times === MAX_ASKS) return
      asking.add(name)
      request(epoch)
        .then((hasAsked) => asked.set(name, times + (hasAsked ? 1 : 0)), report)
        .finally(() => asking.delete(name))
    },
    changed() {
      plan().catch(report)
    },
    isWaiting: () => waiting.size > 0,
    close() {
      closed = true
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    }
  }
}

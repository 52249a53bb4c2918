import { equalBytes } from '@covey/core'
import type { EpochKeys } from './epoch-keys.js'
import { createRateLimit, type RateLimit } from './guards/rate-limit.js'
import type { Keyring } from './keyring.js'
import { mapKey } from './map-key.js'
import type { OpLog } from './op-log.js'
import { createRounds } from './rounds.js'
import type { DeviceRow, EpochRow, KeyRequestRow, RoomView } from './view.js'

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

interface Answer {
  readonly device: DeviceRow
  readonly epoch: EpochRow
  readonly key: Uint8Array
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
    const [written] = await log.append([{ type: 'keyRequest', target: epoch }])
    return written!.isAccepted
  }

  const plans = createRounds(async () => {
    for (const request of await view.all('key-requests')) {
      if (closed) return
      const name = mapKey(request.epoch) + mapKey(request.writer)
      // What cannot be answered now is looked at again when something has changed: nothing waits for it.
      const answerable = waiting.has(name) || equalBytes(request.writer, writer) ? undefined : await find(request)
      if (answerable === undefined || closed) continue
      const isOwn = equalBytes(answerable.epoch.writer, writer)
      const waitMs = isOwn ? 0 : MIN_WAIT_MS + Math.random() * (MAX_WAIT_MS - MIN_WAIT_MS)
      waiting.set(
        name,
        setTimeout(() => {
          waiting.delete(name)
          answer(request).catch(report)
        }, waitMs)
      )
    }
  }, report)

  /** What answers a request, if this device may answer it, and can. */
  async function find({ epoch: id, writer: asking }: KeyRequestRow): Promise<Answer | undefined> {
    if ((answers.get(mapKey(id) + mapKey(asking)) ?? 0) >= MAX_ANSWERS) return undefined
    const [device, epoch] = await Promise.all([view.device(asking), view.epoch(id)])
    if (device === null || epoch === null || !(await keyring.mayHave(device, epoch))) return undefined
    const key = await epochKeys.key(id)
    return key && { device, epoch, key }
  }

  async function answer(request: KeyRequestRow): Promise<void> {
    if (closed || (await view.keyRequest(request.epoch, request.writer)) === null) return
    const found = await find(request)
    if (found === undefined || !mayAnswer(request)) return
    await log.append(keyring.grant({ id: request.epoch, key: found.key }, [found.device]))
  }

  /** Each answer is an op of this device's: who asks without end must not make others write without end. */
  function mayAnswer({ epoch, writer: asking }: KeyRequestRow): boolean {
    const rate = rates.get(mapKey(asking)) ?? createRateLimit(ANSWER_RATE)
    rates.set(mapKey(asking), rate)
    if (!rate.take()) return false
    const name = mapKey(epoch) + mapKey(asking)
    answers.set(name, (answers.get(name) ?? 0) + 1)
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
    changed: plans.ask,
    isWaiting: () => waiting.size > 0,
    close() {
      closed = true
      for (const timer of waiting.values()) clearTimeout(timer)
      waiting.clear()
    }
  }
}

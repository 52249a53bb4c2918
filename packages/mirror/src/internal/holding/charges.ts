import { createTurns, decodeKey, encodeZ32, isCoveyError } from '@covey/core'

/**
 * What counts use against credit. `createMeter` of `@covey/payments` does, with a byte for a millisecond as its unit
 * (`per: GB_DAY`); so does an object of one's own in front of it, which makes customers of devices.
 */
export interface MirrorMeter {
  /**
   * Sets credit aside for so many units, from 1 on.
   *
   * @param device the key of a device, 32 bytes.
   * @throws an error with the code CREDIT_EXHAUSTED where there is none for all of it.
   */
  hold(device: Uint8Array, units: bigint): Promise<MeterHold>
  /** Takes what was used of it, at most all, and lets go of the rest. */
  settle(device: Uint8Array, id: Uint8Array, units: bigint): Promise<void>
  /** What is set aside of a device's credit, or of that of whoever pays for it; also of an earlier process. */
  holds(device: Uint8Array): readonly MeterHold[]
}

interface MeterHold {
  readonly id: Uint8Array
  readonly units: bigint
}

export interface ChargesInit {
  readonly meter: MirrorMeter
  readonly periodMs: number
  /** The devices for which something is kept now. */
  readonly kept: () => Iterable<string>
  /** How many bytes are kept for a device now. */
  readonly bytesOf: (device: string) => number
  /** A device cannot pay for what is kept for it. */
  readonly onunpaid: (device: string) => Promise<void>
  readonly onerror: (error: unknown) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What devices pay for the room that is kept for them: set aside for a period before, and settled when it ends. */
export interface Charges {
  /** Whether so many bytes may be kept for a device from now on: they are, when credit is set aside for them. */
  reserve(device: string, bytes: number): Promise<boolean>
  /** Begins to charge for what is kept already. */
  begin(): Promise<void>
  /** Settles what was kept until now. */
  close(): Promise<void>
}

/** What one device has paid for until the period ends. */
interface Paid {
  since: number
  bytes: number
  holds: MeterHold[]
}

/** So much more than is wanted is set aside at first; later as much again as there is. */
const AHEAD_BYTES = 1_048_576

export function createCharges({ meter, periodMs, kept, bytesOf, onunpaid, onerror, now }: ChargesInit): Charges {
  const devices = new Map<string, Paid>()
  /** The holds of this process: several devices may be one customer. */
  const made = new Set<string>()
  const turns = createTurns()
  let endsAt = now() + periodMs
  const timer = setInterval(() => {
    endsAt = now() + periodMs
    // Those too of which it failed the last time.
    for (const device of new Set([...devices.keys(), ...kept()])) renew(device).catch(onerror)
  }, periodMs)

  async function extend(device: string, bytes: number): Promise<boolean> {
    const customer = decodeKey(device)
    const paid = devices.get(device) ?? { since: now(), bytes: 0, holds: [] }
    if (bytes <= paid.bytes) return true
    // Of an earlier process, which has ended without settling: nobody knows for how long anything was kept.
    if (paid.holds.length === 0) for (const { id } of meter.holds(customer)) if (!made.has(encodeZ32(id))) await meter.settle(customer, id, 0n)
    for (const wanted of [Math.max(2 * paid.bytes, bytes + AHEAD_BYTES), bytes]) {
      const units = BigInt(wanted - paid.bytes) * BigInt(Math.max(1, endsAt - now()))
      try {
        const hold = await meter.hold(customer, units)
        made.add(encodeZ32(hold.id))
        paid.holds.push(hold)
      } catch (error) {
        if (!isCoveyError(error, 'CREDIT_EXHAUSTED')) throw error
        continue
      }
      paid.bytes = wanted
      devices.set(device, paid)
      return true
    }
    return false
  }

  /** Charges for what is kept as if all of it had been from the start, but for no more than was set aside. */
  async function settle(device: string): Promise<void> {
    const { since, holds } = devices.get(device)!
    let used = BigInt(bytesOf(device)) * BigInt(Math.max(0, now() - since))
    for (let hold = holds[0]; hold !== undefined; hold = holds[0]) {
      const units = used < hold.units ? used : hold.units
      await meter.settle(decodeKey(device), hold.id, units)
      made.delete(encodeZ32(hold.id))
      holds.shift()
      used -= units
    }
    devices.delete(device)
  }

  /** Begins to charge a device, after it has paid for the time before. */
  async function renew(device: string): Promise<void> {
    const isPaid = await turns.take(device, undefined, async () => {
      if (devices.has(device)) await settle(device)
      const bytes = bytesOf(device)
      return bytes === 0 || extend(device, bytes)
    })
    // Not in its turn: whoever takes over what was kept for it waits for turns too.
    if (!isPaid) await onunpaid(device)
  }

  return {
    reserve: (device, bytes) => turns.take(device, undefined, () => extend(device, bytes)),
    async begin() {
      await Promise.all([...kept()].map(renew))
    },
    async close() {
      clearInterval(timer)
      await turns.end()
      for (const device of devices.keys()) await settle(device)
    }
  }
}

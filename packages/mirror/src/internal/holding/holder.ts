import type Corestore from 'corestore'
import { decodeKey, encodeZ32 } from '@covey/core'
import type { MirrorLimits } from '../../limits.js'
import type { RefusalCode } from './channel.js'
import { HeldCore } from './held-core.js'
import type { HeldRecord, HeldRecords } from './records.js'

/** What is told to the devices that asked. */
export interface HolderEvents {
  readonly onheld: (client: string, key: Uint8Array, length: number) => void
  readonly onrefused: (client: string, key: Uint8Array, code: RefusalCode) => void
  readonly onerror: (error: unknown) => void
}

export interface HolderInit extends HolderEvents {
  readonly corestore: Corestore
  readonly records: HeldRecords
  readonly limits: MirrorLimits
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Whether so many bytes may be kept at the expense of a device, as far as it pays for them. Default: always. */
  readonly reserve?: (client: string, bytes: number) => Promise<boolean>
}

/** What a mirror holds now. */
export interface HolderStats {
  /** Devices that are connected and have asked for something. */
  readonly clients: number
  readonly cores: number
  /** Of them, those that somebody who is connected asked for. */
  readonly openCores: number
  /** The room that is set aside for their blocks, as `MirrorLimits` counts it. */
  readonly bytes: number
}

interface Held {
  record: HeldRecord
  /** Open while a device that asked is connected. */
  core: HeldCore | undefined
  /** What the disk says of it. */
  written: HeldRecord
  readonly clients: Set<string>
}

/** What is held at the expense of one device. */
export interface HolderUsage {
  readonly cores: number
  /** As `MirrorLimits` counts them. */
  readonly bytes: number
}

const NOTHING: HolderUsage = { cores: 0, bytes: 0 }

/** At whose expense is what was asked for and is not any more: it is kept as long as there is room for it. */
const NOBODY = encodeZ32(new Uint8Array(32))

/** Counted for each block beside its bytes: its hashes take room on the disk, also where it is empty. */
const BLOCK_COST_BYTES = 512
/** The record of a core is written again when it has grown by so much: after a kill, as much is counted anew. */
const WRITE_BYTES = 65_536
/** And when this many seconds have gone by since it was last asked for. */
const WRITE_SECONDS = 3_600

/** The cores that a mirror holds: for whom, how much of them, and which give way when the disk is full. */
export class Holder {
  readonly #init: HolderInit
  readonly #held = new Map<string, Held>()
  /** Those of them that nobody is here for, in the order in which they give way. */
  readonly #idle = new Map<string, Held>()
  /** Those of them that nobody asks for any more: they give way before all others. */
  readonly #released = new Map<string, Held>()
  readonly #usage = new Map<string, HolderUsage>()
  /** The devices that are connected, and how many cores each has asked for since. */
  readonly #present = new Map<string, number>()
  /** What is being closed or removed, by core. */
  readonly #ending = new Map<string, Promise<void>>()
  #bytes = 0
  #isPaused = false

  private constructor(init: HolderInit) {
    this.#init = init
  }

  static async open(init: HolderInit): Promise<Holder> {
    const holder = new Holder(init)
    const records: HeldRecord[] = []
    for await (const record of init.records.all()) records.push(record)
    for (const record of records.sort((a, b) => a.usedAt - b.usedAt)) {
      const held: Held = { record, core: undefined, written: record, clients: new Set() }
      holder.#held.set(encodeZ32(record.key), held)
      holder.#queueOf(held).set(encodeZ32(record.key), held)
      holder.#count(record, 1, record.bytes)
    }
    return holder
  }

  get stats(): HolderStats {
    let openCores = 0
    for (const { core } of this.#held.values()) if (core !== undefined) openCores++
    return { clients: this.#present.size, cores: this.#held.size, openCores, bytes: this.#bytes }
  }

  /** What is held at the expense of each device. */
  get usage(): ReadonlyMap<string, HolderUsage> {
    return new Map(this.#usage)
  }

  /** Of one device. */
  usageOf(client: string): HolderUsage {
    return this.#usage.get(client) ?? NOTHING
  }

  /** A device that is connected asks for cores to be held. What is held already is told at once. */
  async hold(client: string, keys: readonly Uint8Array[]): Promise<void> {
    if (!this.#present.has(client)) this.#present.set(client, 0)
    // What cannot be kept of one keeps none of the others away.
    for (const key of keys) await this.#holdOne(client, key).catch(this.#init.onerror)
  }

  /** A device that is connected wants cores held no more: it has the room again, and they are another's who is here, or nobody's. */
  async release(client: string, keys: readonly Uint8Array[]): Promise<void> {
    for (const key of keys) {
      const id = encodeZ32(key)
      const held = this.#held.get(id)
      if (held?.clients.delete(client) !== true) continue
      this.#present.set(client, this.#present.get(client)! - 1)
      if (held.clients.size === 0) {
        if (payerIn(held) === client) this.#charge(held, NOBODY, held.record.bytes)
        this.#rest(id, held)
      } else if (payerIn(held) === client) {
        const payer = await this.#payerOf(held, held.record.bytes, client)
        if (payer !== undefined && this.#isAt(client, id, held)) this.#charge(held, payer, held.record.bytes)
      }
    }
  }

  /** A device is gone: what only it asked for is fetched no more, and stays on the disk. */
  left(client: string): void {
    this.#present.delete(client)
    for (const [id, held] of this.#held) {
      if (held.clients.delete(client) && held.clients.size === 0) this.#rest(id, held)
    }
  }

  /** Keeps nothing at the expense of a device any more: what nobody else here has the room for is removed. */
  async drop(client: string): Promise<void> {
    for (const [id, held] of this.#held) await this.#dropOne(client, id, held)
  }

  /** Fetches nothing more until {@link resume}, because the disk is full. What is here is given as ever. */
  pause(): void {
    this.#isPaused = true
    for (const { core } of this.#held.values()) core?.grow()
  }

  /** Fetches what devices that are here have asked for. */
  resume(): void {
    this.#isPaused = false
    for (const held of this.#held.values()) {
      if (held.core?.isBroken === true) held.core = undefined
      const [client] = held.clients
      if (held.core !== undefined) held.core.grow()
      else if (client !== undefined) this.#holdOne(client, held.record.key).catch(this.#init.onerror)
    }
  }

  /** Looks again whether there is room for what a device asked for. */
  retry(client: string): void {
    for (const { clients, core } of this.#held.values()) if (clients.has(client)) core?.grow()
  }

  async close(): Promise<void> {
    this.#present.clear()
    for (const [id, held] of this.#held) this.#rest(id, held)
    await Promise.all(this.#ending.values())
    await this.#init.records.close()
  }

  async #holdOne(client: string, key: Uint8Array): Promise<void> {
    const id = encodeZ32(key)
    await this.#ending.get(id)
    const asked = this.#present.get(client)
    if (asked === undefined) return
    const isNew = !this.#held.get(id)?.clients.has(client)
    const isTooMany = isNew && asked >= this.#init.limits.maxClientCores
    const held = isTooMany ? 'QUOTA_EXCEEDED' : (this.#held.get(id) ?? this.#admit(id, client, key))
    if (typeof held === 'string') return this.#init.onrefused(client, key, held)
    if (payerIn(held) === NOBODY) {
      if (!(await this.#canPay(client, held, held.record.bytes))) return this.#init.onrefused(client, key, 'QUOTA_EXCEEDED')
      if (this.#held.get(id) !== held || !this.#present.has(client)) return this.#holdOne(client, key)
      this.#charge(held, client, held.record.bytes)
    }
    if (isNew) {
      this.#present.set(client, asked + 1)
      held.clients.add(client)
      this.#leaveQueues(id)
      // There may be room at the expense of this one.
      held.core?.grow()
    }
    // Of what is new here, not even the name has room.
    if (this.#isPaused && held.core === undefined && held.record.usedAt === 0) return this.#init.onrefused(client, key, 'MIRROR_FULL')
    held.core ??= new HeldCore({
      corestore: this.#init.corestore,
      key,
      mayGrow: async (length, bytes) => {
        if (this.#isPaused && length > (held.core?.length ?? 0)) return this.#refuse(held, 'MIRROR_FULL')
        return this.#mayGrow(held, Math.max(bytes, held.record.received) + length * BLOCK_COST_BYTES)
      },
      onreceived: (bytes) => this.#receive(held, bytes),
      ongrown: () => this.#tell(held),
      onerror: this.#init.onerror
    })
    this.#tell(held)
    const usedAt = Math.floor(this.#init.now() / 1_000)
    if (!this.#isPaused && usedAt - held.record.usedAt >= WRITE_SECONDS) await this.#write(held, { usedAt })
  }

  /** A place for one more core, or why there is none. */
  #admit(id: string, client: string, key: Uint8Array): Held | RefusalCode {
    const { maxCores, maxClientCores } = this.#init.limits
    if (this.usageOf(client).cores >= maxClientCores) return 'QUOTA_EXCEEDED'
    if (this.#held.size >= maxCores && !this.#evict()) return 'MIRROR_FULL'
    const record = { key, client: decodeKey(client), bytes: 0, usedAt: 0, received: 0 }
    const held: Held = { record, core: undefined, written: record, clients: new Set() }
    this.#held.set(id, held)
    this.#count(record, 1, 0)
    return held
  }

  async #mayGrow(held: Held, bytes: number): Promise<boolean> {
    if (bytes <= held.record.bytes) return true
    const payer = await this.#payerOf(held, bytes)
    if (this.#held.get(encodeZ32(held.record.key)) !== held) return false
    if (payer === undefined) return this.#refuse(held, 'QUOTA_EXCEEDED')
    while (this.#bytes + bytes - held.record.bytes > this.#init.limits.maxBytes) if (!this.#evict()) return this.#refuse(held, 'MIRROR_FULL')
    this.#charge(held, payer, Math.max(bytes, held.record.bytes))
    if (bytes - held.written.bytes >= WRITE_BYTES) await this.#write(held, {})
    return true
  }

  #charge(held: Held, payer: string, bytes: number): void {
    this.#count(held.record, -1, -held.record.bytes)
    held.record = { ...held.record, client: decodeKey(payer), bytes }
    this.#count(held.record, 1, bytes)
  }

  /** Whose quota has room for a core of so many bytes: of who had it until now, or of another who wants it held; but not `except`. */
  async #payerOf(held: Held, bytes: number, except?: string): Promise<string | undefined> {
    for (const client of new Set([payerIn(held), ...held.clients])) {
      if (client !== except && client !== NOBODY && (await this.#canPay(client, held, bytes))) return client
    }
    return undefined
  }

  async #canPay(client: string, held: Held, bytes: number): Promise<boolean> {
    if (!this.#hasRoom(client, held, bytes)) return false
    if (this.#init.reserve === undefined) return true
    // It may have got more meanwhile, and have room for this one no more.
    return (await this.#init.reserve(client, this.#with(client, held, bytes))) && this.#hasRoom(client, held, bytes)
  }

  /** Whether it is at the expense of a device: after a while it may be another's, or have given way. */
  #isAt(client: string, id: string, held: Held): boolean {
    return this.#held.get(id) === held && payerIn(held) === client
  }

  #hasRoom(client: string, held: Held, bytes: number): boolean {
    const { maxClientBytes, maxClientCores } = this.#init.limits
    return this.#with(client, held, bytes) <= maxClientBytes && (payerIn(held) === client || this.usageOf(client).cores < maxClientCores)
  }

  /** What is held at the expense of a device, with a core that comes to so many bytes. */
  #with(client: string, held: Held, bytes: number): number {
    return this.usageOf(client).bytes + bytes - (payerIn(held) === client ? held.record.bytes : 0)
  }

  /** What is on the disk counts, also where its writer has signed less. */
  #receive(held: Held, more: number): number {
    const { record } = held
    const received = record.received + more
    const bytes = Math.max(record.bytes, received)
    held.record = { ...record, bytes, received }
    this.#count(record, 0, bytes - record.bytes)
    return received
  }

  #refuse({ record, clients }: Held, code: RefusalCode): false {
    for (const client of clients) this.#init.onrefused(client, record.key, code)
    return false
  }

  /** Of those that nobody is here for, drops the one that nobody wanted for the longest time. */
  #evict(): boolean {
    const [oldest] = this.#released.size > 0 ? this.#released : this.#idle
    if (oldest === undefined) return false
    this.#forget(...oldest)
    return true
  }

  #forget(id: string, { record }: Held): void {
    this.#leaveQueues(id)
    this.#held.delete(id)
    this.#count(record, -1, -record.bytes)
    this.#end(id, () => this.#remove(record.key))
  }

  async #dropOne(client: string, id: string, held: Held): Promise<void> {
    if (!this.#isAt(client, id, held)) return
    const payer = await this.#payerOf(held, held.record.bytes, client)
    if (!this.#isAt(client, id, held)) return
    if (payer !== undefined) return this.#charge(held, payer, held.record.bytes)
    const { core } = held
    if (core === undefined) return this.#forget(id, held)
    await core.clear()
    // Closed meanwhile, because nobody is here for it any more: it has its blocks still.
    if (held.core !== core) return this.#dropOne(client, id, held)
    if (!this.#isAt(client, id, held)) return
    // Those who are here go on asking for it, and get it again when they have the room.
    this.#charge(held, client, 0)
    await this.#write(held, { received: 0 })
    for (const each of held.clients) this.#init.onheld(each, held.record.key, 0)
    this.#refuse(held, 'QUOTA_EXCEEDED')
  }

  async #remove(key: Uint8Array): Promise<void> {
    await this.#init.records.remove(key)
    const core = this.#init.corestore.get({ key, active: false })
    // Its blocks go. The hashes above them stay, about a tenth of a small block's size: `purge()` of hypercore 11.37.1
    // calls a method that is not there.
    await core.ready()
    await core.clear(0, core.length)
    await core.close()
  }

  #count({ client }: HeldRecord, cores: number, bytes: number): void {
    const id = encodeZ32(client)
    const before = this.usageOf(id)
    const usage = { cores: before.cores + cores, bytes: before.bytes + bytes }
    this.#bytes += bytes
    if (id === NOBODY) return
    if (usage.cores > 0) this.#usage.set(id, usage)
    else this.#usage.delete(id)
  }

  async #write(held: Held, change: Partial<HeldRecord>): Promise<void> {
    held.record = { ...held.record, ...change }
    held.written = held.record
    await this.#init.records.put(held.record)
  }

  #tell({ core, record, clients }: Held): void {
    if (core === undefined || core.length === 0) return
    for (const client of clients) this.#init.onheld(client, record.key, core.length)
  }

  #queueOf(held: Held): Map<string, Held> {
    return payerIn(held) === NOBODY ? this.#released : this.#idle
  }

  #leaveQueues(id: string): void {
    this.#idle.delete(id)
    this.#released.delete(id)
  }

  #rest(id: string, held: Held): void {
    this.#queueOf(held).set(id, held)
    const { core } = held
    held.core = undefined
    if (core === undefined) return
    this.#end(id, async () => {
      await core.close()
      if (held.written !== held.record) await this.#write(held, {})
    })
  }

  /** What becomes of a core happens one after the other. */
  #end(id: string, work: () => Promise<void>): void {
    const before = this.#ending.get(id) ?? Promise.resolve()
    const ending = before.then(work).catch(this.#init.onerror).finally(() => {
      if (this.#ending.get(id) === ending) this.#ending.delete(id)
    })
    this.#ending.set(id, ending)
  }
}

/** The device at whose expense it is held. */
function payerIn({ record }: Held): string {
  return encodeZ32(record.client)
}

// A room of three on Autobase itself: an owner and a member, stock or guarded, and somebody who is let
// in as a writer and writes blocks with Hypercore alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRequire } from 'node:module'
import sodium from 'sodium-universal'
import Autobase, { type ApplyHost, type AutobaseNode, type Head, type ViewStore } from 'autobase'
import Corestore from 'corestore'
import type Hypercore from 'hypercore'
import type { ReplicationStream } from 'hypercore'
import ProtomuxWakeup from 'protomux-wakeup'
import { pause } from './pause.js'
import type { MeterInit } from '../../../src/internal/guards/meter.js'
import { createGuardedBase } from '../../../src/internal/guards/guarded-base.js'

export type View = Hypercore<string>
export type Base = Autobase<View>

/** What a writer's block is made of; see encoding/spec/autobase of autobase. */
export interface Block {
  version?: number
  heads?: readonly Head[]
  batch?: number
  value?: string | null
  optimistic?: boolean
  checkpoint?: object | null
  digest?: object | null
  trace?: object | null
}

interface Codec {
  preencode(state: object, value: object): void
  encode(state: object, value: object): void
  decode(state: object): object
}

const require = createRequire(import.meta.url)
const { OplogMessage } = require('autobase/lib/messages.js') as { OplogMessage: Codec }
const { NS_VIEW_BLOCK_KEY } = require('autobase/lib/caps.js') as { NS_VIEW_BLOCK_KEY: Uint8Array }
const { Node: BeeNode } = require('hyperbee/lib/messages.js') as { Node: { encode(entry: object): Uint8Array } }
const KEY = new Uint8Array(32).fill(7)
const READ_TIMEOUT_MS = 1_000

export class World {
  readonly frozen: string[] = []
  readonly errors: string[] = []
  readonly warnings: string[] = []
  /** What each has applied of what the owner and the member say, in any order. */
  readonly heard: Record<string, Set<string>> = { owner: new Set(), member: new Set() }
  /** Who was told of a flood. */
  readonly floods: string[] = []
  readonly splits: string[] = []
  readonly proofs: string[] = []
  readonly hostileStore: Corestore
  owner!: Base
  member!: Base
  key!: Uint8Array
  #streams: ReplicationStream[] = []

  constructor(
    readonly guarded: boolean,
    /** Of the values: ours is binary, autobase's own examples have json. */
    readonly encoding: 'binary' | 'json' = 'binary',
    /** Of what is read of a writer. */
    readonly quota?: MeterInit,
    readonly folder = mkdtempSync(join(tmpdir(), 'covey-attack-'))
  ) {
    this.hostileStore = new Corestore(join(folder, 'hostile'))
  }

  async open(): Promise<void> {
    this.owner = await this.#base('owner', null)
    this.key = this.owner.key!
    this.member = await this.#base('member', this.key)
    this.connect()
    await this.admit(this.member.local.key)
    await say(this.owner, 'hello')
    await this.until('the member reads', async () => (await this.read(this.member)).includes('hello'))
    await say(this.member, 'hi')
    await this.until('the owner reads', async () => (await this.read(this.owner)).includes('hi'))
  }

  async #base(
    name: string,
    key: Uint8Array | null,
    { store = new Corestore(join(this.folder, name)), fastForward }: { store?: Corestore; fastForward?: Uint8Array } = {}
  ): Promise<Base> {
    const handlers = {
      open: (views: ViewStore) => views.get<string>({ name: 'view', valueEncoding: 'utf-8' as never }),
      apply: (nodes: AutobaseNode[], view: View, host: ApplyHost) => apply(nodes, view, host, this.heard[name]),
      encryptionKey: KEY,
      valueEncoding: this.encoding as never,
      ackInterval: 200,
      fastForward: fastForward === undefined ? true : { key: fastForward }
    }
    const base: Base = this.guarded
      ? createGuardedBase<View>(store, key, handlers, {
          onfrozen: ({ index, reason }) => this.frozen.push(`${name}: ${reason} at ${index}`),
          onflood: () => this.floods.push(name),
          ...(this.quota === undefined ? {} : { quota: this.quota }),
          onsplit: ({ view, length }) => this.splits.push(`${name}: ${view} at ${length}`),
          onfork: (proof) => this.proofs.push(`${name}: ${proof.at}`),
          onwarning: (error) => this.warnings.push(`${name}: ${String((error as Error).message)}`)
        })
      : new Autobase<View>(store, key, handlers)
    bases.set(base, this.encoding)
    // What was signed is taken over, and not applied.
    base.on('fast-forward', () => void this.read(base).then((lines) => lines.forEach((line) => this.heard[name]?.add(line))))
    base.on('error', (error) => this.errors.push(`${name}: ${error.message}`))
    await base.ready()
    return base
  }

  /** A newcomer whose invite names a core to fast-forward to. */
  joinBy(systemKey: Uint8Array): Promise<Base> {
    return this.#base('newcomer', this.key, { fastForward: systemKey })
  }

  /** A newcomer that was killed while it joined: it has the member's core, and its disk is slow to open it. */
  async joinAfterKill(): Promise<{ newcomer: Base; asked: Promise<void> }> {
    await (await this.storeWith(this.member.local, 'newcomer')).close()
    const store = new Corestore(join(this.folder, 'newcomer'))
    const asked = slowToOpen(store, this.member.local.discoveryKey!)
    return { newcomer: await this.#base('newcomer', this.key, { store }), asked }
  }

  /** A store that has all blocks of a core, and nothing else. */
  async storeWith({ key, length }: Base['local'], name: string): Promise<Corestore> {
    const store = new Corestore(join(this.folder, name))
    const core = store.get({ key })
    await core.ready()
    this.linkStore(this.owner, store)
    await core.download({ start: 0, end: length }).done()
    return store
  }

  disconnect(): void {
    for (const stream of this.#streams) stream.destroy()
    this.#streams = []
  }

  connect(): void {
    this.disconnect()
    this.link(this.owner, this.member)
    for (const base of [this.owner, this.member]) this.linkHostile(base)
  }

  link(a: Base, b: Base): void {
    const [one, two] = [a.replicate(true), b.replicate(false)]
    this.#pipe(one, two)
  }

  linkHostile(base: Base): ReplicationStream {
    return this.linkStore(base, this.hostileStore)
  }

  linkStore(base: Base, store: Corestore): ReplicationStream {
    const [one, two] = [base.replicate(true), store.replicate(false)]
    this.#pipe(one, two)
    return two
  }

  #pipe(one: ReplicationStream, two: ReplicationStream): void {
    one.on('error', () => undefined)
    two.on('error', () => undefined)
    one.pipe(two).pipe(one)
    this.#streams.push(one, two)
  }

  async admit(writer: Uint8Array, as: 'writer' | 'indexer' = 'writer'): Promise<void> {
    await say(this.owner, `${as} ${Buffer.from(writer).toString('hex')}`)
  }

  /** A core of the attacker's, as a writer of the room. */
  async hostile(name = 'writer', as: 'writer' | 'indexer' = 'writer'): Promise<Hostile> {
    const hostile = await this.hostileCore(this.hostileStore, name)
    await this.admit(hostile.key, as)
    return hostile
  }

  /** As {@link hostile}, but nobody lets it in. */
  async hostileCore(store: Corestore, name = 'writer'): Promise<Hostile> {
    const core = store.get<object>({ name, valueEncoding: OplogMessage as never, encryption: { key: KEY } })
    await core.ready()
    return new Hostile(this, core)
  }

  /** A second store of the attacker's, whose cores have the keys of the first's. */
  async twinStore(): Promise<Corestore> {
    const { primaryKey } = this.hostileStore as unknown as { primaryKey: Uint8Array }
    const store = new Corestore(join(this.folder, 'twin'), { primaryKey, unsafe: true })
    await store.ready()
    return store
  }

  /** As {@link hostile}, of the first name whose core sorts before a key. */
  async hostileBelow(names: readonly string[], key: Uint8Array): Promise<Hostile> {
    for (const name of names) {
      const core = this.hostileStore.get({ name })
      await core.ready()
      if (Buffer.compare(core.key!, key) < 0) return this.hostile(name)
    }
    throw new Error('no key is below')
  }

  /** How many heads each honest block has. */
  async headCounts(): Promise<number[]> {
    const counts: number[] = []
    for (const { local } of [this.owner, this.member]) {
      for (let i = 0; i < local.length; i++) {
        const { node } = (await local.get(i)) as { node: { heads: unknown[] } }
        counts.push(node.heads.length)
      }
    }
    return counts
  }

  async countCores(base: Base): Promise<number> {
    let count = 0
    for await (const _ of base.store.list()) count++
    return count
  }

  async read(base: Base): Promise<string[]> {
    await base.update()
    const lines: string[] = []
    try {
      for (let i = 0; i < base.view.length; i++) lines.push((await base.view.get(i, this.guarded ? { timeout: READ_TIMEOUT_MS } : {}))!)
      return lines
    } catch (error) {
      if ((error as { code?: string }).code !== 'REQUEST_TIMEOUT') throw error
      // Cut off since it was asked for, as the order changes: it would be waited for from others.
      return this.read(base)
    }
  }

  /** Both write, and both read it. */
  async talk(word: string): Promise<void> {
    await say(this.member, `member ${word}`)
    await say(this.owner, `owner ${word}`)
    await this.until(`all have ${word}`, async () => {
      const [a, b] = [await this.read(this.owner), await this.read(this.member)]
      return a.includes(`member ${word}`) && b.includes(`owner ${word}`) && a.join() === b.join()
    })
  }

  /** As {@link talk}, but does not read the whole room. */
  async hear(word: string, timeoutMs: number): Promise<void> {
    const [byMember, byOwner] = [`member ${word}`, `owner ${word}`]
    await Promise.all([say(this.member, byMember), say(this.owner, byOwner)])
    const { owner, member } = this.heard
    await this.until(`all have ${word}`, async () => owner!.has(byMember) && member!.has(byOwner), timeoutMs)
  }

  async restart(): Promise<void> {
    for (const stream of this.#streams) stream.destroy()
    await this.owner.close()
    await this.member.close()
    await this.reopen(this.key)
  }

  /** A room that is in the folder already. */
  async reopen(key: Uint8Array): Promise<void> {
    this.key = key
    this.owner = await this.#base('owner', null)
    this.member = await this.#base('member', key)
    this.connect()
  }

  async until(what: string, check: () => Promise<boolean>, timeoutMs = this.guarded ? 30_000 : 8_000): Promise<void> {
    const end = Date.now() + timeoutMs
    while (!(await withTimeout(check(), timeoutMs, what))) {
      if (this.errors.length > 0) throw new Error(`closed: ${this.errors.join('; ')}`)
      if (Date.now() > end) throw new Error(`timed out: ${what}`)
      await pause(20)
    }
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.destroy()
    await Promise.allSettled([this.owner.close(), this.member.close()])
    await this.hostileStore.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export class Hostile {
  constructor(
    readonly world: World,
    readonly core: Hypercore<object>
  ) {}

  get key(): Uint8Array {
    return this.core.key!
  }

  /** Blocks as autobase would write them, but for what is given. */
  async write(...blocks: Block[]): Promise<void> {
    const encoded: object[] = []
    for (const { version = 2, value = 'x', heads = [], batch = 1, ...rest } of blocks) {
      const node = { heads, batch, value: value === null ? null : Buffer.from(value) }
      encoded.push({ checkpoint: null, digest: null, optimistic: false, trace: null, ...rest, version, node })
    }
    await this.core.append(encoded)
  }

  /** A first block that everybody reads. */
  async behave(): Promise<void> {
    const value = this.world.encoding === 'json' ? '"harmless"' : 'harmless'
    await this.write({ value, heads: this.world.owner.heads() })
    await this.world.until('the attacker is read', async () =>
      (await Promise.all([this.world.owner, this.world.member].map((base) => this.world.read(base)))).every((lines) =>
        lines.includes('harmless')
      )
    )
  }

  own(length = this.core.length): Head {
    return { key: this.key, length }
  }
}

/** Makes a core take longer to open than blocks take to arrive; resolves when it is asked for. */
function slowToOpen({ storage }: Corestore, discoveryKey: Uint8Array): Promise<void> {
  const slow = storage as unknown as { resumeCore(discoveryKey: Uint8Array): Promise<unknown> }
  const resume = slow.resumeCore.bind(slow)
  return new Promise((resolve) => {
    slow.resumeCore = async (asked) => {
      if (Buffer.compare(asked, discoveryKey) !== 0) return resume(asked)
      resolve()
      await pause(2_000)
      return resume(asked)
    }
  })
}

function withTimeout<Value>(work: Promise<Value>, ms: number, what: string): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`stalled: ${what}`)), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** The encoding of the values of each base. */
const bases = new WeakMap<Base, 'binary' | 'json'>()

export function say(base: Base, ...lines: string[]): Promise<number> {
  const values = lines.map((line) => (bases.get(base) === 'json' ? (line as never) : Buffer.from(line)))
  return base.append(values.length === 1 ? values[0]! : values)
}

async function apply(nodes: AutobaseNode[], view: View, host: ApplyHost, heard?: Set<string>): Promise<void> {
  for (const { value } of nodes) {
    const line = typeof value === 'string' ? value : Buffer.from(value).toString()
    const [word, key] = line.split(' ')
    if (word === 'writer' || word === 'indexer') {
      await host.addWriter(Buffer.from(key!, 'hex'), { indexer: word === 'indexer' })
    }
    if (word === 'owner' || word === 'member') heard?.add(line)
    await view.append(line)
  }
}

/** How a member can encrypt what is taken for the view of the system: lib/encryption.js of autobase. */
export const caps = {
  systemBlockKey(key: Uint8Array): Uint8Array {
    const blockKey = Buffer.alloc(32)
    sodium.crypto_generichash_batch(blockKey, [NS_VIEW_BLOCK_KEY, key, KEY, Buffer.from('_system')])
    return blockKey
  },
  /** An entry of a bee that is sound, but for its index: a length of more bytes than there are. */
  brokenBeeEntry: (): Uint8Array =>
    BeeNode.encode({ key: Buffer.from([0]), value: null, index: Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff]) })
}

export { ProtomuxWakeup }

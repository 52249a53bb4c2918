import { encodeZ32 } from '@covey/core'
import type { MirrorAddress } from '../../mirror-link.js'
import type { MirrorSet } from './mirror-set.js'

/** What is said to a mirror that is there; to one that is not, it is said when it is back. */
export interface HoldingsInit {
  readonly mirrors: MirrorSet
  readonly hold: (mirror: string, keys: readonly Uint8Array[]) => void
  readonly release: (mirror: string, keys: readonly Uint8Array[]) => void
}

/** Cores that are wanted together, and the mirrors that have been told of them, or are when they are met. */
export interface Wish {
  readonly keys: Map<string, Uint8Array>
  mirrors: ReadonlySet<string>
}

interface Wanted {
  readonly key: Uint8Array
  /** How many of its first blocks each mirror says to have. */
  readonly held: Map<string, number>
  /** Those that said so and had it not: they are not believed again until they are met anew. */
  readonly liars: Set<string>
  readonly wishes: Set<Wish>
}

const NONE: ReadonlyMap<string, number> = new Map()

/** The cores that a device wants held: which mirrors are told of which, and what they say. */
export class Holdings {
  readonly #init: HoldingsInit
  readonly #wanted = new Map<string, Wanted>()
  readonly #wishes = new Set<Wish>()

  constructor(init: HoldingsInit) {
    this.#init = init
  }

  open(): Wish {
    const wish: Wish = { keys: new Map(), mirrors: new Set(this.#init.mirrors.own) }
    this.#wishes.add(wish)
    return wish
  }

  add(wish: Wish, keys: Iterable<Uint8Array>): void {
    if (!this.#wishes.has(wish)) return
    const added: Uint8Array[] = []
    for (const key of keys) {
      const id = encodeZ32(key)
      if (wish.keys.has(id)) continue
      wish.keys.set(id, key)
      const wanted = this.#wanted.get(id) ?? { key, held: new Map(), liars: new Set(), wishes: new Set() }
      this.#wanted.set(id, wanted)
      wanted.wishes.add(wish)
      added.push(key)
    }
    if (added.length > 0) for (const mirror of wish.mirrors) this.#init.hold(mirror, added)
  }

  /** Cores that are wanted with the others no more. */
  remove(wish: Wish, keys: Iterable<Uint8Array>): void {
    const removed: Wanted[] = []
    for (const id of [...keys].map(encodeZ32)) {
      if (!wish.keys.delete(id)) continue
      const wanted = this.#wanted.get(id)!
      wanted.wishes.delete(wish)
      removed.push(wanted)
      if (wanted.wishes.size === 0) this.#wanted.delete(id)
    }
    for (const mirror of wish.mirrors) this.#unask(mirror, removed)
  }

  /** Names mirrors for one wish beside the device's own. Others may get, or lose, one of theirs by it. */
  name(wish: Wish, addresses: readonly MirrorAddress[]): void {
    if (!this.#wishes.has(wish)) return
    this.#tell(this.#init.mirrors.name(wish, addresses) ? [...this.#wishes] : [wish])
  }

  /** What only it wanted is told to no mirror any more. Those that hold it keep it. */
  close(wish: Wish): void {
    if (!this.#wishes.delete(wish)) return
    for (const id of wish.keys.keys()) {
      const wanted = this.#wanted.get(id)!
      wanted.wishes.delete(wish)
      if (wanted.wishes.size === 0) this.#wanted.delete(id)
    }
    if (this.#init.mirrors.name(wish, [])) this.#tell([...this.#wishes])
  }

  /** All that a mirror is to hold. */
  keysFor(mirror: string): Uint8Array[] {
    return [...this.#wanted.values()].filter((wanted) => this.#isFor(mirror, wanted)).map(({ key }) => key)
  }

  /** Notes what a mirror says to have; `false` for what it was not asked for, or is not believed. */
  note(mirror: string, key: Uint8Array, length: number): boolean {
    const wanted = this.#wanted.get(encodeZ32(key))
    if (wanted === undefined || !this.#isFor(mirror, wanted) || wanted.liars.has(mirror)) return false
    wanted.held.set(mirror, length)
    return true
  }

  /** Whether a mirror was asked to hold a core. */
  isAsked(mirror: string, key: Uint8Array): boolean {
    const wanted = this.#wanted.get(encodeZ32(key))
    return wanted !== undefined && this.#isFor(mirror, wanted)
  }

  /** What each mirror says to have of a core. */
  held(key: Uint8Array): ReadonlyMap<string, number> {
    return this.#wanted.get(encodeZ32(key))?.held ?? NONE
  }

  /** A mirror is gone: what it has when it is back it will say. */
  forget(mirror: string): void {
    for (const { held, liars } of this.#wanted.values()) {
      held.delete(mirror)
      liars.delete(mirror)
    }
  }

  /** A mirror has not got a block: it is believed no more of that core; `false` where it did not say that it has it. */
  distrust(mirror: string, key: Uint8Array, index: number): boolean {
    const wanted = this.#wanted.get(encodeZ32(key))
    if (wanted === undefined || (wanted.held.get(mirror) ?? 0) <= index) return false
    wanted.held.delete(mirror)
    wanted.liars.add(mirror)
    return true
  }

  #isFor(mirror: string, { wishes }: Wanted): boolean {
    return [...wishes].some((wish) => wish.mirrors.has(mirror))
  }

  /** Tells mirrors what they are to hold now, and what not any more, of wishes that may have others. */
  #tell(wishes: readonly Wish[]): void {
    const before = wishes.map((wish) => [wish, wish.mirrors] as const)
    for (const wish of wishes) wish.mirrors = this.#init.mirrors.of(wish)
    for (const [wish, was] of before) {
      for (const mirror of wish.mirrors) if (!was.has(mirror) && wish.keys.size > 0) this.#init.hold(mirror, [...wish.keys.values()])
      for (const mirror of was) if (!wish.mirrors.has(mirror)) this.#unask(mirror, [...wish.keys.keys()].map((id) => this.#wanted.get(id)!))
    }
  }

  /** Asks a mirror for those no more that nobody here wants of it. */
  #unask(mirror: string, cores: readonly Wanted[]): void {
    const unwanted = cores.filter((each) => !this.#isFor(mirror, each))
    for (const { held } of unwanted) held.delete(mirror)
    if (unwanted.length > 0) this.#init.release(mirror, unwanted.map(({ key }) => key))
  }
}

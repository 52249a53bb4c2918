import { encodeZ32 } from '@covey/core'
import type { Contact } from '@covey/transport'
import type { MirrorAddress } from '../../mirror-link.js'

export interface MirrorSetInit {
  /** The device's own mirrors. */
  readonly own: readonly MirrorAddress[]
  /** How many others are dialled at a time, whoever names them. */
  readonly maxNamed: number
  /** This device, by id, which is no mirror of itself. */
  readonly self: string
  /** Dials a mirror from now on; nothing where it may not be dialled. */
  readonly meet: (address: MirrorAddress) => Contact | undefined
}

type Named = readonly [id: string, address: MirrorAddress]

/** How many one wish names at most. */
const MAX_WISHED = 8

/**
 * The mirrors that a device deals with: its own, and of those that others name so many that nobody can have it dial
 * more. The first that each names come first, so that who names many takes none away from who names one.
 */
export class MirrorSet {
  readonly #init: MirrorSetInit
  readonly #own: ReadonlySet<string>
  readonly #ownContacts: readonly (Contact | undefined)[]
  readonly #wishes = new Map<object, readonly Named[]>()
  readonly #dialled = new Map<string, Contact | undefined>()

  constructor(init: MirrorSetInit) {
    this.#init = init
    this.#own = new Set(init.own.map(idOf))
    this.#ownContacts = init.own.map(init.meet)
  }

  get own(): readonly string[] {
    return [...this.#own]
  }

  /** Those that others name, and that are used. */
  get named(): readonly string[] {
    return [...this.#dialled.keys()]
  }

  has(id: string): boolean {
    return this.#own.has(id) || this.#dialled.has(id)
  }

  /** The mirrors for what `who` wants held, by id. */
  of(who: object): ReadonlySet<string> {
    const wished = (this.#wishes.get(who) ?? []).map(([id]) => id)
    return new Set([...this.#own, ...wished.filter((id) => this.#dialled.has(id))])
  }

  /** What `who` wishes for beside the device's own, in place of what it wished for before; whether others are used then. */
  name(who: object, addresses: readonly MirrorAddress[]): boolean {
    const wished = new Map(addresses.slice(0, MAX_WISHED).map((address) => [idOf(address), address]))
    for (const id of [...this.#own, this.#init.self]) wished.delete(id)
    if (wished.size > 0) this.#wishes.set(who, [...wished])
    else this.#wishes.delete(who)
    const chosen = this.#choose()
    const left = [...this.#dialled].filter(([id]) => !chosen.has(id))
    const come = [...chosen].filter(([id]) => !this.#dialled.has(id))
    for (const [id, contact] of left) {
      contact?.close()
      this.#dialled.delete(id)
    }
    for (const [id, address] of come) this.#dialled.set(id, this.#init.meet(address))
    return left.length + come.length > 0
  }

  close(): void {
    for (const contact of [...this.#ownContacts, ...this.#dialled.values()]) contact?.close()
  }

  #choose(): ReadonlyMap<string, MirrorAddress> {
    const chosen = new Map<string, MirrorAddress>()
    for (let place = 0; place < MAX_WISHED; place++) {
      for (const wished of this.#wishes.values()) {
        if (chosen.size >= this.#init.maxNamed) return chosen
        const named = wished[place]
        // Of what two say of where one can be met, the first counts.
        if (named !== undefined && !chosen.has(named[0])) chosen.set(...named)
      }
    }
    return chosen
  }
}

function idOf({ publicKey }: MirrorAddress): string {
  return encodeZ32(publicKey)
}

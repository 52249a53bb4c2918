import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { LocalNetwork } from '@covey/testing'
import type { Durability, DurableOptions } from 'covey'
import { CalledProcess } from '../called-process.js'
import { ROOM_CALLS, type Heard, type RemoteRoom, type ScenarioCalls, type Self } from './protocol.js'

const PEER = fileURLToPath(new URL('peer.ts', import.meta.url))
/** Longer than anything may take that is to come about. */
export const PATIENCE_MS = 90_000

export interface PersonInit {
  readonly name: string
  readonly storage: string
  readonly network: LocalNetwork
  /** The links of their own mirrors. */
  readonly mirrors: readonly string[]
  /** Its process has ended by itself. */
  readonly onend: (error: Error) => void
}

/** Somebody with a folder, and mostly with a process that has it open. */
export class Person {
  readonly name: string
  readonly storage: string
  /** The room, as long as the person is awake. */
  readonly room: RemoteRoom
  readonly #init: PersonInit
  #process: CalledProcess<ScenarioCalls> | undefined
  #self: Self | undefined

  constructor(init: PersonInit) {
    this.#init = init
    this.name = init.name
    this.storage = init.storage
    const calls = ROOM_CALLS.map((call) => [call, (...args: unknown[]) => this.#call('room', { call, args })])
    this.room = Object.fromEntries(calls) as RemoteRoom
  }

  get person(): string {
    return this.#self!.person
  }

  get device(): string {
    return this.#self!.device
  }

  async wake(): Promise<void> {
    const { name, storage, network, mirrors, onend } = this.#init
    this.#process = new CalledProcess(PEER, name, onend)
    this.#self = await this.#call('open', { storage, bootstrap: [...network.bootstrap], name, mirrors })
  }

  /** By SIGKILL, whatever it is at. Idempotent. */
  async kill(): Promise<void> {
    const killed = this.#process
    this.#process = undefined
    await killed?.kill()
  }

  /** For good, with all that this device has. */
  async lose(): Promise<void> {
    await this.kill()
    await rm(this.storage, { recursive: true })
  }

  async found(): Promise<void> {
    await this.#call('create', null)
  }

  async join(link: string, forMs = PATIENCE_MS): Promise<void> {
    await this.#call('join', { link, forMs })
  }

  async say(texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.room.send(text)
  }

  /** Null where it has not come about after so long. */
  async durable(options: DurableOptions = {}, forMs = PATIENCE_MS): Promise<Durability | null> {
    return this.#call('durable', { ...options, forMs })
  }

  /** @throws when one of them is not there in time. */
  async reads(texts: readonly string[]): Promise<void> {
    const missing = await this.#call('await', { texts, forMs: PATIENCE_MS })
    if (missing.length > 0) throw new Error(`${this.name} does not read ${missing.length} of ${texts.length}: ${missing.join(', ')}`)
  }

  /** In the room's order, without those that are pending. */
  async texts(limit = 1_000_000): Promise<readonly string[]> {
    return this.#call('texts', { limit })
  }

  /** The mirrors that can be asked now, by id. */
  async reached(): Promise<readonly string[]> {
    return this.#call('reached', null)
  }

  /** Since it woke up. */
  async heard(): Promise<Heard> {
    return this.#call('heard', null)
  }

  #call<Name extends keyof ScenarioCalls>(call: Name, given: ScenarioCalls[Name]['given']): Promise<ScenarioCalls[Name]['answer']> {
    if (this.#process === undefined) throw new Error(`${this.name} sleeps.`)
    return this.#process.call(call, given)
  }
}

import type Hyperswarm from 'hyperswarm'
import type { JoinOptions, PeerDiscoverySession } from 'hyperswarm'
import { joinSwarm } from '../suspend-swarm.js'
import type { Session } from './session.js'

type Listener = (session: Session) => void

/**
 * What a protocol of the stack takes for a Hyperswarm: it meets whom the swarm meets, and speaks with
 * them over sessions. On the connections below it would miss those that a session made by itself.
 */
export class SessionSwarm {
  readonly connections = new Set<Session>()
  readonly #swarm: Hyperswarm
  readonly #listeners = new Set<Listener>()

  constructor(swarm: Hyperswarm) {
    this.#swarm = swarm
  }

  get dht(): Hyperswarm['dht'] {
    return this.#swarm.dht
  }

  join(topic: Uint8Array, options?: JoinOptions): PeerDiscoverySession {
    return joinSwarm(this.#swarm, topic, options)
  }

  flush(): Promise<boolean> {
    return this.#swarm.flush()
  }

  on(_event: 'connection', listener: Listener): this {
    this.#listeners.add(listener)
    return this
  }

  removeListener(_event: 'connection', listener: Listener): this {
    this.#listeners.delete(listener)
    return this
  }

  /** A session has begun. */
  add(session: Session): void {
    this.connections.add(session)
    session.once('close', () => void this.connections.delete(session))
    for (const listener of this.#listeners) listener(session)
  }
}

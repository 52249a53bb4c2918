/** Something that can be put to sleep, on a phone that puts its apps in the background. */
export interface Suspendable {
  /** Whether it sleeps, or is falling asleep. */
  readonly isSuspended: boolean
  /**
   * Falls silent: tells the peers, takes back what was announced, closes all connections and sends not one packet
   * until {@link Suspendable.resume}. Sessions stay. A peer that heard of it keeps its side for 2 minutes, one that
   * did not, for 45 s; what is written meanwhile is delivered afterwards. Resolves in 3 s at most. Idempotent.
   *
   * @throws {TransportError} NODE_CLOSED
   */
  suspend(): Promise<void>
  /**
   * Is on the network again, announces itself, and dials everyone it has a session with. Resolves when it listens;
   * `path` events tell who is back. Idempotent.
   *
   * @throws {TransportError} NODE_CLOSED
   */
  resume(): Promise<void>
}

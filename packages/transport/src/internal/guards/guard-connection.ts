import Protomux from 'protomux'
import { assertUpstream } from './upstream.js'

/**
 * How many channels a peer may have open at a time. It has one for each core that both are at work on,
 * and a number that is free again is taken first.
 */
export const MAX_CHANNELS = 16_384

/** How many messages wait for a peer at most when it opens one more channel: one that takes nothing is told of each that there is none. */
const MAX_WAITING = 65_536

/** Of a connection, what the guard needs. */
export interface GuardedStream {
  destroy(error?: Error): void
}

/** streamx 2.28.1, index.js */
interface UpstreamStream {
  readonly _writableState: { readonly queue: { readonly length: number } }
}

/** protomux 3.12.1, index.js */
interface UpstreamMux {
  _destroying: boolean
  /** The channels that the peer has open, or waits for, by their ids. */
  readonly _remote: readonly (object | null)[]
  _onopensession(state: object): Promise<void> | null
  _safeDestroy(error: Error): void
  _safeDestroyBound(error: Error): void
  _warn(error: Error): void
}

/**
 * Lets a message that nobody can handle end its connection, and nothing else, and bounds the channels
 * that a peer can open.
 *
 * The attack, in protomux 3.12.1: what a handler of any channel throws, or rejects with, goes to
 * safety-catch (index.js:817), which throws TypeErrors, RangeErrors and failed assertions again where
 * nobody can catch them. So a peer stops the process with any message for which a module on any
 * channel forgot a check, as blind-pairing 2.3.1 does for one without a session, before it has shown
 * anything but a key. Nor is there a bound on what it opens (`MAX_BACKLOG`, index.js:8): 50,000 channels
 * that nobody asked for took 1.7 s and 100 MB. One that has no taker is answered, and its number is free again: a peer that
 * acknowledges nothing has the answers pile up, as long as it goes on.
 *
 * To be called before the first channel of the connection is opened.
 *
 * @throws {TransportError} UPSTREAM_UNSUPPORTED
 */
export function guardConnection(stream: GuardedStream): void {
  assertUpstream()
  const mux = Protomux.from(stream as never) as unknown as UpstreamMux
  const destroy = (cause: unknown): void => {
    mux._destroying = true
    stream.destroy(new Error('A message of the peer could not be handled.', { cause }))
  }
  mux._safeDestroy = destroy
  mux._safeDestroyBound = destroy
  const { _writableState: outgoing } = stream as unknown as UpstreamStream
  const open = mux._onopensession.bind(mux)
  mux._onopensession = (state) => {
    const opening = open(state)
    if (mux._remote.length > MAX_CHANNELS) throw new Error('The peer has opened too many channels.')
    if (outgoing.queue.length > MAX_WAITING) throw new Error('The peer opens channels, and takes nothing of what it is told.')
    return opening
  }
  // About channels that are closed already: nothing is left to end.
  mux._warn = () => undefined
}

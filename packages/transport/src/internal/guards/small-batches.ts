import Protomux from 'protomux'
import type { GuardedStream } from './guard-connection.js'
import { assertUpstream } from './upstream.js'

/** A batch leaves when it has so many bytes: a few blocks of a file, or thousands of small messages. */
export const BATCH_BYTES = 256 * 1024

/** protomux 3.12.1, index.js */
interface UpstreamMux {
  _batch: unknown[] | null
  _batchState: { buffer: null; start: number; end: number }
  _pushBatch(localId: number, buffer: Uint8Array): void
  _sendBatch(batch: readonly unknown[], state: object): void
}

/**
 * Has messages that are corked leave while others are still being made.
 *
 * Protomux 3.12.1 gathers up to 8 MiB of them in one frame (`MAX_BATCH`, index.js:9), and hypercore corks its answers to all
 * blocks that it was asked for. On a link of 1 MB/s nothing else is said for eight seconds then, not even that it lives: it
 * is taken for dead in the middle of a file.
 *
 * @throws {TransportError} UPSTREAM_UNSUPPORTED
 */
export function sendSmallBatches(stream: GuardedStream): void {
  assertUpstream()
  const mux = Protomux.from(stream as never) as unknown as UpstreamMux
  const push = mux._pushBatch.bind(mux)
  mux._pushBatch = (localId, buffer) => {
    push(localId, buffer)
    if (mux._batchState.end < BATCH_BYTES) return
    mux._sendBatch(mux._batch!, mux._batchState)
    mux._batch = []
    mux._batchState = { buffer: null, start: 0, end: 1 }
  }
}

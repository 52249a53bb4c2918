import { encodeZ32, onAbort, throwIfAborted } from '@covey/core'
import { TransportError } from '../../errors.js'
import type { Sessions } from './sessions.js'

/** How long a peer is dialled, again and again, before it is out of reach. */
const CONNECT_TIMEOUT_MS = 20_000

/** Resolves when there is a session with the peer, and a path. */
export async function connectPeer(sessions: Sessions, publicKey: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal)
  const release = sessions.want(publicKey)
  const peer = encodeZ32(publicKey)
  let stop = (): void => undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const stopWatching = sessions.watch(peer, (state) => {
        if (state === 'closed') reject(unreachable(peer, new Error('The node was closed, or the peer blocked.')))
        else if (state === 'suspended') reject(nodeSuspended())
        else if (state !== 'offline') resolve()
      })
      const stopListening = onAbort(signal, reject)
      timer = setTimeout(() => reject(unreachable(peer, sessions.get(peer)?.failure)), CONNECT_TIMEOUT_MS)
      stop = () => [stopWatching, stopListening].forEach((end) => end())
    })
  } finally {
    clearTimeout(timer)
    stop()
    release()
  }
}

export function nodeSuspended(): TransportError {
  return new TransportError('NODE_SUSPENDED', 'This node is suspended.', { retryable: true, hint: 'Call `resume()` first.' })
}

function unreachable(peer: string, cause: Error | null | undefined): TransportError {
  return new TransportError('PEER_UNREACHABLE', `No way was found to ${peer}.`, {
    cause: cause ?? undefined,
    retryable: true,
    hint: 'It may be offline, or behind a network that lets no direct connection through.'
  })
}

import type Hyperswarm from 'hyperswarm'
import type { AnnouncedPeer } from 'hyperdht'

/** hyperswarm 4.17.2, index.js: puts a peer that was found in a topic in the queue of those to dial. */
interface UpstreamSwarm {
  _handlePeer(peer: AnnouncedPeer, topic: Uint8Array): void
}

/**
 * Looks up who is announced in a topic, and has the swarm dial them as if it had found them. What the
 * swarm does itself is to announce as well, each time, and not before this device has been announced.
 */
export async function lookUp(swarm: Hyperswarm, topic: Uint8Array, isClosed: () => boolean): Promise<void> {
  for await (const { peers } of swarm.dht.lookup(topic)) {
    if (isClosed() || swarm.destroyed) return
    for (const peer of peers) (swarm as unknown as UpstreamSwarm)._handlePeer(peer, topic)
  }
}

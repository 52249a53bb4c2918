import type ProtomuxWakeup from 'protomux-wakeup'
import type { WakeupPeer, WakeupStream } from 'protomux-wakeup'
import { encodeZ32 } from '@covey/core'
import type { Attendance } from '../attendance.js'
import { boundedHints } from '../guards/guard-wakeup.js'
import type { Head } from './room-note.js'

/** Says to the peers of a room how far it is here, and hears how far it is there, whether it is open or asleep. */
export interface Doorbell {
  /** A connection was made. */
  meet(stream: WakeupStream): void
  /** There is more here: tells those with whom the room sleeps, as nobody else does. */
  changed(): void
  close(): void
}

export interface DoorbellInit {
  readonly wakeup: ProtomuxWakeup
  readonly key: Uint8Array
  readonly discoveryKey: Uint8Array
  /** The last of what there is here. */
  readonly heads: () => readonly Head[]
  /** Is told who is there. */
  readonly attendance: Attendance
  /** Called with what a peer says to have, who has shown that they know the room's key: nothing of it need be so. */
  readonly onheads: (heads: readonly Head[], peer: object) => void
}

/**
 * A session of its own on the wakeup topic of the room, beside the one that Autobase has while the room is open. It is
 * inactive: so Autobase at the other end couples no cores to it, and knows nobody to be there.
 */
export function createDoorbell({ wakeup, key, discoveryKey, heads, attendance, onheads }: DoorbellInit): Doorbell {
  const tell = (peer: WakeupPeer): void => {
    const told = boundedHints([...heads()], 0)
    if (told.length > 0 && !peer.pending && !peer.removed) session.announce(peer, told)
  }
  const met = new Map<WakeupPeer, string>()
  const come = (peer: WakeupPeer): void => {
    met.set(peer, encodeZ32(peer.stream.remotePublicKey))
    attendance.met(met.get(peer)!)
    tell(peer)
  }
  const go = (peer: WakeupPeer): void => {
    const device = met.get(peer)
    if (met.delete(peer)) attendance.lost(device!)
  }
  const session = wakeup.session(key, {
    discoveryKey,
    active: false,
    onpeeradd: come,
    onpeerremove: go,
    // What was said while it fell asleep.
    onpeerinactive: tell,
    onlookup: (_, peer) => tell(peer),
    onannounce: (hints, peer) => onheads(boundedHints(hints, 0), peer)
  })
  for (const peer of session.peers) come(peer)

  return {
    meet: (stream) => session.addStream(stream as never),
    changed() {
      for (const peer of session.peers) if (!peer.active) tell(peer)
    },
    close() {
      session.destroy()
      for (const peer of met.keys()) go(peer)
    }
  }
}

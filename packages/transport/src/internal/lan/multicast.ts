// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { createSocket, type Socket } from '#dgram'
import { GROUP, MDNS_PORT } from './constants.js'

interface MulticastInit {
  /** The address of each network to speak in. */
  readonly addresses: readonly string[]
  readonly onpacket: (packet: Uint8Array, host: string) => void
  readonly onerror: (error: Error) => void
}

/** The group of multicast DNS, in some networks. */
export interface Multicast {
  readonly addresses: readonly string[]
  /** Resolves when it has left, or could not. */
  send(packet: Uint8Array, address: string): Promise<void>
  close(): Promise<void>
}

/**
 * Joins the group. The port is shared with whatever else speaks multicast DNS on this machine.
 *
 * @throws when the port cannot be shared.
 */
export async function openMulticast({ addresses, onpacket, onerror }: MulticastInit): Promise<Multicast> {
  const senders = new Map<string, Socket>()
  const sockets: Socket[] = []
  const close = async (): Promise<void> => {
    await Promise.all(sockets.splice(0).map((socket) => new Promise<void>((resolve) => socket.close(resolve))))
  }
  try {
    const receiver = await openSocket(sockets, onerror)
    receiver.on('message', (packet, from) => {
      // Whoever asks from another port wants an answer for itself (RFC 6762, section 6.7), and could name anybody.
      if (from.port === MDNS_PORT && sockets.includes(receiver)) onpacket(packet, from.address)
    })
    for (const address of addresses) {
      const sender = await openSocket(sockets, onerror)
      const isThere = attempt(() => {
        receiver.addMembership(GROUP, address)
        sender.setMulticastInterface(address)
        sender.setMulticastTTL(255)
      })
      if (isThere) senders.set(address, sender)
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    addresses: [...senders.keys()],
    send: (packet, address) =>
      new Promise((resolve) => {
        // What cannot leave now is said again, or there is no network to say it in.
        if (!attempt(() => senders.get(address)!.send(packet, MDNS_PORT, GROUP, () => resolve()))) resolve()
      }),
    close
  }
}

function openSocket(sockets: Socket[], onerror: (error: Error) => void): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  sockets.push(socket)
  return new Promise((resolve, reject) => {
    let isOpen = false
    socket.on('error', (error) => (isOpen ? onerror(error) : reject(error)))
    socket.bind(MDNS_PORT, '0.0.0.0', () => {
      isOpen = true
      resolve(socket)
    })
  })
}

/** Whether it could be done: an interface may be gone since it was listed, and its going is told. */
function attempt(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

import { decode, type Packet } from '@dnsquery/dns-packet'
import { onTestFinished } from 'vitest'
import { createMemorySecretStore, openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, type Node, type NodeInit } from '@covey/transport'
import { introduce, recognise, type Address } from '../../src/internal/lan/introductions.js'
import { openMulticast, type Multicast } from '../../src/internal/lan/multicast.js'
import { decodeMessage, encodeAnnouncement } from '../../src/internal/lan/packet.js'
import { temporaryFolder } from '../support.js'

export const LOOPBACK = '127.0.0.1'
/** A network whose only node of the DHT is not there: nobody listens on this port. */
export const NO_DHT = localNetwork([{ host: LOOPBACK, port: 9 }], { lan: true })

/** A node that has nothing but the local network, unless it is told otherwise; closed at the end of the test. */
export async function startLanNode(options: Partial<NodeInit> = {}): Promise<Node> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  const node = createNode({ identity, store: await openStore(await temporaryFolder()), network: NO_DHT, ...options })
  onTestFinished(async () => {
    await node.close()
    await identity.close()
  })
  return node
}

/** Whoever listens in the network, and says what it likes. */
export interface Eavesdropper {
  readonly multicast: Multicast
  /** What was heard of whoever knows `secret`, in order. */
  announcements(secret: Uint8Array): { readonly from: string; readonly address: Address; readonly packet: Uint8Array }[]
  /** All packets that name an instance. */
  of(instance: string): Packet[]
  /** Resolves when `condition` holds after some packet. */
  until(condition: () => boolean): Promise<void>
  say(packet: Uint8Array): Promise<void>
}

export async function startEavesdropper(): Promise<Eavesdropper> {
  const packets: Uint8Array[] = []
  const waiting = new Set<() => void>()
  const multicast = await openMulticast({
    addresses: [LOOPBACK],
    onpacket(packet) {
      packets.push(packet)
      for (const look of waiting) look()
    },
    onerror: (error) => {
      throw error
    }
  })
  onTestFinished(() => multicast.close())
  return {
    multicast,
    announcements: (secret) =>
      packets.flatMap((packet) => {
        const message = decodeMessage(packet)
        if (message?.kind !== 'announcement') return []
        const address = { host: LOOPBACK, port: message.port }
        return recognise(message.introductions, [secret], address).length > 0 ? [{ from: message.from, address, packet }] : []
      }),
    of: (instance) => packets.map((packet) => decode(packet)).filter((packet) => JSON.stringify(packet).includes(instance)),
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    say: (packet) => multicast.send(packet, LOOPBACK)
  }
}

/** What somebody says who knows `topics`, and names a key and a port as it likes. */
export function announcement(publicKey: Uint8Array, topics: readonly Uint8Array[], port: number, host = LOOPBACK): Uint8Array {
  const address = { host, port }
  return encodeAnnouncement('mallory', address, introduce(publicKey, topics, address)[0]!)
}

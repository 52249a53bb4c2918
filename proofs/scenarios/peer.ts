// One life of a device, in a process of its own.
import { createPeer, localNetwork, type Peer, type Room } from 'covey'
import { answerCalls } from '../called-process.js'
import type { ScenarioCalls } from './protocol.js'

let peer: Peer
let room: Room
const lied: string[] = []
const refused: { mirror: string; code: string }[] = []
const errors: string[] = []

function enter(entered: Room): null {
  room = entered
  room.on('error', (error) => void errors.push(String(error.stack)))
  return null
}

answerCalls<ScenarioCalls>({
  async open({ bootstrap, ...init }) {
    peer = await createPeer({ ...init, network: localNetwork(bootstrap) })
    peer.on('error', (error) => void errors.push(String(error.stack)))
    peer.rooms.on('error', (error) => void errors.push(String(error.stack)))
    peer.mirrors.on('lied', ({ mirror }) => void lied.push(mirror))
    peer.mirrors.on('refused', ({ mirror, code }) => void refused.push({ mirror, code }))
    const [known] = peer.rooms.list()
    if (known !== undefined) enter(known)
    return { person: peer.identity.id, device: peer.device.id }
  },
  create: async () => enter(await peer.rooms.create({ name: 'Tea' })),
  join: async ({ link, forMs }) => enter(await peer.rooms.join(link, { signal: AbortSignal.timeout(forMs) })),
  room: ({ call, args }) => (room[call] as (...args: readonly unknown[]) => Promise<unknown>).apply(room, [...args]),
  async durable({ forMs, ...options }) {
    const signal = AbortSignal.timeout(forMs)
    try {
      return await room.durable({ ...options, signal })
    } catch (error) {
      if (error === signal.reason) return null
      throw error
    }
  },
  async await({ texts, forMs }) {
    const missing = new Set(texts)
    const signal = AbortSignal.timeout(forMs)
    try {
      for await (const { text } of room.messages({ live: true, pending: false, signal })) {
        missing.delete(text)
        if (missing.size === 0) break
      }
    } catch (error) {
      if (error !== signal.reason) throw error
    }
    return [...missing]
  },
  async texts({ limit }) {
    const texts: string[] = []
    for await (const { text } of room.messages({ limit })) texts.push(text)
    return texts
  },
  reached: async () => peer.mirrors.list().filter(({ isConnected }) => isConnected).map(({ id }) => id),
  heard: async () => ({ lied, refused, errors })
})

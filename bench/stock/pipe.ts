import { once } from 'node:events'
import Protomux, { type Channel, type Message } from 'protomux'
import c from 'compact-encoding'
import HyperDHT from 'hyperdht'
import type { SwarmConnection } from 'hyperswarm'
import type { LocalNetwork } from '@covey/testing'

/** A connection of two HyperDHT nodes with one Protomux channel, and nothing else. */
export interface Pipe {
  /** Sends as many messages, waiting where the connection says so, and resolves when all have arrived. */
  send(count: number, bytes: Uint8Array): Promise<void>
  roundTrip(bytes: Uint8Array): Promise<void>
  sendDatagram(bytes: Uint8Array): void
  datagrams(): AsyncIterable<Uint8Array>
  /** How long it takes from waking up to a message on a new connection, in milliseconds. */
  resume(): Promise<number>
  close(): Promise<void>
}

export async function openPipe(network: LocalNetwork): Promise<Pipe> {
  const [near, far] = [0, 1].map(() => new HyperDHT({ bootstrap: network.bootstrap, host: '127.0.0.1' })) as [HyperDHT, HyperDHT]
  let onarrived = (): void => undefined
  let isEchoing = false
  let farConnection!: SwarmConnection
  const server = far.createServer((connection) => {
    farConnection = connection
    const end = openEnd(connection, (bytes) => {
      if (isEchoing) end.message.send(bytes)
      onarrived()
    })
  })
  await server.listen()
  let onreturned = (): void => undefined
  const dial = async () => {
    const connection = near.connect(server.publicKey!)
    const end = openEnd(connection, () => onreturned())
    await end.channel.fullyOpened()
    return { connection, ...end }
  }
  let end = await dial()
  const roundTrip = async (bytes: Uint8Array): Promise<void> => {
    isEchoing = true
    const returned = new Promise<void>((resolve) => (onreturned = resolve))
    end.message.send(bytes)
    await returned
    isEchoing = false
  }
  return {
    async send(count, bytes) {
      let left = count
      const arrived = new Promise<void>((resolve) => (onarrived = () => --left === 0 && resolve()))
      for (let i = 0; i < count; i++) if (!end.message.send(bytes)) await end.drained()
      await arrived
    },
    roundTrip,
    sendDatagram: (bytes) => end.connection.trySend(bytes),
    async *datagrams() {
      const waiting: Uint8Array[] = []
      let wake = (): void => undefined
      const onmessage = (bytes: Uint8Array): void => {
        waiting.push(bytes)
        wake()
      }
      farConnection.on('message', onmessage)
      try {
        for (;;) {
          while (waiting.length > 0) yield waiting.shift()!
          await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        farConnection.off('message', onmessage)
      }
    },
    async resume() {
      const closed = once(end.connection as never, 'close')
      await near.suspend()
      await closed
      const startedAt = performance.now()
      await near.resume()
      end = await dial()
      await roundTrip(new Uint8Array(100))
      return performance.now() - startedAt
    },
    async close() {
      await near.destroy()
      await far.destroy()
    }
  }
}

function openEnd(connection: SwarmConnection, onmessage: (bytes: Uint8Array) => void) {
  connection.on('error', () => undefined)
  let ondrain = (): void => undefined
  const channel = Protomux.from(connection).createChannel({ protocol: 'covey-bench/pipe', ondrain: () => ondrain() }) as Channel
  const message: Message<Uint8Array> = channel.addMessage({ encoding: c.raw, onmessage })
  channel.open()
  return { channel, message, drained: () => new Promise<void>((resolve) => (ondrain = resolve)) }
}

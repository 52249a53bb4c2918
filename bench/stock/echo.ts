import { randomBytes } from 'node:crypto'
import Protomux, { type Message } from 'protomux'
import c from 'compact-encoding'
import type { SwarmConnection } from 'hyperswarm'
import type { LocalNetwork } from '@covey/testing'
import { createStockSwarm } from './swarm.js'

/** A connection of two Hyperswarms whose far end sends back what it is sent. */
export interface Echo {
  roundTrip(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** @param answer what the far end sends back in place of what it is sent. */
export async function openEcho(network: LocalNetwork, answer?: Uint8Array): Promise<Echo> {
  let returned = (): void => undefined
  const far = createStockSwarm(network, (connection) => {
    const message = openChannel(connection, (bytes) => void message.send(answer ?? bytes))
  })
  const topic = randomBytes(32)
  await far.join(topic, { server: true, client: false }).flushed()

  let near!: ReturnType<typeof createStockSwarm>
  const message = await new Promise<Message<Uint8Array>>((resolve) => {
    near = createStockSwarm(network, (connection) => resolve(openChannel(connection, () => returned())))
    near.join(topic, { server: false, client: true })
  })
  return {
    roundTrip: (bytes) =>
      new Promise((resolve) => {
        returned = resolve
        message.send(bytes)
      }),
    async close() {
      await near.destroy()
      await far.destroy()
    }
  }
}

function openChannel(connection: SwarmConnection, onmessage: (bytes: Uint8Array) => void): Message<Uint8Array> {
  const channel = Protomux.from(connection).createChannel({ protocol: 'covey-bench/echo' })
  if (channel === null) throw new Error('The connection was closed before it was used.')
  const message = channel.addMessage({ encoding: c.raw, onmessage })
  channel.open()
  return message
}

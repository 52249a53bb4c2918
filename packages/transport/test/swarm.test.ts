import HyperDHT from 'hyperdht'
import { expect, onTestFinished, test } from 'vitest'
import { EarlyNonces } from '../src/internal/session/early-nonces.js'
import { createSwarm } from '../src/internal/swarm.js'
import { joinTopic } from '../src/topic.js'
import { topicOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('a connection that crosses another is handed over, and neither is closed', async () => {
  const crossing: { destroying: boolean }[] = []
  const swarm = start({
    oncrossing(stream) {
      stream.on('error', () => undefined)
      crossing.push(stream)
    }
  })
  const { publicKey } = swarm.keyPair
  await swarm.listen()
  const dht = new HyperDHT({ bootstrap: net.network.bootstrap, host: '127.0.0.1' })
  onTestFinished(() => dht.destroy())
  const streams = [dht.connect(publicKey), dht.connect(publicKey)]
  for (const stream of streams) stream.on('error', () => undefined)
  await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.once('open', () => resolve()))))
  await until(() => crossing.length + swarm.connections.size === 2)
  expect(crossing).toHaveLength(1)
  expect([...streams, ...crossing].filter(({ destroying }) => destroying)).toEqual([])
})

test('a device is announced when it knows whether others can dial it', async () => {
  const swarm = start({})
  const known = swarm.dht.fullyBootstrapped()
  let tell = (): void => undefined
  swarm.dht.fullyBootstrapped = () => new Promise((resolve) => (tell = resolve))
  const listening = swarm.listen()
  await known
  expect(swarm.dht.listening.size).toBe(0)
  tell()
  await listening
  expect(swarm.dht.listening.size).toBe(1)
})

test('it can be closed before it knows the network', async () => {
  const dht = new HyperDHT({ bootstrap: [{ host: '127.0.0.1', port: 9 }], host: '127.0.0.1' })
  const swarm = start({ dht })
  const listening = swarm.listen()
  await swarm.destroy()
  await listening
  expect(dht.listening.size).toBe(0)
})

test('a peer that is met already is not dialled', async () => {
  const [a, b] = [start({ isMet: () => true }), start({})]
  const met: unknown[] = []
  a.on('connection', (stream) => met.push(stream))
  const topics = []
  for (const swarm of [b, a]) {
    await swarm.listen()
    const topic = joinTopic(swarm, topicOf('met already'), { onclose: () => undefined, onerror: () => undefined })
    topics.push(topic)
    // So that only `a` finds the other.
    await topic.flushed()
    if (swarm === b) await topic.close().then(() => announce(b))
  }
  await until(() => a.peers.size === 1)
  await a.flush()
  expect(met).toEqual([])
})

test('what is said in the handshake of a dial is heard by who is dialled; without it, and by others, it is a dial as any', async () => {
  const nonce = new Uint8Array(32).fill(7)
  const said = new EarlyNonces(() => nonce)
  const heard = new EarlyNonces(() => null)
  const [a, b] = [start({ earlyNonces: said }), start({ earlyNonces: heard })]
  const stock = new HyperDHT({ bootstrap: net.network.bootstrap, host: '127.0.0.1' })
  onTestFinished(() => stock.destroy())
  const server = stock.createServer()
  await Promise.all([b.listen(), server.listen()])
  const incoming = async (from: () => void): Promise<Uint8Array | null> =>
    new Promise((resolve) => {
      b.once('connection', (stream) => resolve(heard.of(stream)))
      from()
    })
  const { connect } = a.dht
  expect(new Uint8Array((await incoming(() => a.joinPeer(b.keyPair.publicKey)))!)).toEqual(nonce)
  expect(await incoming(() => stock.connect(b.keyPair.publicKey).on('error', () => undefined))).toBeNull()
  const taken = new Promise<void>((resolve) => server.once('connection', (stream) => resolve(void stream.on('error', () => undefined))))
  a.joinPeer(server.publicKey!)
  await taken
  // It is put back after each dial, and not wrapped once more.
  expect(a.dht.connect).toBe(connect)
})

async function announce(swarm: ReturnType<typeof start>): Promise<void> {
  await swarm.dht.announce(topicOf('met already'), swarm.keyPair, swarm.server.relayAddresses).finished()
}

function start(init: Partial<Parameters<typeof createSwarm>[0]>): ReturnType<typeof createSwarm> {
  const dht = new HyperDHT({ bootstrap: net.network.bootstrap, host: '127.0.0.1' })
  const swarm = createSwarm({ dht, earlyNonces: new EarlyNonces(() => null), isMet: () => false, oncrossing: () => undefined, ...init })
  swarm.on('connection', (stream) => stream.on('error', () => undefined))
  onTestFinished(() => swarm.destroy())
  return swarm
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 8_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not within the time: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

import HyperDHT from 'hyperdht'
import Hyperswarm from 'hyperswarm'
import { expect, onTestFinished, test } from 'vitest'
import { joinTopic } from '../src/topic.js'
import { topicOf, useLocalNetwork } from './support.js'

const net = useLocalNetwork()
const TRIES = 100
/** Long enough for a machine under load, and far below the ten minutes after which a topic is looked up anyway. */
const LIMIT_MS = 8_000

test(`two that join a topic at the same moment meet, ${TRIES} times of ${TRIES}`, { timeout: 60_000 }, async () => {
  const [a, b] = [await startSwarm(), await startSwarm()]
  const waits: number[] = []
  for (let i = 0; i < TRIES; i++) {
    const topic = topicOf(`at once, ${i}`)
    const startedAt = performance.now()
    const met = Promise.all([a, b].map(nextConnection))
    const topics = [a, b].map((swarm) => joinTopic(swarm, topic, { onclose: () => undefined, onerror: () => undefined }))
    await Promise.race([met, new Promise((resolve) => setTimeout(resolve, LIMIT_MS))])
    waits.push(performance.now() - startedAt)
    await Promise.all(topics.map((joined) => joined.close()))
    await Promise.all([a, b].flatMap((swarm) => [...swarm.connections].map(closed)))
  }
  expect(waits.filter((wait) => wait >= LIMIT_MS)).toEqual([])
})

async function startSwarm(): Promise<Hyperswarm> {
  const dht = new HyperDHT({ bootstrap: net.network.bootstrap, host: '127.0.0.1' })
  const swarm = new Hyperswarm({ dht })
  swarm.on('connection', (stream) => stream.on('error', () => undefined))
  onTestFinished(() => swarm.destroy())
  await swarm.listen()
  return swarm
}

function nextConnection(swarm: Hyperswarm): Promise<unknown> {
  return new Promise((resolve) => swarm.once('connection', resolve))
}

function closed(stream: { destroyed: boolean; destroy(): void; once(event: 'close', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    stream.once('close', () => resolve())
    stream.destroy()
  })
}

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { topicOf } from '../support.js'
import { encodeQuery } from '../../src/internal/lan/packet.js'
import { announcement, LOOPBACK, startEavesdropper, startLanNode } from './support.js'

const QUICK = { timeout: 20_000 }
const TEA = topicOf('tea')

/** A port where somebody is sent packets that it never asked for. */
async function startVictim(): Promise<{ port: number; readonly received: number; first: Promise<void> }> {
  const socket = createSocket('udp4')
  let received = 0
  const first = new Promise<void>((resolve) => {
    socket.on('message', () => {
      received++
      resolve()
    })
  })
  socket.bind(0, LOOPBACK)
  await once(socket, 'listening')
  onTestFinished(() => new Promise((resolve) => void socket.close(() => resolve())))
  return { port: socket.address().port, first, get received() { return received } }
}

const randomKey = (i: number): Uint8Array => new Uint8Array(32).fill(7).with(0, i & 255).with(1, i >> 8)

test('garbage and floods of it leave a device that finds others', QUICK, async () => {
  const ear = await startEavesdropper()
  const alice = await startLanNode()
  await ear.until(() => ear.announcements(alice.publicKey).length > 0)
  const good = ear.announcements(alice.publicKey)[0]!.packet
  for (let i = 0; i < 500; i++) await ear.say(good.with(i % good.length, i & 255).subarray(0, 12 + ((i * 31) % good.length)))
  const bob = await startLanNode()
  await bob.connect(alice.publicKey, { signal: AbortSignal.timeout(10_000) })
})

test('a flood of questions is answered once a second', QUICK, async () => {
  const ear = await startEavesdropper()
  const node = await startLanNode()
  const heard = (): number => ear.announcements(node.publicKey).length
  await ear.until(() => heard() === 2)
  const startedAt = performance.now()
  const flood = setInterval(() => void ear.say(encodeQuery('somebody')), 5)
  onTestFinished(() => clearInterval(flood))
  await ear.until(() => heard() === 5)
  expect(performance.now() - startedAt).toBeGreaterThan(2_500)
})

test('who does not know the topic can have nobody dial anything: not by repeating, and not by making up', QUICK, async () => {
  const ear = await startEavesdropper()
  const [alice, bob] = [await startLanNode(), await startLanNode()]
  alice.join(TEA)
  await ear.until(() => ear.announcements(TEA).length > 0)
  const victim = await startVictim()
  const { packet } = ear.announcements(TEA)[0]!
  // The port is where its two bytes are, after the name of the service.
  const { port } = ear.announcements(TEA)[0]!.address
  const at = packet.findIndex((byte, i) => byte === port >> 8 && packet[i + 1] === (port & 255))
  await ear.say(packet.with(at, victim.port >> 8).with(at + 1, victim.port & 255))
  await ear.say(announcement(alice.publicKey, [topicOf('coffee')], victim.port))
  bob.join(TEA)
  await new Promise<void>((resolve) => bob.on('connect', () => resolve()))
  expect(victim.received).toBe(0)
})

test('who knows the topic has a few packets sent to an address in the network, and no more', QUICK, async () => {
  const ear = await startEavesdropper()
  const node = await startLanNode()
  node.join(TEA)
  await ear.until(() => ear.announcements(TEA).length > 0)
  const victim = await startVictim()
  const flood = setInterval(() => void ear.say(announcement(randomKey(said++), [TEA], victim.port)), 5)
  let said = 0
  onTestFinished(() => clearInterval(flood))
  await victim.first
  const [heardBefore, receivedBefore] = [ear.announcements(node.publicKey).length, victim.received]
  // Some seconds, told by its answers, of which there is one a second.
  const question = setInterval(() => void ear.say(encodeQuery('somebody')), 500)
  onTestFinished(() => clearInterval(question))
  await ear.until(() => ear.announcements(node.publicKey).length >= heardBefore + 4)
  expect(said).toBeGreaterThan(200)
  // 4 dials at a time to one host, each of which asks again after a second, for 3 s.
  expect(victim.received - receivedBefore).toBeLessThan(100)
  expect(node.peers).toEqual([])
})

test('a key that is claimed and not held opens nothing, and the one who holds it is found', QUICK, async () => {
  const ear = await startEavesdropper()
  const [alice, bob, mallory] = [await startLanNode(), await startLanNode(), await startLanNode()]
  await ear.until(() => ear.announcements(mallory.publicKey).length > 0)
  const { address } = ear.announcements(mallory.publicKey)[0]!
  const lie = setInterval(() => void ear.say(announcement(bob.publicKey, [TEA], address.port)), 100)
  onTestFinished(() => clearInterval(lie))
  alice.join(TEA)
  await alice.connect(bob.publicKey, { signal: AbortSignal.timeout(15_000) })
  expect(alice.peers).toEqual([bob.id])
  expect(mallory.peers).toEqual([])
})

test('a blocked device is not dialled', QUICK, async () => {
  const ear = await startEavesdropper()
  const node = await startLanNode()
  const victim = await startVictim()
  node.block(randomKey(1))
  node.join(TEA)
  await ear.until(() => ear.announcements(TEA).length > 0)
  await ear.say(announcement(randomKey(1), [TEA], victim.port))
  await ear.say(announcement(randomKey(2), [TEA], victim.port))
  await victim.first
  expect(victim.received).toBe(1)
})

import type NoiseSecretStream from '@hyperswarm/secret-stream'
import Protomux from 'protomux'
import { expect, test } from 'vitest'
import { writeBytes } from '@covey/core'
import { createSide, connectStreams, type Side } from './pair.js'

/** A peer that says what it likes, to a node that leads: it has the higher key. */
async function attack(say: (send: (type: number, bytes: Uint8Array) => void) => void): Promise<{ side: Side; stream: NoiseSecretStream }> {
  const [low, high] = [createSide(1), createSide(2)].sort((a, b) => Buffer.compare(a.keyPair.publicKey, b.keyPair.publicKey))
  const [stream, far] = await connectStreams(high!, low!)
  high!.sessions.accept(stream)
  const channel = Protomux.from(far as never).createChannel({
    protocol: 'covey/session/1',
    messages: Array.from({ length: 8 }, () => ({ onmessage: () => undefined }))
  })!
  channel.open()
  await channel.fullyOpened()
  say((type, bytes) => channel.messages[type]!.send(bytes))
  return { side: high!, stream }
}

const GREETING = Buffer.concat([Buffer.alloc(32, 5), Buffer.alloc(32), Buffer.from([0])])
const [HELLO, FROM, DATA, ACK, HINTS, TCP] = [0, 1, 2, 3, 6, 7]

test('a greeting that is well formed opens a session: what follows fails for its own reason', async () => {
  const { side, stream } = await attack((send) => {
    send(HELLO, GREETING)
    send(FROM, Buffer.from([0]))
    send(DATA, Buffer.from('hello'))
  })
  const session = await openedOf(side)
  session.resume()
  expect(await new Promise((resolve) => session.once('data', (bytes) => resolve(Buffer.from(bytes).toString())))).toBe('hello')
  expect(stream.destroyed).toBe(false)
})

test('what is sent again is passed over', async () => {
  const { side } = await attack((send) => {
    send(HELLO, GREETING)
    for (const texts of [['a', 'b'], ['a', 'b', 'c']]) {
      send(FROM, Buffer.from([0]))
      for (const text of texts) send(DATA, Buffer.from(text))
    }
    send(FROM, Buffer.from([2]))
    for (const text of ['c', 'end']) send(DATA, Buffer.from(text))
  })
  const session = await openedOf(side)
  const arrived: string[] = []
  await new Promise<void>((resolve) => {
    session.on('data', (bytes) => {
      if (arrived.push(Buffer.from(bytes).toString()) && arrived.at(-1) === 'end') resolve()
    })
  })
  expect(arrived).toEqual(['a', 'b', 'c', 'end'])
})

test.each<[string, (send: (type: number, bytes: Uint8Array) => void) => void]>([
  ['a greeting that ends early', (send) => send(HELLO, GREETING.subarray(0, 40))],
  ['a greeting that is too long', (send) => send(HELLO, Buffer.concat([GREETING, Buffer.alloc(4_096)]))],
  ['a greeting without a nonce of its own', (send) => send(HELLO, Buffer.alloc(65))],
  ['a second greeting', (send) => [send(HELLO, GREETING), send(HELLO, GREETING)]],
  ['frames before a greeting', (send) => send(DATA, Buffer.from('early'))],
  ['an acknowledgement before a greeting', (send) => send(ACK, Buffer.from([0]))],
  ['frames before their number', (send) => [send(HELLO, GREETING), send(DATA, Buffer.from('x'))]],
  ['a gap', (send) => [send(HELLO, GREETING), send(FROM, Buffer.from([3]))]],
  ['an acknowledgement of what was never sent', (send) => [send(HELLO, GREETING), send(ACK, Buffer.from([9]))]],
  ['more received than was ever sent', (send) => send(HELLO, Buffer.concat([GREETING.subarray(0, 64), Buffer.from([9])]))],
  ['a number that is none', (send) => [send(HELLO, GREETING), send(FROM, Buffer.from([0xfd, 1]))]],
  [
    'empty frames without end',
    (send) => {
      send(HELLO, GREETING)
      send(FROM, Buffer.from([0]))
      for (let i = 0; i < 100_000; i++) send(DATA, Buffer.alloc(0))
    }
  ],
  ['relays before a greeting', (send) => send(HINTS, Buffer.from([0]))],
  ['relays that cannot be read', (send) => [send(HELLO, GREETING), send(HINTS, Buffer.from([1, 2, 3]))]],
  ['too many relays', (send) => [send(HELLO, GREETING), send(HINTS, Buffer.concat([Buffer.from([3]), Buffer.alloc(99)]))]],
  ['an offer of TCP before a greeting', (send) => send(TCP, offerAt(50_000))],
  ['an offer of TCP that ends early', (send) => [send(HELLO, GREETING), send(TCP, offerAt(50_000).subarray(0, 20))]],
  ['an offer of TCP at a port of the system', (send) => [send(HELLO, GREETING), send(TCP, offerAt(22))]],
  ['an offer of TCP at a port that is none', (send) => [send(HELLO, GREETING), send(TCP, offerAt(70_000))]],
  ['an offer of TCP that is too long', (send) => [send(HELLO, GREETING), send(TCP, Buffer.concat([offerAt(50_000), Buffer.alloc(4_096)]))]],
  [
    'more than is taken',
    (send) => {
      send(HELLO, GREETING)
      send(FROM, Buffer.from([0]))
      for (let i = 0; i < 24; i++) send(DATA, Buffer.alloc(1024 * 1024))
    }
  ]
])('%s ends the connection, and nothing else', async (_, say) => {
  const { stream } = await attack(say)
  if (!stream.destroyed) await new Promise((resolve) => stream.once('close', () => resolve(undefined)))
  expect(stream.destroyed).toBe(true)
})

function offerAt(port: number): Uint8Array {
  return writeBytes((writer) => writer.varint(port).bytes(new Uint8Array(32)))
}

async function openedOf(side: Side) {
  while (side.opened.length === 0) await new Promise((resolve) => setImmediate(resolve))
  return side.opened[0]!
}

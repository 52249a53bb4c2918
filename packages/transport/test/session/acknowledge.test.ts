import { expect, test } from 'vitest'
import type { Link } from '../../src/internal/session/link.js'
import { Session } from '../../src/internal/session/session.js'

/** What a session needs of a connection, and what was acknowledged there. */
function linkOf(openedAt: number) {
  const acks: number[] = []
  const done = (): void => undefined
  const link = { openedAt, isHeard: true, isRelayed: false, isTcp: false, isEarly: false, isDrained: true, sent: 0, next: -1, stream: { rawStream: {} } }
  return { ...link, acks, belongTo: done, end: done, sendFrom: done, sendData: done, sendAck: (count: number) => void acks.push(count) }
}

test('what was acknowledged on a path that was dead already is acknowledged on the next', async () => {
  const [publicKey, remotePublicKey, leader, follower] = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const done = (): void => undefined
  const session = new Session({ publicKey, remotePublicKey, isLeader: true, nonces: { leader, follower }, onpath: done, onbulk: done, onend: done })
  session.resume()
  // The peer has left one path already, and fills its window on the other; here the first is still preferred.
  const [alive, dead] = [linkOf(1), linkOf(2)]
  for (const link of [alive, dead]) session.attach(link as unknown as Link, 0)
  session.onfrom(alive as unknown as Link, 0)
  for (let i = 0; i < 32; i++) session.ondata(alive as unknown as Link, new Uint8Array(128 * 1024))
  await expect.poll(() => dead.acks.at(-1)).toBe(32)
  expect(alive.acks).not.toContain(32)
  dead.isHeard = false
  session.choosePath()
  expect(alive.acks.at(-1)).toBe(32)
})

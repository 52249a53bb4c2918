import type NoiseSecretStream from '@hyperswarm/secret-stream'
import { expect, test } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { MAX_LINKS } from '../../src/internal/session/constants.js'
import { connect, connectStreams, createSide, type Side } from './pair.js'

test('connections that never become a session are closed in time, and give back the places that they took', { timeout: 20_000 }, async () => {
  // There is room for eight.
  const [host, honest, ...strangers] = Array.from({ length: 10 }, (_, i) => createSide(i + 40)) as [Side, Side, ...Side[]]
  const halfOpen: NoiseSecretStream[] = []
  for (const stranger of strangers) {
    const [near] = await connectStreams(host, stranger)
    host.sessions.accept(near)
    halfOpen.push(near)
  }
  const [refused] = await connect(host, honest)
  expect(refused.destroying).toBe(true)
  const startedAt = Date.now()
  await Promise.all(halfOpen.map((stream) => new Promise<void>((resolve) => stream.once('close', () => resolve()))))
  expect(Date.now() - startedAt).toBeGreaterThan(9_000)
  while (host.sessions.get(encodeZ32(strangers[0]!.keyPair.publicKey)) !== undefined) await elapsed(50)
  const [taken] = await connect(host, honest)
  while (host.opened.length === 0) await elapsed(5)
  expect(taken.destroying).toBe(false)
})

test('of one stranger a few are held', async () => {
  const [host, stranger] = [createSide(50), createSide(51)]
  const streams: NoiseSecretStream[] = []
  for (let i = 0; i < 10; i++) {
    const [near] = await connectStreams(host, stranger)
    host.sessions.accept(near)
    streams.push(near)
  }
  expect(streams.filter((stream) => !stream.destroying)).toHaveLength(MAX_LINKS)
})

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

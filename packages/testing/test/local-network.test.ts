import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { createLocalNetwork, type LocalNetworkInit } from '@covey/testing'
import { run } from './support.js'

/** Whether a UDP port of the loopback address is free. */
async function isFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  socket.bind(port, '127.0.0.1')
  // `once` rejects with what an `error` event tells.
  const free = await once(socket, 'listening').then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'EADDRINUSE'
  )
  socket.close()
  return free
}

test('its addresses are plain data on the loopback address', async () => {
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  expect(network.bootstrap.length).toBeGreaterThan(0)
  for (const { host, port } of network.bootstrap) {
    expect(host).toBe('127.0.0.1')
    expect(await isFree(port)).toBe(false)
  }
  expect(structuredClone(network.bootstrap)).toEqual(network.bootstrap)
})

test('a second close does nothing more, and the ports are free again', async () => {
  const network = await createLocalNetwork({ size: 2 })
  await Promise.all([network.close(), network.close()])
  await network.close()
  await network[Symbol.asyncDispose]()
  for (const { port } of network.bootstrap) expect(await isFree(port)).toBe(true)
})

test.each<[LocalNetworkInit, string]>([
  [{ size: 1 }, 'init.size must be at least 2'],
  [{ size: 101 }, 'init.size must be at most 100'],
  [{ size: 2.5 }, 'init.size'],
  [{ sise: 3 } as LocalNetworkInit, 'did you mean "size"']
])('%j is refused', async (init, message) => {
  await expect(createLocalNetwork(init)).rejects.toThrow(TypeError)
  await expect(createLocalNetwork(init)).rejects.toThrow(message)
})

test('a process that closes what it opened ends by itself', async () => {
  const { code, output } = await run(`
    import { createLocalNetwork, createTestPeer } from '@covey/testing'
    const network = await createLocalNetwork()
    const alice = await createTestPeer({ network, name: 'Alice' })
    const bob = await createTestPeer({ network, name: 'Bob' })
    const room = await alice.rooms.create({ name: 'Tea' })
    const joined = await bob.rooms.join(await room.createInvite())
    await joined.send('hello')
    for await (const { text } of room.messages({ live: true })) {
      console.log(text)
      break
    }
    await Promise.all([alice.close(), bob.close()])
    await network.close()
  `)
  expect(output).toBe('hello\n')
  expect(code).toBe(0)
})

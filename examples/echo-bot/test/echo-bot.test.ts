import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createTestPeer, createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import type { Room } from 'covey'

let network: LocalNetwork
let storage: string

beforeAll(async () => {
  network = await createLocalNetwork()
  storage = await mkdtemp(join(tmpdir(), 'echo-bot-'))
})
afterAll(async () => {
  await network.close()
  await rm(storage, { recursive: true, force: true })
})

/** Runs the program as a person would, and gives the lines that it prints. */
function run(...args: string[]): { lines: AsyncIterator<string>; interrupt(): Promise<unknown> } {
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  const program = ['--import', 'tsx', '-C', '@covey/source', 'src/main.ts', '--storage', storage, '--local', `${host}:${port}`, ...args]
  const child = spawn(process.execPath, program, { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  const interrupt = (): Promise<unknown> => {
    child.kill('SIGINT')
    return exited
  }
  return { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), interrupt }
}

async function answers(room: Room, text: string): Promise<void> {
  for await (const message of room.messages({ live: true })) if (message.text === text) return
}

it('prints its invite, answers, ends with Ctrl-C, and answers what it has missed', async () => {
  const first = run()
  let link = ''
  while (!link.startsWith('covey:invite/')) link = (await first.lines.next()).value as string
  await using alice = await createTestPeer({ network, name: 'Alice' })
  const room = await alice.rooms.join(link)
  await room.send('/ping')
  await answers(room, 'pong')
  await room.send('hello')
  await answers(room, 'Echo: hello')
  expect(await first.interrupt()).toEqual([0, null])

  await room.send('anybody there?')
  const second = run()
  await answers(room, 'Echo: anybody there?')
  expect(await second.interrupt()).toEqual([0, null])
  const texts: string[] = []
  for await (const { isOwn, text } of room.messages()) if (!isOwn) texts.push(text)
  expect(texts).toEqual(['pong', 'Echo: hello', 'Echo: anybody there?'])
})

it('comes to the room of an invite', async () => {
  await using alice = await createTestPeer({ network, name: 'Alice' })
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = run('--join', await room.createInvite())
  let line = ''
  while (!line.startsWith('In “Tea”')) line = (await bot.lines.next()).value as string
  expect(line).toBe('In “Tea” I am member, and may read, send messages.')
  await room.send('hello')
  await answers(room, 'Echo: hello')
  expect(await bot.interrupt()).toEqual([0, null])
})

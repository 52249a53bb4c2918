import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openIdentity } from '@covey/identity'
import { createRooms } from '@covey/rooms'
import { createNode, openStore } from '@covey/transport'
import { messagesOf, temporaryFolder, useLocalNetwork } from './support.js'

const SENDER = fileURLToPath(new URL('send-until-killed.ts', import.meta.url))
const net = useLocalNetwork()

test('a kill takes back nothing that was sent, and gives nothing twice', { timeout: 60_000 }, async () => {
  const folder = await temporaryFolder()
  const sent = new Map<string, string>()
  // Killed at another place of the work in each round.
  for (const [round, count] of [1, 20, 47].entries()) {
    for (const line of await sendUntilKilled(folder, round, count)) {
      const [id, ...text] = line.split(' ')
      sent.set(id!, text.join(' '))
    }

    const messages = await readAll(folder)
    const found = new Map(messages.map(({ id, text }) => [id, text]))
    expect(found.size).toBe(messages.length)
    expect(new Set(found.values()).size).toBe(messages.length)
    expect([...sent].filter(([id, text]) => found.get(id) !== text)).toEqual([])
    for (let past = 0; past <= round; past++) {
      const numbers = messages.filter(({ text }) => text.startsWith(`${past} `)).map(({ text }) => Number(text.split(' ')[1]))
      expect(numbers).toEqual(numbers.map((_, i) => i))
    }
  }
})

/** What a process that is killed after `count` messages has told of, which may be a little more. */
async function sendUntilKilled(folder: string, round: number, count: number): Promise<string[]> {
  const args = ['--import', 'tsx', '-C', '@covey/source', SENDER, folder, JSON.stringify(net.network), `${round}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (lines.length === count) child.kill('SIGKILL')
  }
  await exited
  expect(child.signalCode).toBe('SIGKILL')
  return lines
}

async function readAll(folder: string) {
  const store = await openStore(`${folder}/store`)
  const identity = await openIdentity({ storage: `${folder}/identity` })
  const node = createNode({ identity, store, network: net.network })
  const rooms = await createRooms({ identity, node })
  expect(rooms.list()).toHaveLength(1)
  const messages = await messagesOf(rooms.list()[0]!)
  await rooms.close()
  await node.close()
  await identity.close()
  return messages
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createLocalNetwork } from '@covey/testing'
import { localNetwork, type Room } from 'covey'
import { receive, start, temporaryFolder } from './support.js'

test('a steward lets people in, and settles the order, while everybody else is away; also when it was killed', { timeout: 240_000 }, async () => {
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  const init = { network: localNetwork(network.bootstrap) }
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  const options = ['--storage', await temporaryFolder(), '--bootstrap', `${host}:${port}`, '--name', 'Jeeves']
  const alice = await start({ ...init, name: 'Alice' })
  const room = await alice.rooms.create({ name: 'Tea' })
  const first = await runSteward(await room.createInvite(), ...options)
  expect(first.said(`room ${room.id}`)).toMatch(/\.$/)
  const person = first.said('person')
  await expect.poll(() => room.members()).toContainEqual(expect.objectContaining({ name: 'Jeeves', id: person }))
  await room.setRole(person, 'admin')
  await room.setIndexers([first.said('device')])
  const [forBob, forCarol] = [await room.createInvite(), await room.createInvite()]
  // Signed by the steward, which so has all of it.
  await sendAndSettle(room, 'look after it')
  await alice.close()

  const bob = await start({ ...init, name: 'Bob' })
  const his = await bob.rooms.join(forBob)
  await receive(his, 'look after it')
  await sendAndSettle(his, 'thank you')

  await first.kill()
  await runSteward(...options)
  const carol = await start({ ...init, name: 'Carol' })
  const hers = await carol.rooms.join(forCarol)
  await bob.close()
  await receive(hers, 'thank you')
  await sendAndSettle(hers, 'and I')
})

test('a steward of nothing ends, and says why', { timeout: 60_000 }, async () => {
  const child = spawnSteward('--storage', await temporaryFolder(), '--bootstrap', '127.0.0.1:9')
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += String(chunk)))
  expect(await once(child, 'close')).toEqual([2, null])
  expect(errors).toBe('there is no room to look after: give an invite\n')
})

/** An indexer that says nothing else signs every ten seconds or so. */
async function sendAndSettle(room: Room, text: string): Promise<void> {
  const { id } = await room.send(text)
  await expect.poll(() => room.settled(), { timeout: 60_000 }).toBe(id)
}

function spawnSteward(...args: readonly string[]) {
  const script = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', script, 'steward', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Resolves when it looks after a room. */
async function runSteward(...args: readonly string[]) {
  const child = spawnSteward(...args)
  child.stderr.pipe(process.stderr)
  const said = new Map<string, string>()
  for await (const line of createInterface({ input: child.stdout })) {
    const [, key, value] = /^(person|device|room \w+) (.+)$/.exec(line)!
    said.set(key!, value!)
    if (key!.startsWith('room')) break
  }
  return {
    said: (key: string) => said.get(key)!,
    async kill() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type Corestore from 'corestore'
import { createMirrorClient } from '@covey/mirror/client'
import { parseRelay } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { noNetwork, startNode, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

test('it prints its line, serves devices and metrics, stops when told to, and keeps its key', async () => {
  const storage = await temporaryFolder()
  const [{ host, port }] = net.network.bootstrap as [{ host: string; port: number }]
  const args = ['relay', '--storage', storage, '--host', '127.0.0.1', '--port', '0', '--metrics-port', '0', '--bootstrap', `${host}:${port}`]
  const first = await run(args)
  const relay = parseRelay(first.said('line'))
  const init = { relays: [relay], policy: 'relay-only' as const }
  const [a, b] = await Promise.all([startNode(net, init), startNode(net, init)])
  await a.connect(b.publicKey)
  const metrics = await fetch(first.said('metrics'))
  expect(await metrics.text()).toMatch(/^covey_relay_clients 2$/m)
  expect((await fetch(first.said('metrics').replace('/metrics', '/other'))).status).toBe(404)
  expect(await first.stop()).toBe(0)
  const second = await run(args)
  expect(second.said('relay')).toBe(first.said('relay'))
  expect(await second.stop()).toBe(0)
})

test('without a name it is a mirror and its relay, where a device meets the mirror that reaches nothing else', async () => {
  const [{ host, port }] = net.network.bootstrap as [{ host: string; port: number }]
  const args = ['--storage', await temporaryFolder(), '--host', '127.0.0.1', '--port', '0', '--mirror-metrics-port', '0', '--bootstrap', `${host}:${port}`]
  const both = await run(args)
  const node = await startNode(net, { network: noNetwork() })
  const client = createMirrorClient({ node, mirrors: [both.said('mirror')] })
  onTestFinished(() => client.close())
  const core = (partsOf(node).corestore as Corestore).get({ name: 'diary' })
  await core.append(Buffer.from('one'))
  client.hold([core.key!])
  expect(await client.once('held')).toMatchObject({ length: 1 })
  expect(await (await fetch(both.said('mirror-metrics'))).text()).toMatch(/^covey_mirror_cores 1$/m)
  expect(await both.stop()).toBe(0)
})

test.each([
  [['miror'], 2],
  [['relay', '--allow', 'x'], 2],
  [['mirror', '--port', '1'], 2],
  [['mirror', '--allow', 'x'], 2],
  [['relay', '--prot', '1'], 2],
  [['relay', '--port'], 2],
  [['relay', '--port', 'x'], 2],
  [['relay', '--bootstrap', 'x'], 2],
  [['relay', '--storage', '/dev/null/x'], 1],
  [['--help'], 0]
])('%j ends with %d', async (args, code) => {
  const child = start(args)
  expect((await once(child, 'exit'))[0]).toBe(code)
})

function start(args: readonly string[]) {
  const script = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function run(args: readonly string[]): Promise<{ said(word: string): string; stop(): Promise<number> }> {
  const child = start(args)
  const said = new Map<string, string>()
  const last = args[0] === 'relay' ? ['announced:'] : ['announced:', 'mirror', 'mirror-metrics']
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, ...rest] = line.split(/ +/)
    said.set(word!, rest.join(' '))
    if (last.every((each) => said.has(each))) break
  }
  return {
    said: (word) => said.get(word)!,
    async stop() {
      child.kill('SIGTERM')
      return (await once(child, 'exit'))[0] as number
    }
  }
}

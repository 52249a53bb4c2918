import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createLocalNetwork } from '@covey/testing'
import { expect, onTestFinished, test } from 'vitest'
import { blocksOfMarkdown } from '../../scripts/check/code-blocks.js'
import { ROOT } from '../../scripts/workspace.js'
import { installedWorkspace } from './fixture.js'

/** A program of a guide, as a reader would save it, but for the network: one of the test's own. */
async function programOf(guide: string): Promise<string> {
  const network = await createLocalNetwork()
  onTestFinished(() => network.close())
  const path = `docs/guides/${guide}.md`
  const { code } = blocksOfMarkdown(path, readFileSync(join(ROOT, path), 'utf8')).findLast((block) => block.code.includes('process.argv'))!
  const own = code.replace('import { createPeer', 'import { localNetwork, createPeer').replace('createPeer({', `createPeer({ network: localNetwork(${JSON.stringify(network.bootstrap)}),`)
  expect(own.match(/localNetwork/g)).toHaveLength(2)
  return own
}

interface Person {
  /** Resolves with the next line that matches, from where the last one was found. */
  sees(pattern: RegExp): Promise<string>
  types(line: string): void
  stops(): void
  readonly ended: Promise<number | null>
}

function start(folder: string, ...args: readonly string[]): Person {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', 'chat.mjs', ...args], { cwd: folder })
  onTestFinished(() => void child.kill())
  let errors = ''
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async sees(pattern) {
      for (;;) {
        const { value, done } = await lines.next()
        if (done === true) throw new Error(`It ended without ${pattern}. ${errors}`)
        if (pattern.test(value)) return value
      }
    },
    stops: () => void child.kill(),
    types: (line) => void child.stdin.write(`${line}\n`),
    ended: once(child, 'exit').then(([code]) => code as number | null)
  }
}

test('the program of “getting started” does what it says', { timeout: 300_000 }, async () => {
  const folder = installedWorkspace({ 'chat.mjs': await programOf('getting-started') })
  const alice = start(folder, 'Alice')
  const [, invite = ''] = (await alice.sees(/^Invite: /)).split(': ')
  const bob = start(folder, 'Bob', invite)
  alice.types('')
  alice.types('hello')
  await bob.sees(/^Alice: hello$/)
  bob.types('hello, Alice')
  await alice.sees(/^Bob: hello, Alice$/)
  bob.stops()
  await bob.ended
  await start(folder, 'Bob').sees(/^Bob: hello, Alice$/)
})

test('the program of the tutorial does what it says', { timeout: 300_000 }, async () => {
  const folder = installedWorkspace({ 'chat.mjs': await programOf('tutorial') })
  await mkdir(join(folder, 'pictures'))
  await writeFile(join(folder, 'pictures/tea.txt'), 'a cup')
  const alice = start(folder, 'Alice')
  const [, invite = ''] = (await alice.sees(/^Invite: /)).split(': ')
  const bob = start(folder, 'Bob', invite)
  await alice.sees(/^\* somebody came$/)
  alice.types('green tea?')
  await bob.sees(/^Alice: green tea\?$/)
  for (const command of ['/file', '/find']) {
    bob.types(command)
    await bob.sees(new RegExp(`^! ${command} what\\?$`))
  }
  bob.types('/file ./pictures/none.txt')
  await bob.sees(/^! /)
  bob.types('/file ./pictures/tea.txt')
  const saved = (await alice.sees(/^\* Bob sent /)).slice('* Bob sent '.length)
  expect(await readFile(saved, 'utf8')).toBe('a cup')
  bob.types('/find tea')
  await bob.sees(/^\* Alice: green tea\?$/)
  bob.types('/who')
  await bob.sees(/^\* Alice owner$/)
  bob.types('/quit')
  expect(await bob.ended).toBe(0)
  await alice.sees(/^\* somebody left$/)
  alice.types('while you were away')
  await alice.sees(/^Alice: while you were away$/)
  const again = start(folder, 'Bob')
  await again.sees(/^Alice: while you were away$/)
})

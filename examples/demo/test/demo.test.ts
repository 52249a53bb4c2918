import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork } from '@covey/testing'
import type { Message } from 'covey'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startPerson, type Person } from '../src/person.js'
import { playStory } from '../src/story.js'

const FOLDER = fileURLToPath(new URL('..', import.meta.url))
const RUN = ['--import', 'tsx', '-C', '@covey/source']

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('tells what happened, and leaves nothing behind', async () => {
  const { stdout, stderr, code } = await runDemo()
  expect(stderr).toBe('')
  expect(code).toBe(0)
  const steps = [
    /Alice and Bob start, as processes \d+ and \d+\./,
    /invite: covey:invite\/.*…/,
    /Members: Alice \(owner\), Bob \(member\)/,
    /Alice: “Hello Bob/,
    /Bob: “Lovely!/,
    /Both have the same 3 messages, in the same order/,
    /Bob’s process ends/,
    /Bob starts anew, alone: .* all 3 messages/,
    /Bob reads what he missed: “The tea is ready\.”/,
    /Both have the same 5 messages, in the same order/,
    /nothing is left behind/
  ]
  const found = steps.map((step) => stdout.search(step))
  expect(found).not.toContain(-1)
  expect(found).toEqual(found.toSorted((a, b) => a - b))
  expect(stdout).not.toContain('\x1b')
})

it('fails when a process ends before its time', async () => {
  const { stderr, code } = await runDemo((_, bob) => process.kill(bob, 'SIGKILL'))
  expect(stderr).toBe('The demo failed. Bob\'s process has ended, with SIGKILL.\n')
  expect(code).toBe(1)
})

it('takes its processes and folders along when it is interrupted', async () => {
  const { stdout, code } = await runDemo((demo) => demo.kill('SIGINT'))
  expect(stdout).not.toContain('nothing is left behind')
  expect(code).toBe(130)
})

/** A person of whom one thing is not as it should be. */
type Flaw = (person: Person) => Partial<Person>

const reverse: Flaw = ({ ask }) => ({
  ask: (async (command, ...args) => {
    const answer = await ask(command, ...args)
    return command === 'history' ? (answer as Message[]).toReversed() : answer
  }) as Person['ask']
})

it.each<[string, string, Flaw, RegExp]>([
  ['a message arrives altered', 'Bob', ({ nextMessage }) => ({
    nextMessage: async () => ({ ...(await nextMessage()), text: 'Hello Bob' })
  }), /^What Bob heard: expected .*kettle.*, got .*"Hello Bob"/],
  ['a message comes from somebody else', 'Alice', ({ nextMessage }) => ({
    nextMessage: async () => ({ ...(await nextMessage()), author: 'eve' })
  }), /^What Alice heard: .*"eve"/],
  ['the order differs', 'Bob', reverse, /^What Bob has: /]
])('fails when %s', async (_, whose, flaw, problem) => {
  const network = await createLocalNetwork()
  const people: Person[] = []
  // The people's processes are started as this demo is, and not as this test is.
  const { execArgv } = process
  process.execArgv = RUN
  try {
    const story = playStory({
      folder,
      bootstrap: network.bootstrap,
      tell: () => undefined,
      async start(init) {
        const person = await startPerson(init)
        people.push(person)
        return init.name === whose ? { ...person, ...flaw(person) } : person
      }
    })
    await expect(story).rejects.toThrow(problem)
  } finally {
    process.execArgv = execArgv
    await Promise.all(people.map((person) => person.end()))
    await network.close()
  }
})

/** Runs the demo to the end of all of its processes; `interfere` once both people have started. */
async function runDemo(interfere?: (demo: ChildProcess, bob: number) => void) {
  const env = { ...process.env, TMPDIR: folder }
  const demo = spawn(process.execPath, [...RUN, 'src/main.ts'], { cwd: FOLDER, env, timeout: 60_000 })
  createInterface(demo.stdout).on('line', (line) => {
    const [, bob] = /as processes \d+ and (\d+)/.exec(line) ?? []
    if (bob !== undefined) interfere?.(demo, Number(bob))
  })
  // 'close' comes when no process holds the output any more.
  const [stdout, stderr, [code]] = await Promise.all([text(demo.stdout), text(demo.stderr), once(demo, 'close')])
  expect((await readdir(folder)).filter((name) => name.startsWith('covey-'))).toEqual([])
  return { stdout, stderr, code: code as number | null }
}

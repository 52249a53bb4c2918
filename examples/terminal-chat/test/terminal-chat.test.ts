import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createLocalNetwork, createTestPeer, type LocalNetwork } from '@covey/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { CHAT, FOLDER, openTerminal, type Terminal } from './terminal.js'

const CTRL_C = '\x03'
const CTRL_D = '\x04'
const LEFT = '\x1b[D'
const END = '\x05'
const INVITE = /covey:invite\/[a-z0-9]+(?=\s)/

let network: LocalNetwork
let folder: string
const terminals: Terminal[] = []

beforeAll(async () => {
  network = await createLocalNetwork()
})
afterAll(() => network.close())

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'terminal-chat-'))
})
afterEach(async () => {
  for (const terminal of terminals.splice(0)) {
    terminal.kill()
    await terminal.exitCode
  }
  await rm(folder, { recursive: true, force: true })
})

function run(program: readonly [string, ...string[]]): Terminal {
  const terminal = openTerminal(program)
  terminals.push(terminal)
  return terminal
}

/** Runs the chat as a person, with a folder of the person's own, on the local network. */
function chatAs(name: string, ...args: string[]): Terminal {
  return run([...CHAT, ...args, '--name', name, '--storage', join(folder, name), ...local()])
}

function local(): ['--local', string] {
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  return ['--local', `${host}:${port}`]
}

it('lets two people talk in two terminals, with nothing but what the first one prints', async () => {
  const alice = run([...CHAT, 'create', '--local', '--name', 'Alice', '--storage', join(folder, 'alice')])
  const command = await alice.printed(/npm start -- join [^\r]+(?=\r)/)
  expect(command).toMatch(/ --local 127\.0\.0\.1:\d+ --storage \.\/guest --name Guest$/)
  const args = command.replace('./guest', join(folder, 'guest')).split(' ').slice(3)
  const guest = run([...CHAT, ...args])

  await alice.shows('Guest has joined.')
  alice.type('hello from the first\r')
  await guest.shows(/^\d\d:\d\d Alice: hello from the first$/)
  guest.type('hello from the second\r')
  await alice.shows(/^\d\d:\d\d Guest: hello from the second$/)
  expect(alice.rows().filter((row) => row.includes('hello from the first'))).toEqual(['> hello from the first'])

  guest.type('/members\r')
  await guest.shows(/^Guest, member, \w{6} \(you\)$/)
  await guest.shows(/^Alice, owner, \w{6}$/)
  guest.type('/shrug\r')
  await guest.shows('There is no /shrug.')
  guest.type('/help\r')
  await guest.shows('/invite   lets another person in')

  guest.type('/quit\r')
  expect(await guest.exitCode).toBe(0)
  alice.type(CTRL_C)
  expect(await alice.exitCode).toBe(0)
})

it('keeps the line that is being typed when a message comes', async () => {
  const alice = chatAs('Alice', 'create')
  const bob = chatAs('Bob', 'join', await alice.printed(INVITE))
  await alice.shows('Bob has joined.')

  await bob.shows('>')
  alice.type(`half a sentense${LEFT}${LEFT}`)
  await alice.shows('> half a sentense')
  bob.type('one\r')
  await alice.shows(/Bob: one$/)
  await alice.showsCursor('> half a senten', 'se')

  // A line of several rows is kept whole, and nothing above it is lost.
  alice.type(`${END}${' and more'.repeat(20)}.`)
  await alice.shows(/ more\.$/)
  bob.type('two\r')
  await alice.shows(/Bob: two$/)
  bob.type('three\r')
  await alice.shows(/Bob: three$/)
  const said = alice.rows().filter((row) => row.includes('Bob: '))
  expect(said.map((row) => row.slice(6))).toEqual(['Bob: one', 'Bob: two', 'Bob: three'])
  alice.type('\r')
  await bob.shows(/^\d\d:\d\d Alice: half a sentense and more/)
})

it('shows what was said when it is opened again', async () => {
  const alice = chatAs('Alice', 'create')
  await alice.shows('>')
  alice.type('remember the milk\r')
  await alice.shows('> remember the milk')
  alice.type(CTRL_D)
  expect(await alice.exitCode).toBe(0)

  const again = chatAs('Alice')
  await again.shows(/^\d\d:\d\d Alice: remember the milk$/)
  again.type('/invite\r')
  const bob = chatAs('Bob', 'join', await again.printed(INVITE))
  await bob.shows(/^\d\d:\d\d Alice: remember the milk$/)
})

it('shows messages and names of others without what a terminal would obey', async () => {
  const alice = chatAs('Alice', 'create')
  const invite = await alice.printed(INVITE)
  await using eve = await createTestPeer({ network, name: 'E\x1b[31mve\u202E\n' })
  const room = await eve.rooms.join(invite)
  await room.send('\x1b[2J\x1b]0;owned\x07all\u202E gone\x9B5A\r\n12:00 Alice: I owe Eve 5')

  // Of a name, what cannot be seen is left out by the room, so that nothing of it is a command here.
  await alice.shows(/^\d\d:\d\d E\[31mve: all gone$/)
  await alice.shows('E[31mve has joined.')
  await alice.shows('      12:00 Alice: I owe Eve 5')
  expect(alice.title()).toBe('')
  for (const trick of ['\u202E', '\x9B', '\x1b[31m', '\x1b[2J', 'owned']) expect(alice.output()).not.toContain(trick)
})

it('gives the terminal back as it was', async () => {
  const chat = [...CHAT, 'create', '--storage', join(folder, 'Alice'), ...local()]
  const shell = run(['sh', '-c', 'stty -g; "$@"; echo "exit $?"; stty -g', 'sh', ...chat])
  await shell.shows('>')
  shell.type(`never sent${LEFT}`)
  await shell.shows('> never sent')
  shell.type(CTRL_C)
  await shell.printed(/exit 0\s+[\da-f]+(:[\da-f]+)+\s/)
  expect(await shell.exitCode).toBe(0)
  const [before, after, ...more] = shell.output().match(/^[\da-f]+(:[\da-f]+)+/gm) ?? []
  expect(after).toBe(before)
  expect(more).toEqual([])
})

it('can be interrupted while it looks for somebody', async () => {
  const alice = await createTestPeer({ network })
  const invite = await (await alice.rooms.create({ name: 'Gone' })).createInvite()
  await alice.close()
  const bob = chatAs('Bob', 'join', invite)
  await bob.shows(/^Looking for somebody/)
  bob.type(CTRL_C)
  expect(await bob.exitCode).toBe(0)
})

it('says all lines of an input that is no terminal, and ends with it', async () => {
  const { stdout, code } = await chatOnce('one\ntwo\n', 'create', ...local())
  expect(stdout).toMatch(INVITE)
  expect(code).toBe(0)
  const again = run([...CHAT, '--storage', join(folder, 'storage'), ...local()])
  await again.shows(/: one$/)
  await again.shows(/: two$/)
})

it.each([
  ['a text that is no invite', ['join', 'hello'], /link/i],
  ['an invite that was cut short', ['join', 'covey:invite/yfiryj59p6snw'], /^The link is cut short: .*\nCopy the whole link/],
  ['a command with a typing mistake', ['crate'], /^There is no command 'crate'\.\nCommands: create, join/],
  ['an option with a typing mistake', ['create', '--nmae', 'Alice'], /^Unknown option '--nmae'\.\n.* --name/],
  ['a folder without a room', [], /^There is no room in .* yet\.\nMake one with create/]
])('explains %s, without a stack', async (_, args, problem) => {
  const { stderr, code } = await chatOnce('', ...args)
  expect(stderr).toMatch(problem)
  expect(stderr).not.toMatch(/^ +at /m)
  expect(code).toBe(1)
})

/** Runs the chat to its end without a terminal. */
async function chatOnce(input: string, ...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  const [node, ...program] = [...CHAT, ...args, '--storage', join(folder, 'storage')]
  const child = spawn(node, program, { cwd: FOLDER, timeout: 30_000, killSignal: 'SIGKILL' })
  child.stdin.end(input)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, code: code as number }
}

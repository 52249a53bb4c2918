import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork, createTestPeer, type LocalNetwork } from '@covey/testing'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import type { Room } from 'covey'
import { makePassword, Vault } from '../src/vault.js'

let network: LocalNetwork
beforeAll(async () => void (network = await createLocalNetwork()))
afterAll(() => network.close())

/** Resolves when the vault is as it should be: asked now and after every change of its room. */
async function until(room: Room, check: () => Promise<boolean>): Promise<void> {
  let wake = (): void => undefined
  const stop = room.on('update', () => wake())
  for (;;) {
    const woken = new Promise<void>((resolve) => (wake = resolve))
    if (await check()) break
    await woken
  }
  stop()
}

async function loginsOf(vault: Vault): Promise<string[]> {
  return (await vault.list()).map(({ value: { site, user, password } }) => `${site} ${user} ${password}`)
}

it('is the same on all devices, and only for those who are in it', async () => {
  await using alice = await createTestPeer({ network, name: 'Alice' })
  await using bob = await createTestPeer({ network, name: 'Bob' })
  await using child = await createTestPeer({ network, name: 'Child' })
  const own = new Vault(await alice.rooms.create({ name: 'Vault' }))
  await own.create()
  await own.keep({ site: 'example.org', user: 'alice', password: 'one' })
  const family = new Vault(await bob.rooms.join(await own.room.createInvite()))
  const reader = new Vault(await child.rooms.join(await own.room.createInvite({ role: 'reader' })))
  const has = async (vault: Vault, ...logins: string[]): Promise<void> => until(vault.room, async () => (await loginsOf(vault)).join() === logins.join())
  await has(family, 'example.org alice one')
  await family.keep({ site: 'example.org', user: 'alice', password: 'two' })
  await family.keep({ site: 'bank.example', user: 'us', password: 'three' })
  await has(own, 'bank.example us three', 'example.org alice two')
  await has(reader, 'bank.example us three', 'example.org alice two')
  await expect(reader.keep({ site: 'bank.example', user: 'us', password: 'mine' })).rejects.toMatchObject({ code: 'ROOM_FORBIDDEN' })
  expect(await own.forget('bank.example')).toBe(1)
  await has(reader, 'example.org alice two')
  // What another program writes is no login of this one.
  await family.room.collection('example.org/vault', { codec: { encode: () => new Uint8Array(3), decode: () => '' } }).put('x', '')
  await family.room.send('written')
  await until(own.room, async () => (await own.room.messages({ limit: 1 })[Symbol.asyncIterator]().next()).value?.text === 'written')
  expect(await loginsOf(own)).toEqual(['example.org alice two'])
})

it('makes passwords that are no other’s', () => {
  const made = new Set(Array.from({ length: 1_000 }, makePassword))
  expect(made.size).toBe(1_000)
  for (const password of made) expect(password).toMatch(/^[a-zA-Z2-9]{20}$/)
})

/** Runs the program as a person would. */
function run(storage: string, ...args: string[]) {
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  const program = ['--import', 'tsx', '-C', '@covey/source', 'src/main.ts', '--storage', storage, '--local', `${host}:${port}`, ...args]
  const child = spawn(process.execPath, program, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, VAULT_PASSPHRASE: 'right horse battery' },
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const exited = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    line: async (): Promise<string> => (await lines.next()).value as string,
    say(text: string) {
      child.stdin.write(`${text}\n`)
    },
    exited
  }
}

it('is a program that is told what to do line by line, and still knows it when it is started again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vault-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const first = run(folder)
  expect(await first.line()).toBe('The vault is open. You are owner.')
  first.say('keep example.org alice secret')
  expect(await first.line()).toBe('Kept alice of example.org.')
  first.say('invite reader')
  const link = await first.line()
  await using bob = await createTestPeer({ network, name: 'Bob' })
  const theirs = new Vault(await bob.rooms.join(link))
  await until(theirs.room, async () => (await loginsOf(theirs)).join() === 'example.org alice secret')
  first.say('quit')
  expect(await first.exited).toEqual([0, null])

  const again = run(folder)
  await again.line()
  again.say('show example.org')
  expect(await again.line()).toBe('alice  secret')
  again.say('forget example.org')
  expect(await again.line()).toBe('Forgot 1 of example.org.')
  await until(theirs.room, async () => (await theirs.list()).length === 0)
  again.say('quit')
  expect(await again.exited).toEqual([0, null])
})

import { spawn as spawnPlain, type ChildProcess } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createLocalNetwork, createTestPeer, type LocalNetwork } from '@covey/testing'
import { spawn } from '@lydell/node-pty'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'

const PROGRAM = ['--import', 'tsx', '-C', '@covey/source', 'src/main.ts']
const FOLDER = fileURLToPath(new URL('..', import.meta.url))
const LINK = /^covey:file\/[a-z0-9]+$/

let network: LocalNetwork
/** Of the test; temporary files of the programs are in it, too. */
let folder: string
let downloads: string

beforeAll(async () => void (network = await createLocalNetwork()))
afterAll(() => network.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'send-file-'))
  downloads = join(folder, 'downloads')
  for (const each of ['downloads', 'tmp']) await mkdir(join(folder, each))
})
afterEach(async () => {
  // Whatever became of it, no program leaves anything behind.
  const left = (await readdir(join(folder, 'tmp'))).filter((name) => name.startsWith('covey'))
  await rm(folder, { recursive: true, force: true })
  expect(left).toEqual([])
})

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, TMPDIR: join(folder, 'tmp') })

function local(): string[] {
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  return ['--local', `${host}:${port}`]
}

function run(...args: string[]): ChildProcess {
  const child = spawnPlain(process.execPath, [...PROGRAM, ...args, ...local()], { cwd: FOLDER, env: environment() })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Runs the program to its end. */
async function runOnce(...args: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
  const child = run(...args)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')])
  return { stdout, stderr, code: code as number }
}

interface Sender {
  readonly link: string
  readonly stderr: Promise<string>
  end(): Promise<unknown>
  readonly ended: Promise<unknown[]>
}

async function send(path: string): Promise<Sender> {
  const child = run('send', path)
  const ended = once(child, 'close')
  const stderr = text(child.stderr!)
  const { value } = (await createInterface({ input: child.stdout! })[Symbol.asyncIterator]().next()) as { value: string | undefined }
  if (value === undefined) throw new Error(`send has ended: ${await stderr}`)
  const end = (): Promise<unknown> => {
    child.kill('SIGINT')
    return ended
  }
  return { link: value, stderr, end, ended }
}

async function writeRandom(name: string, size: number): Promise<{ path: string; digest: string }> {
  const bytes = randomBytes(size)
  await writeFile(join(folder, name), bytes)
  return { path: join(folder, name), digest: digest(bytes) }
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

it('gets what another sends, by its link, and both end well', async () => {
  const film = await writeRandom('film.mp4', 3_000_001)
  const sender = await send(film.path)
  expect(sender.link).toMatch(LINK)
  for (const name of ['film.mp4', 'film (2).mp4']) {
    const { stdout, stderr, code } = await runOnce('get', sender.link, downloads)
    expect(stderr).toBe('“film.mp4”, 3.00 MB. Looking for somebody who has it…\n')
    expect(basename(stdout)).toBe(`${name}\n`)
    expect(digest(await readFile(stdout.trimEnd()))).toBe(film.digest)
    expect(code).toBe(0)
  }
  expect(await sender.end()).toEqual([0, null])
  expect(await sender.stderr).toMatch(/^“film\.mp4”, 3\.00 MB\. .* Ctrl-C ends it\.\n$/)
  expect((await readdir(downloads)).sort()).toEqual(['film (2).mp4', 'film.mp4'])
})

it('sends an empty file', async () => {
  const sender = await send((await writeRandom('empty', 0)).path)
  const { stdout, code } = await runOnce('get', sender.link, downloads)
  expect(code).toBe(0)
  expect((await readFile(stdout.trimEnd())).length).toBe(0)
  await sender.end()
})

it('shows a bar in a terminal', async () => {
  const sender = await send((await writeRandom('film.mp4', 60_000_000)).path)
  const terminal = spawn(process.execPath, [...PROGRAM, 'get', sender.link, downloads, ...local()], { cwd: FOLDER, env: environment(), cols: 60 })
  onTestFinished(() => terminal.kill('SIGKILL'))
  let output = ''
  terminal.onData((data) => (output += data))
  const { exitCode } = await new Promise<{ exitCode: number }>((resolve) => terminal.onExit(resolve))
  expect(exitCode).toBe(0)
  const lines = (): string[] => output.split('\r\x1b[2K').slice(1)
  // What a terminal has printed may come after the news that its program has ended.
  await expect.poll(() => lines().at(-1)).toMatch(/^100 % \[#+\] 60\.0 MB\r\n.*film\.mp4\r\n$/s)
  expect(lines().length).toBeGreaterThan(1)
  await sender.end()
})

it('prints nothing that a terminal obeys, and saves under no name but a safe one', async () => {
  await using eve = await createTestPeer({ network })
  const file = await eve.files.share(new Uint8Array(10), { name: '../\x1b[2J\x1b]0;owned\x07\u202Egpj.exe\n\u009B5A' })
  const { stdout, stderr, code } = await runOnce('get', await file.link(), downloads)
  expect(code).toBe(0)
  for (const trick of ['\x1b', '\x07', '\u202E', '\u009B']) expect(stdout + stderr).not.toContain(trick)
  expect(stderr.split('\n')).toHaveLength(2)
  expect(await readdir(downloads)).toEqual([basename(stdout.trimEnd())])
  expect(await readdir(folder)).toEqual(['downloads', 'tmp'])
})

it('leaves nothing behind when it is interrupted, and says by its code that there is no file', async () => {
  const alice = await createTestPeer({ network })
  const link = await (await alice.files.share(new Uint8Array(1_000))).link()
  await alice.close()
  const child = run('get', link, downloads)
  const stderr = text(child.stderr!)
  await once(child.stderr!, 'data')
  child.kill('SIGINT')
  expect(await once(child, 'close')).toEqual([130, null])
  expect(await stderr).toBe('“file”, 1.00 kB. Looking for somebody who has it…\n')
  expect(await readdir(downloads)).toEqual([])
})

it('leaves nothing of what has arrived either, and goes on from there with a storage', { timeout: 120_000 }, async () => {
  const { path, digest: sent } = await writeRandom('film.mp4', 40_000_000)
  const sender = await send(path)
  const interrupted = async (...args: string[]): Promise<string> => {
    const child = run('get', sender.link, downloads, ...args)
    const stderr = text(child.stderr!)
    await expect.poll(() => readdir(downloads), { timeout: 30_000, interval: 10 }).not.toEqual([])
    child.kill('SIGINT')
    expect(await once(child, 'close')).toEqual([130, null])
    return stderr
  }
  await interrupted()
  expect(await readdir(downloads)).toEqual([])

  const storage = ['--storage', join(folder, 'storage')]
  expect(await interrupted(...storage)).toMatch(/^What has arrived is kept/m)
  expect(await readdir(downloads)).toEqual([expect.stringMatching(/^\..*\.covey-part$/)])
  const { stdout, code } = await runOnce('get', sender.link, downloads, ...storage)
  expect(code).toBe(0)
  expect(digest(await readFile(stdout.trimEnd()))).toBe(sent)
  expect(await readdir(downloads)).toEqual(['film.mp4'])
  await sender.end()
})

it('says when what it sends has changed, and ends', async () => {
  const { path } = await writeRandom('film.mp4', 300_000)
  const sender = await send(path)
  await writeFile(path, randomBytes(300_001))
  // It is looked at when somebody asks for it.
  const child = run('get', sender.link, downloads)
  const ended = once(child, 'close')
  await once(child.stderr!, 'data')
  expect(await sender.ended).toEqual([1, null])
  expect(await sender.stderr).toMatch(/^The file is not what it was when it was shared\.\nSend it anew/m)
  child.kill('SIGINT')
  expect(await ended).toEqual([130, null])
  expect(await readdir(downloads)).toEqual([])
})

it.each([
  ['nothing to do', [], /^There is nothing to do\.\nCommands: send <path>, get/],
  ['a command with a typing mistake', ['snd', 'x'], /^There is no command 'snd'\.\nCommands: send/],
  ['an option with a typing mistake', ['get', 'x', '--storge', 'y'], /^Unknown option '--storge'\.\n.* --storage/],
  ['a path where nothing is', ['send', './there-is-none'], /^There is no such file to share\.$/m],
  ['a folder', ['send', '.'], /^What is to be shared is no file\.\nShare the files in it\./],
  ['two files', ['send', 'a', 'b'], /^send takes one file, not also 'b'\./],
  ['a text that is no link', ['get', 'hello'], /link/i],
  ['a link to a room', ['get', 'covey:invite/yfiryj59p6snw'], /link/i],
  ['a folder that does not exist', ['get', 'LINK', './there-is-none'], /^There is no such folder to save in\.\nMake the folder first\.$/m]
])('explains %s, without a stack', async (_, args, problem) => {
  await using alice = await createTestPeer({ network })
  const link = await (await alice.files.share(new Uint8Array(1))).link()
  const { stdout, stderr, code } = await runOnce(...args.map((arg) => (arg === 'LINK' ? link : arg)))
  expect(stderr).toMatch(problem)
  expect(stderr).not.toMatch(/^ +at /m)
  expect(stdout).toBe('')
  expect(code).toBe(1)
})

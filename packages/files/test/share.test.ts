import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BLOCK_BYTES } from '@covey/files'
import { codeOf, collect, connect, digest, digestOf, startPeer, temporaryFolder, until, useLocalNetwork, writeRandom } from './support.js'

const local = useLocalNetwork()
const SIZE = 5 * BLOCK_BYTES + 1_000

describe('a file of a path', () => {
  it('is read by another as a stream, as bytes and in a folder', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'photo.jpg', SIZE)
    const shared = await alice.files.share(path, { type: 'image/jpeg' })
    expect(shared).toMatchObject({ name: 'photo.jpg', type: 'image/jpeg', size: SIZE, isOwn: true })

    const file = bob.files.open(shared.content)
    expect(file).toMatchObject({ id: shared.id, name: 'photo.jpg', type: 'image/jpeg', size: SIZE, isOwn: false })
    expect(digest(await collect(file.stream()))).toBe(digest(bytes))
    expect(digest(await file.bytes({ maxBytes: SIZE }))).toBe(digest(bytes))
    const saved = await file.saveTo(bob.desk)
    expect(saved).toBe(join(bob.desk, 'photo.jpg'))
    expect(await digestOf(saved)).toBe(digest(bytes))
    expect(await readdir(bob.desk)).toEqual(['photo.jpg'])
    expect(await file.progress()).toMatchObject({ state: 'whole', receivedBytes: SIZE, totalBytes: SIZE, etaMs: 0 })
  })

  it('of any size holds up neither the closing nor the forgetting of it, and is read on after a restart', async () => {
    const alice = await startPeer(local)
    // Without bytes on the disk. To read it to its end takes half an hour.
    const path = join(alice.desk, 'film.mp4')
    await writeFile(path, '')
    await truncate(path, 2 ** 40)
    const { id } = await alice.files.share(path)
    const again = await alice.restart()
    const file = again.files.get(id)!
    expect(await file.progress()).toMatchObject({ state: 'reading', totalBytes: 2 ** 40 })
    const { receivedBytes } = await file.progress()
    await expect.poll(async () => (await file.progress()).receivedBytes, { timeout: 20_000 }).toBeGreaterThan(receivedBytes)
    const errors: unknown[] = []
    file.on('error', (error) => void errors.push(error))
    await file.forget()
    expect(again.files.list()).toEqual([])
    expect(errors).toEqual([])
  })

  it('is given by who has it, when who shared it is gone, also from where it was saved', async () => {
    const [alice, bob, carol] = [await startPeer(local), await startPeer(local), await startPeer(local)]
    await connect(bob, alice, carol)
    const { path, bytes } = await writeRandom(alice, 'a', SIZE)
    const { content } = await alice.files.share(path)
    await bob.files.open(content).saveTo(bob.desk)
    await alice.close()
    expect(digest(await carol.files.open(content).bytes({ maxBytes: SIZE }))).toBe(digest(bytes))
  })

  it('takes no second copy on disk', async () => {
    const alice = await startPeer(local)
    const before = await sizeOfFolder(alice.folder)
    const { path } = await writeRandom(alice, 'large', 128 * BLOCK_BYTES)
    const shared = await alice.files.share(path)
    await until(shared, ({ state }) => state === 'whole')
    expect((await sizeOfFolder(alice.folder)) - before).toBeLessThan(128 * BLOCK_BYTES * 0.01)
  })

  it('is whole when it is empty, or as long as its blocks', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    for (const size of [0, 1, 48, BLOCK_BYTES, BLOCK_BYTES + 48]) {
      const { path, bytes } = await writeRandom(alice, `of-${size}`, size)
      const file = bob.files.open((await alice.files.share(path)).content)
      expect(digest(await file.bytes({ maxBytes: size }))).toBe(digest(bytes))
      expect(await digestOf(await file.saveTo(bob.desk))).toBe(digest(bytes))
    }
  })
})

describe('a stream, and bytes', () => {
  it('are read by others before they have ended', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    let resume: (() => void) | undefined
    const resumed = new Promise<void>((resolve) => (resume = resolve))
    const parts = [new Uint8Array(BLOCK_BYTES).fill(1), new Uint8Array(100).fill(2)]
    const shared = await alice.files.share(
      (async function* () {
        yield parts[0]!
        await resumed
        yield parts[1]!
      })(),
      { name: 'live' }
    )
    expect(shared.size).toBeNull()
    const file = bob.files.open(shared.content)
    const stream = file.stream()[Symbol.asyncIterator]()
    expect((await stream.next()).value).toEqual(parts[0])
    expect(file.size).toBeNull()
    resume!()
    expect((await stream.next()).value).toEqual(parts[1])
    expect((await stream.next()).done).toBe(true)
    expect(file.size).toBe(BLOCK_BYTES + 100)
    expect(await digestOf(await file.saveTo(bob.desk))).toBe(digest(Buffer.concat(parts)))
  })

  it('end where they end: who asks for what is after that is told so', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    const shared = await alice.files.share(
      (async function* () {
        yield new Uint8Array(BLOCK_BYTES)
        await ended
        yield new Uint8Array(9)
      })(),
      { name: 'live' }
    )
    const start = 3 * BLOCK_BYTES
    const early = codeOf(() => collect(bob.files.open(shared.content).stream({ start })))
    await collect(bob.files.open(shared.content).stream({ end: 5 }))
    end()
    expect(await early).toBe('FILE_OUT_OF_RANGE')
    expect(await codeOf(() => collect(bob.files.open(shared.content).stream({ start })))).toBe('FILE_OUT_OF_RANGE')
  })

  it('are kept sealed, and given after a restart', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    const secret = 'nobody reads this on the disk'
    const shared = await alice.files.share(new TextEncoder().encode(secret), { name: 'secret.txt' })
    await until(shared, ({ state }) => state === 'whole')
    const again = await alice.restart()
    await connect(bob, again)
    expect(again.files.list()).toHaveLength(1)
    const got = await bob.files.open(shared.content).bytes({ maxBytes: 100 })
    expect(new TextDecoder().decode(got)).toBe(secret)
  })

  it('that never end hold up no closing, and are broken for everybody from then on', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    const isOver = { forever: false, silent: false }
    async function* forever(): AsyncGenerator<Uint8Array, void, void> {
      try {
        for (;;) yield new Uint8Array(1_000)
      } finally {
        isOver.forever = true
      }
    }
    const silent: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: async () => ((isOver.silent = true), { done: true, value: undefined }) })
    }
    const shared = [await alice.files.share(forever(), { name: 'forever' }), await alice.files.share(silent, { name: 'silent' })]
    await expect.poll(async () => (await shared[0]!.progress()).receivedBytes).toBeGreaterThanOrEqual(BLOCK_BYTES)
    const again = await alice.restart()
    expect(isOver).toEqual({ forever: true, silent: true })
    await connect(bob, again)
    for (const { id, content } of shared) {
      expect((await until(again.files.get(id)!, ({ state }) => state === 'changed')).state).toBe('changed')
      expect(await codeOf(() => bob.files.open(content).bytes({ maxBytes: 2 ** 30 }))).toBe('FILE_CHANGED')
    }
  })

  it('are broken for everybody when the stream fails, and its owner is told', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const shared = await alice.files.share(
      (async function* () {
        yield new Uint8Array(10)
        throw new Error('the camera broke')
      })()
    )
    const error = await shared.once('error')
    expect(error.cause).toMatchObject({ message: 'the camera broke' })
    expect(await codeOf(() => bob.files.open(shared.content).bytes({ maxBytes: 100 }))).toBe('FILE_CHANGED')
  })
})

describe('a range', () => {
  it('gives its bytes, and fetches little more', async () => {
    const [alice, bob] = [await startPeer(local), await startPeer(local)]
    await connect(bob, alice)
    const { path, bytes } = await writeRandom(alice, 'film', 100 * BLOCK_BYTES)
    const file = bob.files.open((await alice.files.share(path)).content)
    for (const [start, end] of [[0, 1], [BLOCK_BYTES - 1, BLOCK_BYTES + 1], [80 * BLOCK_BYTES + 5, 82 * BLOCK_BYTES], [bytes.length - 1, bytes.length + 9]] as const) {
      expect(digest(await collect(file.stream({ start, end })))).toBe(digest(bytes.subarray(start, end)))
    }
    expect((await file.progress()).receivedBytes).toBeLessThanOrEqual(6 * BLOCK_BYTES)
    expect(await codeOf(() => collect(file.stream({ start: bytes.length + 1 })))).toBe('FILE_OUT_OF_RANGE')
  })
})

describe('what cannot be shared', () => {
  it('is refused', async () => {
    const alice = await startPeer(local)
    await mkdir(join(alice.desk, 'folder'))
    await writeFile(join(alice.desk, 'file'), 'x')
    expect(await codeOf(() => alice.files.share(join(alice.desk, 'nothing')))).toBe('FILE_NOT_FOUND')
    expect(await codeOf(() => alice.files.share(join(alice.desk, 'file', 'in-it')))).toBe('FILE_NOT_FOUND')
    expect(await codeOf(() => alice.files.share(join(alice.desk, 'folder')))).toBe('FILE_IS_FOLDER')
    expect(await codeOf(() => alice.files.share(5 as never))).toBe('TypeError')
    expect(await codeOf(() => alice.files.share(new Uint8Array(1), { type: 'no type' }))).toBe('TypeError')
    expect(await codeOf(() => alice.files.share(new Uint8Array(1), { name: 'x'.repeat(256) }))).toBe('TypeError')
    expect(await codeOf(() => alice.files.share(new Uint8Array(1), { preview: { type: 'image/png', data: new Uint8Array(65_537) } }))).toBe('TypeError')
    expect(alice.files.list()).toEqual([])
  })

  it.skipIf(process.platform === 'win32')('is a file that this user may not read, and it says so', async () => {
    const folder = await temporaryFolder()
    await chmod(folder, 0o755)
    const path = join(folder, 'secret')
    await writeFile(path, 'x', { mode: 0o000 })
    // Whoever runs this may be somebody who may read all: a process of its own becomes nobody.
    const script = fileURLToPath(new URL('share-as-nobody.ts', import.meta.url))
    const args = ['--import', 'tsx', '-C', '@covey/source', script, folder, path, JSON.stringify(local.network.bootstrap)]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = await Promise.all([collect(child.stdout), once(child, 'exit')])
    expect(JSON.parse(new TextDecoder().decode(said))).toEqual({ code: 'FILE_UNREADABLE', message: 'The file may not be read.', shared: 0 })
  })
})

async function sizeOfFolder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name))))
  return sizes.reduce((sum, { size }) => sum + size, 0)
}

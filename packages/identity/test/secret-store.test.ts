import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createFileSecretStore, createMemorySecretStore, type SecretStore } from '@covey/identity'
import { codeOf, open, temporaryFolder } from './support/open.js'

const one = new Uint8Array([1])
const two = new Uint8Array([2, 2])
const WRITER = fileURLToPath(new URL('./support/write-and-die.ts', import.meta.url))

const stores: [string, () => Promise<SecretStore>][] = [
  ['memory', async () => createMemorySecretStore()],
  ['files', async () => createFileSecretStore(await temporaryFolder())],
  ['files in a folder that is not there yet', async () => createFileSecretStore(join(await temporaryFolder(), 'a', 'b'))]
]

describe.each(stores)('a secret store in %s', (_, make) => {
  it('reads what was written last, and null where nothing was', async () => {
    const store = await make()
    expect(await store.read('a')).toBeNull()
    await store.write('a', one)
    await store.write('a', two)
    await store.write('b', one)
    expect(await store.read('a')).toEqual(two)
    expect(await store.read('b')).toEqual(one)
  })

  it('creates only where nothing is', async () => {
    const store = await make()
    expect(await store.create('a', one)).toBe(true)
    expect(await store.create('a', two)).toBe(false)
    expect(await store.read('a')).toEqual(one)
    const created = await Promise.all(Array.from({ length: 10 }, () => store.create('b', two)))
    expect(created.filter(Boolean)).toHaveLength(1)
  })

  it('removes, also what is not there', async () => {
    const store = await make()
    await store.write('a', one)
    await store.remove('a')
    await store.remove('a')
    expect(await store.read('a')).toBeNull()
    expect(await store.create('a', two)).toBe(true)
  })

  it('keeps copies', async () => {
    const store = await make()
    const bytes = Uint8Array.of(7)
    await store.write('a', bytes)
    bytes[0] = 8
    const read = await store.read('a')
    read![0] = 9
    expect(await store.read('a')).toEqual(Uint8Array.of(7))
  })

  it.each(['', '../a', 'a/b', '.a', 'A', 'a.tmp', 'x'.repeat(65)])('refuses the name "%s"', async (name) => {
    const store = await make()
    expect(await codeOf(() => store.read(name))).toBe('TypeError')
    expect(await codeOf(() => store.create(name, one))).toBe('TypeError')
    expect(await codeOf(() => store.write(name, one))).toBe('TypeError')
    expect(await codeOf(() => store.remove(name))).toBe('TypeError')
  })
})

describe('a secret store in files', () => {
  it('fails with a code, and the cause, when the disk does not do as asked', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'file'), '')
    const store = createFileSecretStore(join(folder, 'file'))
    const failure = store.write('a', one)
    await expect(failure).rejects.toMatchObject({ code: 'IDENTITY_STORE_FAILED', retryable: true })
    await expect(failure).rejects.toHaveProperty('cause.code')
    expect(await codeOf(() => store.read('a'))).toBe('IDENTITY_STORE_FAILED')
    expect(await codeOf(() => store.create('a', one))).toBe('IDENTITY_STORE_FAILED')
  })

  it('makes its files for the user alone, whatever the mode of the one before', async () => {
    const folder = await temporaryFolder()
    const store = createFileSecretStore(folder)
    await store.write('a', one)
    await chmod(join(folder, 'a'), 0o644)
    await store.write('a', two)
    const { mode } = await import('node:fs/promises').then(({ stat }) => stat(join(folder, 'a')))
    expect(mode & 0o777).toBe(0o600)
  })

  it('has synced the bytes before they take their place', async () => {
    const folder = await temporaryFolder()
    const { stdout } = await run('trace', folder)
    const calls = stdout.trim().split('\n')
    expect(calls).toEqual(['open wx', 'write', 'sync', 'close', 'rename', 'open r', 'sync', 'close'])
  })
})

describe('a crash', () => {
  it('between writing and renaming leaves the file as it was', async () => {
    const storage = await temporaryFolder()
    const { device } = await open({ storage, passphrase: 'old' })
    const before = await readFile(join(storage, 'identity'))
    const { signal } = await run('die-before-rename', storage)
    expect(signal).toBe('SIGKILL')
    expect(await readdir(storage)).toHaveLength(2)
    expect(await readFile(join(storage, 'identity'))).toEqual(before)
    const again = await open({ storage, passphrase: 'old' })
    expect(again.device).toEqual(device)
    await again.changePassphrase({})
    // The leftover would still open with the passphrase of that time.
    expect(await readdir(storage)).toEqual(['identity'])
  })

  it('at any moment leaves a file that opens with the old or the new passphrase', async () => {
    const storage = await temporaryFolder()
    const { device } = await open({ storage, passphrase: 'old' })
    for (let round = 0; round < 8; round++) {
      const { signal, stdout } = await run('rewrite', storage, 5 + round * 7)
      expect(signal).toBe('SIGKILL')
      expect(stdout).toContain('started')
      const opened = await open({ storage, passphrase: 'old' }).catch(() => open({ storage, passphrase: 'new' }))
      expect(opened.device).toEqual(device)
    }
  })
})

/** Runs the writer; kills it so many milliseconds after its first output, where given. */
async function run(mode: string, folder: string, killAfterMs?: number) {
  const child = spawn(process.execPath, ['--import', 'tsx', '-C', '@covey/source', WRITER, mode, folder])
  let stdout = ''
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  child.stdout.on('data', (chunk) => {
    if (stdout === '' && killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    stdout += chunk
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (signal === null && code !== 0) throw new Error(stderr)
  return { signal, stdout }
}

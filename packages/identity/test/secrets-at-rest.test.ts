import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMemorySecretStore } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { codeOf, open, temporaryFolder } from './support/open.js'
import { unsealFile } from './support/unseal-file.js'

const key = new Uint8Array(32).fill(3)
const keyProvider = { getKey: async () => key }

describe('secrets at rest', () => {
  const ways = [
    ['unsealed', {}],
    ['a passphrase', { passphrase: 'correct horse' }],
    ['a key provider', { keyProvider }]
  ] as const

  it.each(ways)('are opened again with %s', async (_, way) => {
    const storage = await temporaryFolder()
    const { device, isSealed } = await open({ storage, ...way })
    expect(isSealed).toBe(Object.keys(way).length > 0)
    expect((await open({ storage, ...way })).device).toEqual(device)
  })

  it('are not in a sealed file, and are in an unsealed one', async () => {
    for (const [sealed, way] of [[false, {}], [true, { passphrase: 'x' }], [true, { keyProvider }]] as const) {
      const storage = createMemorySecretStore()
      const local = await open({ storage, name: 'Alice', ...way })
      const file = (await storage.read('identity'))!
      // Without a passphrase the key is public: zeros.
      expect(unsealFile(file, new Uint8Array(32)) === null).toBe(sealed)
      const seed = Buffer.from(deviceSecrets(local).keyPair.secretKey.subarray(0, 32))
      expect(Buffer.from(file).includes(seed) || Buffer.from(file).includes('Alice')).toBe(false)
    }
  })

  it.each<[string, object, object, string]>([
    ['the wrong passphrase', { passphrase: 'right' }, { passphrase: 'wrong' }, 'IDENTITY_WRONG_PASSPHRASE'],
    ['no passphrase', { passphrase: 'right' }, {}, 'IDENTITY_SEALED'],
    ['a key provider for a passphrase', { passphrase: 'right' }, { keyProvider }, 'IDENTITY_SEALED'],
    ['another key', { keyProvider }, { keyProvider: { getKey: async () => key.map((byte) => byte + 1) } }, 'IDENTITY_WRONG_PASSPHRASE'],
    ['a key of the wrong length', { keyProvider }, { keyProvider: { getKey: async () => key.subarray(1) } }, 'TypeError'],
    ['a passphrase for a key provider', { keyProvider }, { passphrase: 'right' }, 'IDENTITY_SEALED'],
    ['a passphrase where none is needed', {}, { passphrase: 'right' }, 'IDENTITY_NOT_SEALED'],
    ['a key provider where none is needed', {}, { keyProvider }, 'IDENTITY_NOT_SEALED']
  ])('stay shut and untouched with %s', async (_, made, opened, code) => {
    const storage = await temporaryFolder()
    const { device } = await open({ storage, ...made })
    const before = await readFile(join(storage, 'identity'))
    expect(await codeOf(() => open({ storage, name: 'New name', ...opened }))).toBe(code)
    expect(await readFile(join(storage, 'identity'))).toEqual(before)
    expect((await open({ storage, ...made })).device).toEqual(device)
  })

  it('open with the passphrase composed or decomposed', async () => {
    const storage = createMemorySecretStore()
    await open({ storage, passphrase: 'caf\u00e9' })
    expect(await codeOf(() => open({ storage, passphrase: 'cafe\u0301' }))).toBeNull()
  })

  it('are never in an error', async () => {
    const storage = createMemorySecretStore()
    await open({ storage, passphrase: 'hunter2' })
    const error: Error = await open({ storage, passphrase: 'hunter3' }).then(
      () => new Error('opened'),
      (reason: Error) => reason
    )
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/hunter/)
  })
})

describe('changePassphrase', () => {
  const ways = [{}, { passphrase: 'one' }, { passphrase: 'two' }, { keyProvider }]

  it('goes from every way of sealing to every other', async () => {
    const storage = await temporaryFolder()
    const { device } = await open({ storage })
    let current: object = {}
    for (const from of ways) {
      for (const to of ways) {
        const local = await open({ storage, ...current })
        await local.changePassphrase({ passphraseStrength: 'minimum', ...from })
        await local.changePassphrase({ passphraseStrength: 'minimum', ...to })
        expect(local.isSealed).toBe(to !== ways[0])
        current = to
        expect((await open({ storage, ...to })).device).toEqual(device)
        for (const other of ways) if (other !== to) expect(await codeOf(() => open({ storage, ...other }))).not.toBeNull()
      }
    }
    expect(await readdir(storage)).toEqual(['identity'])
  })

  it('uses a new salt and nonce every time', async () => {
    const storage = createMemorySecretStore()
    const local = await open({ storage, passphrase: 'one' })
    const before = Buffer.from((await storage.read('identity'))!)
    await local.changePassphrase({ passphrase: 'one', passphraseStrength: 'minimum' })
    const after = Buffer.from((await storage.read('identity'))!)
    // Magic, version, purpose, mode, two numbers of 1 and 3 bytes; then salt and nonce.
    expect(after.subarray(0, 15)).toEqual(before.subarray(0, 15))
    expect(after.subarray(15, 31)).not.toEqual(before.subarray(15, 31))
    expect(after.subarray(31, 55)).not.toEqual(before.subarray(31, 55))
  })

  it('is what later changes are sealed with', async () => {
    const storage = createMemorySecretStore()
    const local = await open({ storage })
    await local.changePassphrase({ passphrase: 'one', passphraseStrength: 'minimum' })
    await local.revokeDevice(key)
    expect(local.epoch).toBeGreaterThan(0)
    expect((await open({ storage, passphrase: 'one' })).epoch).toBe(local.epoch)
  })
})

describe('a file that is not as it was written', () => {
  it('is refused and left as it is, wherever it is cut or altered', async () => {
    const storage = await temporaryFolder()
    const path = join(storage, 'identity')
    await open({ storage, passphrase: 'x' })
    const good = await readFile(path)
    const bad = [
      ...[0, 1, 8, 9, 20, good.length - 1].map((length) => good.subarray(0, length)),
      ...Array.from(good, (_, index) => Buffer.from(good).fill(good[index]! ^ 0x40, index, index + 1)),
      Buffer.concat([good, Buffer.of(0)])
    ]
    for (const [index, bytes] of bad.entries()) {
      await writeFile(path, bytes)
      expect(await codeOf(() => open({ storage, passphrase: 'x' })), `${index}`).toMatch(/^IDENTITY_FILE_/)
      expect(await readFile(path)).toEqual(bytes)
    }
    await writeFile(path, good)
    expect(await codeOf(() => open({ storage, passphrase: 'x' }))).toBeNull()
  })

  it('is told apart when it is newer, or far too large', async () => {
    const storage = await temporaryFolder()
    const path = join(storage, 'identity')
    await open({ storage })
    const newer = Buffer.from(await readFile(path))
    newer[8] = 2
    await writeFile(path, newer)
    expect(await codeOf(() => open({ storage }))).toBe('IDENTITY_FILE_TOO_NEW')
    expect(await readFile(path)).toEqual(newer)
    // Sparse. Reading it would fail for want of memory, not for what is in it.
    await truncate(path, 5 * 2 ** 30)
    expect(await codeOf(() => open({ storage }))).toBe('IDENTITY_FILE_DAMAGED')
  })
})

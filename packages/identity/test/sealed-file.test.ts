import { describe, expect, it } from 'vitest'
import { createMemorySecretStore, openPendingDevice } from '@covey/identity'
import { forgeFile, varint, withChecksum } from './support/forge.js'
import { codeOf, open } from './support/open.js'
import { unsealFile } from './support/unseal-file.js'

const ZEROS = new Uint8Array(32)

async function openFile(file: Uint8Array, init: object = {}): Promise<string | null> {
  const storage = createMemorySecretStore()
  await storage.write('identity', file)
  const code = await codeOf(() => open({ storage, ...init }))
  if (code !== null) expect(await storage.read('identity')).toEqual(file)
  return code
}

async function madeFile(init: object = {}): Promise<Buffer> {
  const storage = createMemorySecretStore()
  await open({ storage, ...init })
  return Buffer.from((await storage.read('identity'))!)
}

/** The file with other numbers for Argon2id, and a checksum that fits. */
async function tampered(ops: Uint8Array, memoryBytes: Uint8Array): Promise<Uint8Array> {
  const content = (await madeFile({ passphrase: 'x' })).subarray(0, -32)
  // Magic, version, purpose, mode; then 1 and 3 bytes of numbers.
  return withChecksum(Buffer.concat([content.subarray(0, 11), ops, memoryBytes, content.subarray(15)]))
}

describe('the key derivation that a file asks for', () => {
  it('is heeded when this package could have asked for it', async () => {
    const asMade = await tampered(varint(1), varint(8_192))
    expect(await openFile(asMade, { passphrase: 'x' })).toBeNull()
    const within = await tampered(varint(2), varint(65_536))
    expect(await openFile(within, { passphrase: 'x' })).toBe('IDENTITY_WRONG_PASSPHRASE')
  })

  it.each([
    ['100 GB', varint(1), varint(100 * 2 ** 30)],
    ['a byte more than 1 GiB', varint(1), varint(2 ** 30 + 1)],
    ['the largest number', varint(1), varint(Number.MAX_SAFE_INTEGER)],
    ['a billion rounds', varint(1_000_000_000), varint(8_192)],
    ['five rounds', varint(5), varint(8_192)],
    ['no rounds', varint(0), varint(8_192)],
    ['too little memory', varint(1), varint(8_191)],
    ['a number in a longer form', varint(1, 2), varint(8_192)]
  ])('is refused at once when it is %s', async (_, ops, memoryBytes) => {
    const file = await tampered(ops, memoryBytes)
    const startedAt = performance.now()
    expect(await openFile(file, { passphrase: 'x' })).toBe('IDENTITY_FILE_DAMAGED')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })

  it('is moderate by default: 256 MiB and three rounds', async () => {
    const header = (await madeFile({ passphrase: 'x', passphraseStrength: undefined })).subarray(11)
    expect(header.subarray(0, 6)).toEqual(Buffer.concat([varint(3), varint(256 * 2 ** 20)]))
  })
})

describe('the header of a file', () => {
  it('is sealed with the content: neither purpose nor mode can be changed', async () => {
    for (const [offset, value] of [[9, 2], [10, 2]] as const) {
      const content = (await madeFile()).subarray(0, -32)
      content[offset] = value
      expect(await openFile(withChecksum(content))).toMatch(/^IDENTITY_/)
      expect(await openFile(withChecksum(content), { keyProvider: { getKey: async () => ZEROS } })).toMatch(/^IDENTITY_/)
    }
  })

  it('has no version 0 and no fourth way of sealing', async () => {
    const plaintext = unsealFile(await madeFile(), ZEROS)!
    expect(await openFile(forgeFile(Buffer.of(1, 1, 0), ZEROS, plaintext))).toBeNull()
    expect(await openFile(forgeFile(Buffer.of(0, 1, 0), ZEROS, plaintext))).toBe('IDENTITY_FILE_DAMAGED')
    expect(await openFile(forgeFile(Buffer.of(1, 1, 3), ZEROS, plaintext))).toBe('IDENTITY_FILE_DAMAGED')
    expect(await openFile(forgeFile(Buffer.of(1, 2, 0), ZEROS, plaintext))).toBe('IDENTITY_FILE_DAMAGED')
  })
})

describe('the content of a file', () => {
  const forge = (plaintext: Uint8Array) => forgeFile(Buffer.of(1, 1, 0), ZEROS, plaintext)

  it('is refused when it is not what this version writes', async () => {
    const plaintext = Buffer.from(unsealFile(await madeFile(), ZEROS)!)
    expect(await openFile(forge(Buffer.concat([plaintext, Buffer.of(0)])))).toBe('IDENTITY_FILE_DAMAGED')
    expect(await openFile(forge(plaintext.subarray(1)))).toBe('IDENTITY_FILE_DAMAGED')
    expect(await openFile(forge(new Uint8Array()))).toBe('IDENTITY_FILE_DAMAGED')
    const shortKey = Buffer.concat([Buffer.of(31), plaintext.subarray(2)])
    expect(await openFile(forge(shortKey))).toBe('IDENTITY_FILE_DAMAGED')
  })

  it('is refused when the phrase and the identity in it do not belong together', async () => {
    const plaintext = Buffer.from(unsealFile(await madeFile(), ZEROS)!)
    plaintext[34]! ^= 1
    expect(await openFile(forge(plaintext))).toBe('IDENTITY_FILE_DAMAGED')
  })

  it('is refused when the identity and the certificate of a linked device do not belong together', async () => {
    const storage = createMemorySecretStore()
    const phone = await openPendingDevice({ storage })
    await phone.acceptCertificate((await open()).certifyDevice(phone.createDeviceRequest()))
    const plaintext = Buffer.from(unsealFile((await storage.read('identity'))!, ZEROS)!)
    expect(await openFile(forge(plaintext))).toBeNull()
    // Behind the length of the phrase, which is not there, and its own.
    plaintext[2]! ^= 1
    expect(await openFile(forge(plaintext))).toBe('IDENTITY_FILE_DAMAGED')
  })

  it('is refused when the keys and the certificate in it do not belong together', async () => {
    // Behind two keys with their lengths: the seed of the signing key, then the X25519 secret key.
    for (const offset of [66, 98 + 1]) {
      const plaintext = Buffer.from(unsealFile(await madeFile(), ZEROS)!)
      plaintext[offset]! ^= 1
      expect(await openFile(forge(plaintext)), `${offset}`).toBe('IDENTITY_FILE_DAMAGED')
    }
  })
})

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMemorySecretStore, decodeCertificate, generatePhrase, openIdentity } from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { codeOf, open, temporaryFolder } from './support/open.js'

const key = new Uint8Array(32).fill(3)
const keyProvider = { getKey: async () => key }

describe('openIdentity', () => {
  it('makes an identity on the first run and finds it again', async () => {
    const storage = join(await temporaryFolder(), 'not', 'yet', 'there')
    const first = await open({ storage, name: 'Alice', deviceName: 'Laptop' })
    expect([first.isNew, first.isSealed, first.hasPhrase]).toEqual([true, false, true])
    await first.close()
    const again = await open({ storage })
    expect([again.isNew, again.isSealed, again.hasPhrase]).toEqual([false, false, true])
    expect(again.identity).toEqual(first.identity)
    expect(again.device).toEqual(first.device)
    expect([again.identity.name, again.device.name]).toEqual(['Alice', 'Laptop'])
  })

  it('keeps new names', async () => {
    const storage = createMemorySecretStore()
    await open({ storage, name: 'Alice', deviceName: 'Laptop' })
    await open({ storage, name: 'Alicia' })
    const { identity, device } = await open({ storage })
    expect([identity.name, device.name]).toEqual(['Alicia', 'Laptop'])
  })

  it('makes another device of the same person from the same phrase', async () => {
    const phrase = generatePhrase()
    const [laptop, phone] = [await open({ phrase }), await open({ phrase })]
    expect(laptop.identity.id).toBe(phone.identity.id)
    expect(laptop.device.id).not.toBe(phone.device.id)
    expect(laptop.device.boxPublicKey).not.toEqual(phone.device.boxPublicKey)
    expect(await codeOf(() => phone.unseal('x', laptop.seal('x', key)))).toBe('IDENTITY_UNSEAL_FAILED')
  })

  it('refuses the phrase of another person and takes that of the same', async () => {
    const storage = createMemorySecretStore()
    const { device, ...alice } = await open({ storage, phrase: generatePhrase() })
    expect(alice.isNew).toBe(true)
    expect(await codeOf(() => open({ storage, phrase: generatePhrase() }))).toBe('IDENTITY_MISMATCH')
    const phrase = (await open({ storage })).revealPhrase()
    expect((await open({ storage, phrase })).device).toEqual(device)
  })

  it('gives one identity to two that open a new folder at the same moment', async () => {
    const storage = await temporaryFolder()
    const both = await Promise.all([open({ storage }), open({ storage })])
    expect(both[0].device.id).toBe(both[1].device.id)
    expect(both.filter(({ isNew }) => isNew)).toHaveLength(1)
    expect(await readdir(storage)).toEqual(['identity'])
  })

  it('does so also when both know the phrase', async () => {
    const [storage, phrase] = [await temporaryFolder(), generatePhrase()]
    const both = await Promise.all([open({ storage, phrase }), open({ storage, phrase })])
    expect(both[0].device.id).toBe(both[1].device.id)
    expect(both.map((local) => local.revealPhrase())).toEqual([phrase, phrase])
  })

  it('is for the eyes of the user alone', async () => {
    const storage = join(await temporaryFolder(), 'alice')
    await open({ storage })
    expect((await stat(storage)).mode & 0o777).toBe(0o700)
    expect((await stat(join(storage, 'identity'))).mode & 0o777).toBe(0o600)
  })

  it('rejects with the reason of an aborted signal', async () => {
    const storage = createMemorySecretStore()
    const reason = new Error('changed my mind')
    await expect(open({ storage, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const opening = open({ storage, passphrase: 'x', signal: controller.signal })
    controller.abort(reason)
    await expect(opening).rejects.toBe(reason)
    expect(await storage.read('identity')).toBeNull()
  })

  it.each([
    ['storage', { storage: 5 }],
    ['name', { name: 'x'.repeat(257) }],
    ['deviceName', { deviceName: 7 }],
    ['passphrase', { passphrase: '' }],
    ['passphraseStrength', { passphraseStrength: 'weak' }],
    ['keyProvider', { keyProvider: {} }],
    ['passphrase', { passphrase: 'x', keyProvider }],
    ['phrase', { phrase: generatePhrase(), backup: { bytes: key, passphrase: 'x' } }],
    ['backup.bytes', { backup: { bytes: 'x', passphrase: 'x' } }],
    ['init', { passphrse: 'x' }]
  ])('names the field when %s is wrong (%#)', async (field, wrong) => {
    const opening = openIdentity({ storage: createMemorySecretStore(), ...wrong } as never)
    await expect(opening).rejects.toThrow(TypeError)
    await expect(opening).rejects.toThrow(new RegExp(`^${field}`))
  })
})

describe('seal and unseal', () => {
  it('give back what was sealed under the label, also after a restart', async () => {
    const storage = await temporaryFolder()
    const plaintext = new Uint8Array([1, 2, 3])
    const local = await open({ storage })
    const sealed = local.seal('room key', plaintext)
    expect(sealed).not.toEqual(local.seal('room key', plaintext))
    expect(sealed).toHaveLength(43)
    const again = await open({ storage })
    expect(again.unseal('room key', sealed)).toEqual(plaintext)
    expect(again.unseal('x', again.seal('x', new Uint8Array()))).toEqual(new Uint8Array())
  })

  it('refuse another label and altered bytes', async () => {
    const local = await open()
    const sealed = local.seal('room key', key)
    expect(await codeOf(() => local.unseal('room keys', sealed))).toBe('IDENTITY_UNSEAL_FAILED')
    expect(await codeOf(() => local.unseal('room key', new Uint8Array()))).toBe('IDENTITY_UNSEAL_FAILED')
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const flipped = Uint8Array.from(sealed)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(await codeOf(() => local.unseal('room key', flipped)), `bit ${bit}`).toBe('IDENTITY_UNSEAL_FAILED')
    }
    expect(await codeOf(() => local.seal('', key))).toBe('TypeError')
    expect(await codeOf(() => local.seal('x'.repeat(257), key))).toBe('TypeError')
  })
})

describe('a backup', () => {
  it('brings the person, not the device, to another machine', async () => {
    const laptop = await open({ name: 'Alice', deviceName: 'Laptop' })
    await laptop.revokeDevice(key)
    const bytes = await laptop.exportBackup({ passphrase: 'backup', passphraseStrength: 'minimum' })
    const phone = await open({ backup: { bytes, passphrase: 'backup' } })
    expect(phone.identity).toEqual(laptop.identity)
    expect(phone.revealPhrase()).toBe(laptop.revealPhrase())
    expect(phone.epoch).toBeGreaterThanOrEqual(laptop.epoch)
    expect(phone.device.id).not.toBe(laptop.device.id)
    expect(phone.device.name).toBe('')
  })

  it('raises the epoch of the same person, and does not become another', async () => {
    const storage = createMemorySecretStore()
    const laptop = await open()
    await open({ storage, phrase: laptop.revealPhrase() })
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
    onTestFinished(() => void vi.useRealTimers())
    await laptop.revokeDevice(key)
    const bytes = await laptop.exportBackup({ passphrase: 'backup', passphraseStrength: 'minimum' })
    const { epoch, device } = await open({ storage, backup: { bytes, passphrase: 'backup' } })
    const certificate = decodeCertificate(device.certificate)
    expect([epoch, certificate.ok && certificate.value.epoch]).toEqual([laptop.epoch, laptop.epoch])
    const other = createMemorySecretStore()
    await open({ storage: other })
    expect(await codeOf(() => open({ storage: other, backup: { bytes, passphrase: 'backup' } }))).toBe('IDENTITY_MISMATCH')
  })

  it('needs a passphrase, the right one, and the right kind of file', async () => {
    const storage = createMemorySecretStore()
    const local = await open({ storage, passphrase: 'same' })
    const bytes = await local.exportBackup({ passphrase: 'same', passphraseStrength: 'minimum' })
    expect(await codeOf(() => local.exportBackup({} as never))).toBe('TypeError')
    expect(await codeOf(() => local.exportBackup({ passphrase: '' }))).toBe('TypeError')
    expect(await codeOf(() => open({ backup: { bytes, passphrase: 'other' } }))).toBe('IDENTITY_WRONG_PASSPHRASE')
    const secrets = (await storage.read('identity'))!
    expect(await codeOf(() => open({ backup: { bytes: secrets, passphrase: 'same' } }))).toBe('IDENTITY_FILE_DAMAGED')
    await storage.write('identity', bytes)
    expect(await codeOf(() => open({ storage, passphrase: 'same' }))).toBe('IDENTITY_FILE_DAMAGED')
  })
})

describe('wipe and close', () => {
  it('leave nothing that works, and zeroes where secrets were', async () => {
    const local = await open()
    const { keyPair, agree } = deviceSecrets(local)
    const { certificate } = local.device
    local.wipe()
    local.wipe()
    expect(keyPair.secretKey.every((byte) => byte === 0)).toBe(true)
    for (const call of [
      () => local.signStatement('x', key, key),
      () => local.seal('x', key),
      () => local.unseal('x', key),
      () => local.revealPhrase(),
      () => local.changePassphrase({}),
      () => local.exportBackup({ passphrase: 'x' }),
      () => local.createDeviceRequest(),
      () => local.acceptCertificate(certificate),
      () => local.certifyDevice(key),
      () => local.revokeDevice(key),
      () => local.acceptRevocation(key),
      () => deviceSecrets(local),
      () => agree(key)
    ]) {
      expect(await codeOf(call), `call ${call.toString()}`).toBe('IDENTITY_WIPED')
    }
    expect(local.identity.id).toHaveLength(52)
  })

  it('do not write zeroes: what is on its way when it is wiped is whole', async () => {
    const storage = await temporaryFolder()
    const local = await open({ storage, passphrase: 'one' })
    const changing = codeOf(() => local.changePassphrase({ passphrase: 'two', passphraseStrength: 'minimum' }))
    const revoking = codeOf(() => local.revokeDevice(key))
    local.wipe()
    await Promise.all([changing, revoking])
    const again = await open({ storage, passphrase: 'one' }).catch(() => open({ storage, passphrase: 'two' }))
    expect(again.device.id).toBe(local.device.id)
  })

  it('wait for what is being written when closing', async () => {
    const storage = await temporaryFolder()
    const local = await open({ storage })
    const revoking = local.revokeDevice(key)
    await local.close()
    await local.close()
    await revoking
    expect((await open({ storage })).epoch).toBeGreaterThan(0)
    expect(await codeOf(() => local.seal('x', key))).toBe('IDENTITY_WIPED')
  })

  it('happen at the end of an async-disposing scope', async () => {
    const local = await open()
    await local[Symbol.asyncDispose]()
    expect(await codeOf(() => local.seal('x', key))).toBe('IDENTITY_WIPED')
  })
})

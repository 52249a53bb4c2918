import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemorySecretStore, MAX_EPOCH, openPendingDevice, verifyCertificate, verifyRevocation, type LocalIdentity } from '@covey/identity'
import { keyPair, LINK_DOMAIN, REVOCATION_DOMAIN, signed, varint } from './support/forge.js'
import { codeOf, open, ROOM } from './support/open.js'

const alice = keyPair(1)
const lost = keyPair(2)
const carol = keyPair(3)
const YEAR_MS = 365 * 86_400_000
const AT_MS = 1_800_000_000_000

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

function forge(secretKey: Uint8Array, { domain = REVOCATION_DOMAIN, epoch = varint(1), identity = alice.publicKey } = {}) {
  const body = Buffer.concat([identity, lost.publicKey, epoch, varint(AT_MS)])
  return Uint8Array.of(1, ...body, ...signed(domain, body, secretKey))
}

function judge(bytes: Uint8Array, identity = alice.publicKey): string {
  const result = verifyRevocation(bytes, { identity })
  return result.ok ? 'accepted' : result.error.code
}

async function linkTo(laptop: LocalIdentity): Promise<LocalIdentity> {
  const device = await openPendingDevice({ storage: createMemorySecretStore() })
  return device.acceptCertificate(laptop.certifyDevice(device.createDeviceRequest()))
}

function isAccepted({ device }: LocalIdentity, minEpoch: number): boolean {
  return verifyCertificate(device.certificate, { device: device.publicKey, context: ROOM, atMs: Date.now(), minEpoch }).ok
}

describe('verifyRevocation', () => {
  it('accepts what the identity signed', () => {
    expect(verifyRevocation(forge(alice.secretKey), { identity: alice.publicKey })).toEqual({
      ok: true,
      value: { identity: alice.publicKey, device: lost.publicKey, epoch: 1, atMs: AT_MS }
    })
  })

  it.each([
    ['no bytes', new Uint8Array(), 'REVOCATION_MALFORMED'],
    ['a trailing byte', Uint8Array.of(...forge(alice.secretKey), 0), 'REVOCATION_MALFORMED'],
    ['a number in a longer form', forge(alice.secretKey, { epoch: varint(1, 4) }), 'REVOCATION_MALFORMED'],
    ['an epoch beyond 32 bits', forge(alice.secretKey, { epoch: varint(2 ** 32) }), 'REVOCATION_MALFORMED'],
    ['version 0', Uint8Array.of(0, ...forge(alice.secretKey).subarray(1)), 'REVOCATION_MALFORMED'],
    ['a newer version', Uint8Array.of(2, ...forge(alice.secretKey).subarray(1)), 'REVOCATION_TOO_NEW'],
    ['the signature of the device', forge(lost.secretKey), 'REVOCATION_BAD_SIGNATURE'],
    ['a signature for another purpose', forge(alice.secretKey, { domain: LINK_DOMAIN }), 'REVOCATION_BAD_SIGNATURE'],
    ["a stranger's own", forge(lost.secretKey, { identity: lost.publicKey }), 'REVOCATION_WRONG_IDENTITY']
  ])('refuses %s', (_, bytes, code) => {
    expect(judge(bytes)).toBe(code)
  })

  it('refuses it wherever one bit differs, and wherever it is cut', () => {
    const bytes = forge(alice.secretKey)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(judge(flipped), `bit ${bit}`).toMatch(/^REVOCATION_/)
    }
    for (let length = 0; length < bytes.length; length++) expect(judge(bytes.subarray(0, length))).toMatch(/^REVOCATION_/)
  })
})

describe('revokeDevice', () => {
  it('begins a new epoch that older certificates do not reach, and keeps this device in it', async () => {
    const storage = createMemorySecretStore()
    const laptop = await open({ storage })
    const phone = await linkTo(laptop)
    const before = Date.now()
    const result = verifyRevocation(await laptop.revokeDevice(phone.device.publicKey), {
      identity: laptop.identity.publicKey
    })
    if (!result.ok) throw result.error
    const { device, epoch, atMs } = result.value
    expect(device).toEqual(phone.device.publicKey)
    expect(atMs).toBeGreaterThanOrEqual(before)
    expect(epoch).toBeGreaterThanOrEqual(before / 1_000)
    expect(isAccepted(phone, 1)).toBe(false)
    expect(isAccepted(laptop, epoch)).toBe(true)
    const reopened = await open({ storage })
    expect(reopened.epoch).toBe(epoch)
    expect(isAccepted(reopened, epoch)).toBe(true)
  })

  it('counts on, also when called twice at once, and where the clock was set back', async () => {
    const laptop = await open()
    vi.setSystemTime(AT_MS)
    await laptop.revokeDevice(carol.publicKey)
    vi.setSystemTime(0)
    const statements = await Promise.all([laptop.revokeDevice(lost.publicKey), laptop.revokeDevice(alice.publicKey)])
    const epochs = statements.map((bytes) => {
      const result = verifyRevocation(bytes, { identity: laptop.identity.publicKey })
      return result.ok && result.value.epoch
    })
    expect(epochs).toEqual([AT_MS / 1_000 + 1, AT_MS / 1_000 + 2])
  })

  it('does not revoke the device that it is called on', async () => {
    const laptop = await open()
    expect(await codeOf(() => laptop.revokeDevice(laptop.device.publicKey))).toBe('TypeError')
    expect(laptop.epoch).toBe(0)
  })
})

describe('who comes back by the phrase alone', () => {
  it.each([0, 1, 200])('is of a newer epoch than what a device had revoked whose clock was %i s ahead', async (aheadS) => {
    const laptop = await open()
    const phrase = laptop.revealPhrase()
    vi.setSystemTime(AT_MS + aheadS * 1_000)
    await laptop.revokeDevice(lost.publicKey)
    vi.setSystemTime(AT_MS)
    const storage = createMemorySecretStore()
    const restored = await open({ storage, phrase })
    expect(isAccepted(restored, laptop.epoch)).toBe(true)
    // What it revokes in turn counts for more than all that.
    const before = restored.epoch
    await restored.revokeDevice(lost.publicKey)
    expect(restored.epoch).toBeGreaterThan(before)
    expect(isAccepted(laptop, restored.epoch)).toBe(false)
  })

  it('stays who it is at each start', async () => {
    const phrase = (await open()).revealPhrase()
    const storage = createMemorySecretStore()
    const { epoch, device } = await open({ storage, phrase })
    vi.setSystemTime(Date.now() + YEAR_MS)
    const again = await open({ storage, phrase })
    expect([again.epoch, again.device.certificate]).toEqual([epoch, device.certificate])
  })

  it('leaves epochs to count where the clock is at the end of time', async () => {
    vi.setSystemTime(MAX_EPOCH * 1_000)
    const restored = await open({ phrase: (await open()).revealPhrase() })
    const before = restored.epoch
    await restored.revokeDevice(lost.publicKey)
    expect([restored.epoch, isAccepted(restored, restored.epoch)]).toEqual([before + 1, true])
  })
})

describe('acceptRevocation', () => {
  it('brings another device with the phrase into the newest epoch, in any order', async () => {
    const laptop = await open()
    vi.setSystemTime(AT_MS)
    const desktop = await open({ phrase: laptop.revealPhrase() })
    vi.setSystemTime(AT_MS + YEAR_MS)
    const [first, second] = [await laptop.revokeDevice(lost.publicKey), await laptop.revokeDevice(alice.publicKey)]
    expect(isAccepted(desktop, laptop.epoch)).toBe(false)
    await desktop.acceptRevocation(second)
    expect(isAccepted(desktop, laptop.epoch)).toBe(true)
    await desktop.acceptRevocation(first)
    expect(isAccepted(desktop, laptop.epoch)).toBe(true)
    expect(desktop.epoch).toBe(laptop.epoch)
  })

  it('leaves a linked device waiting for a new certificate, and takes no old one', async () => {
    const laptop = await open()
    const phone = await linkTo(laptop)
    const old = phone.device.certificate
    await phone.acceptRevocation(await laptop.revokeDevice(lost.publicKey))
    expect(phone.epoch).toBe(laptop.epoch)
    expect(isAccepted(phone, laptop.epoch)).toBe(false)
    expect(await codeOf(() => phone.acceptCertificate(old))).toBe('CERTIFICATE_OLD_EPOCH')
    await phone.acceptCertificate(laptop.certifyDevice(phone.createDeviceRequest()))
    expect(isAccepted(phone, laptop.epoch)).toBe(true)
  })

  it('tells the device that it is the one, and heeds nobody else', async () => {
    const laptop = await open()
    const phone = await linkTo(laptop)
    const stranger = await open()
    expect(await codeOf(async () => phone.acceptRevocation(await laptop.revokeDevice(phone.device.publicKey)))).toBe('IDENTITY_DEVICE_REVOKED')
    expect(await codeOf(async () => phone.acceptRevocation(await stranger.revokeDevice(phone.device.publicKey)))).toBe('REVOCATION_WRONG_IDENTITY')
    expect(phone.epoch).toBe(0)
  })

  it('does not let a device change hands', async () => {
    const laptop = await open()
    const phone = await linkTo(laptop)
    const stranger = await open()
    const theirs = stranger.certifyDevice(phone.createDeviceRequest())
    expect(await codeOf(() => phone.acceptCertificate(theirs))).toBe('CERTIFICATE_WRONG_IDENTITY')
    expect(phone.identity.id).toBe(laptop.identity.id)
  })
})

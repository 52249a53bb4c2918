import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createMemorySecretStore,
  decodeCertificate,
  decodeDeviceRequest,
  openPendingDevice,
  verifyCertificate,
  type LocalIdentity
} from '@covey/identity'
import { deviceSecrets } from '@covey/identity/internal'
import { boxKey, keyPair, REQUEST_DOMAIN, signed } from './support/forge.js'
import { codeOf, open, ROOM, temporaryFolder } from './support/open.js'

const DAY_MS = 24 * 60 * 60 * 1000

function newDevice(deviceName = 'Phone') {
  return openPendingDevice({ storage: createMemorySecretStore(), deviceName, passphraseStrength: 'minimum' })
}

async function link(issuer: LocalIdentity, deviceName?: string): Promise<LocalIdentity> {
  const device = await newDevice(deviceName)
  return device.acceptCertificate(issuer.certifyDevice(device.createDeviceRequest()))
}

function read(certificate: Uint8Array) {
  const result = decodeCertificate(certificate)
  if (!result.ok) throw result.error
  return result.value
}

function verdict(local: LocalIdentity, changes: object = {}): string {
  const expected = { device: local.device.publicKey, context: ROOM, atMs: Date.now(), ...changes }
  const result = verifyCertificate(local.device.certificate, expected)
  return result.ok ? `${result.value.links} links` : result.error.code
}

describe('a linked device', () => {
  it('is certified by the device with the phrase in one link, and by another in two', async () => {
    const laptop = await open()
    const phone = await link(laptop)
    const tablet = await link(phone)
    for (const [device, links] of [[laptop, '1 links'], [phone, '1 links'], [tablet, '2 links']] as const) {
      expect(device.identity.id).toBe(laptop.identity.id)
      expect(verdict(device, { identity: laptop.identity.publicKey })).toBe(links)
    }
    expect(read(tablet.device.certificate).issuer).toEqual(phone.device.publicKey)
  })

  it('has neither the phrase nor what needs it', async () => {
    const phone = await link(await open())
    expect(phone.hasPhrase).toBe(false)
    expect(await codeOf(() => phone.revealPhrase())).toBe('IDENTITY_NO_PHRASE')
    expect(await codeOf(() => phone.revokeDevice(ROOM))).toBe('IDENTITY_NO_PHRASE')
    expect(await codeOf(() => phone.exportBackup({ passphrase: 'x' }))).toBe('IDENTITY_NO_PHRASE')
  })

  it('cannot certify when it was itself certified by a device', async () => {
    const tablet = await link(await link(await open()))
    expect(await codeOf(() => link(tablet))).toBe('IDENTITY_CANNOT_CERTIFY')
  })

  it('survives a restart while it waits and afterwards', async () => {
    const storage = await temporaryFolder()
    const laptop = await open()
    const init = { storage, passphrase: 'tea', passphraseStrength: 'minimum' } as const
    const waiting = await openPendingDevice({ ...init, deviceName: 'Phone' })
    const request = waiting.createDeviceRequest()
    await waiting.close()
    expect(await codeOf(() => waiting.createDeviceRequest())).toBe('IDENTITY_WIPED')
    expect(await codeOf(() => open(init))).toBe('IDENTITY_PENDING')

    const again = await openPendingDevice(init)
    expect(again.createDeviceRequest()).toEqual(request)
    const linked = await again.acceptCertificate(laptop.certifyDevice(request))
    await linked.close()
    expect(await codeOf(() => openPendingDevice(init))).toBe('IDENTITY_EXISTS')

    const reopened = await open(init)
    expect(reopened.device).toEqual(linked.device)
    expect(reopened.device.name).toBe('Phone')
    expect(reopened.isSealed).toBe(true)
  })

  it('gets the phrase when it is opened with it, and only with the right one', async () => {
    const storage = createMemorySecretStore()
    const laptop = await open()
    const waiting = await openPendingDevice({ storage })
    await waiting.acceptCertificate(laptop.certifyDevice(waiting.createDeviceRequest()))
    const stranger = await open()
    expect(await codeOf(() => open({ storage, phrase: stranger.revealPhrase() }))).toBe('IDENTITY_MISMATCH')
    expect((await open({ storage })).hasPhrase).toBe(false)
    await open({ storage, phrase: laptop.revealPhrase() })
    expect((await open({ storage })).revealPhrase()).toBe(laptop.revealPhrase())
  })

  it('may be restricted to a room and a time, which its own links stay within', async () => {
    const laptop = await open()
    const device = await newDevice()
    const request = device.createDeviceRequest()
    const now = Date.now()
    const certificate = laptop.certifyDevice(request, { context: ROOM, notBeforeMs: now, expiresMs: now + DAY_MS })
    expect(read(certificate)).toMatchObject({ context: ROOM, notBeforeMs: now, expiresMs: now + DAY_MS, links: 1 })

    const short = await device.acceptCertificate(laptop.certifyDevice(request, { notBeforeMs: now, expiresMs: now + DAY_MS }))
    const other = (await newDevice()).createDeviceRequest()
    expect(read(short.certifyDevice(other))).toMatchObject({ notBeforeMs: now, expiresMs: now + DAY_MS })
    expect(read(short.certifyDevice(other, { context: ROOM })).context).toEqual(ROOM)
    expect(await codeOf(() => short.certifyDevice(other, { expiresMs: now + DAY_MS + 1 }))).toBe('IDENTITY_CANNOT_CERTIFY')
    expect(await codeOf(() => laptop.certifyDevice(other, { notBeforeMs: 5, expiresMs: 5 }))).toBe('IDENTITY_CANNOT_CERTIFY')
    expect(await codeOf(() => laptop.certifyDevice(other, { context: ROOM.subarray(1) }))).toBe('TypeError')
    expect(await codeOf(() => laptop.certifyDevice(other, { expires: 5 } as object))).toBe('TypeError')
  })

  it('accepts only a certificate that is its own, valid now, for all rooms, and of the expected person', async () => {
    const laptop = await open()
    const stranger = await open()
    const device = await newDevice()
    const request = device.createDeviceRequest()
    const accept = (certificate: Uint8Array, options?: object) => codeOf(() => device.acceptCertificate(certificate, options))
    expect(await accept(laptop.device.certificate)).toBe('CERTIFICATE_WRONG_DEVICE')
    expect(await accept(laptop.certifyDevice(request, { context: ROOM }))).toBe('CERTIFICATE_WRONG_CONTEXT')
    expect(await accept(laptop.certifyDevice(request, { context: new Uint8Array(32) }))).toBe('CERTIFICATE_WRONG_CONTEXT')
    expect(await accept(laptop.certifyDevice(request, { notBeforeMs: 1, expiresMs: 2 }))).toBe('CERTIFICATE_EXPIRED')
    expect(await accept(stranger.certifyDevice(request), { identity: laptop.identity.publicKey })).toBe('CERTIFICATE_WRONG_IDENTITY')
    expect(await accept(new Uint8Array(9))).toBe('CERTIFICATE_MALFORMED')
    expect(await accept(laptop.certifyDevice(request), { identity: laptop.identity.publicKey })).toBeNull()
    expect(await accept(laptop.certifyDevice(request))).toBe('IDENTITY_WIPED')
  })

  it('refuses a certificate for its signing key with another X25519 key', async () => {
    const laptop = await open()
    const phone = await link(laptop)
    const { publicKey, secretKey } = deviceSecrets(phone).keyPair
    const request = (box: Uint8Array) => {
      const body = Buffer.concat([publicKey, box, Buffer.of(0)])
      return Uint8Array.of(1, ...body, ...signed(REQUEST_DOMAIN, body, secretKey))
    }
    const accept = (box: Uint8Array) => codeOf(() => phone.acceptCertificate(laptop.certifyDevice(request(box))))
    expect(await accept(boxKey(6))).toBe('CERTIFICATE_WRONG_DEVICE')
    expect(await accept(phone.device.boxPublicKey)).toBeNull()
  })

  it('waits on when the disk fails, and can accept again', async () => {
    const storage = createMemorySecretStore()
    const laptop = await open()
    const write = vi.spyOn(storage, 'write').mockRejectedValueOnce(new Error('disk full'))
    const device = await openPendingDevice({ storage })
    const certificate = laptop.certifyDevice(device.createDeviceRequest())
    await expect(device.acceptCertificate(certificate)).rejects.toThrow('disk full')
    await device.acceptCertificate(certificate)
    expect(write).toHaveBeenCalledTimes(2)
  })
})

describe('a device request', () => {
  it('shows the device and its name', async () => {
    const device = await newDevice('Alice’s 📱')
    const request = decodeDeviceRequest(device.createDeviceRequest())
    expect(request).toMatchObject({ ok: true, value: { device: device.publicKey, name: 'Alice’s 📱' } })
  })

  it('is refused wherever it differs from what the device signed', async () => {
    const laptop = await open()
    const request = (await newDevice()).createDeviceRequest()
    for (let bit = 0; bit < request.length * 8; bit++) {
      const flipped = Uint8Array.from(request)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(await codeOf(() => laptop.certifyDevice(flipped)), `bit ${bit}`).toBe('IDENTITY_REQUEST_INVALID')
    }
    expect(await codeOf(() => laptop.certifyDevice(Uint8Array.of(...request, 0)))).toBe('IDENTITY_REQUEST_INVALID')
    expect(await codeOf(() => laptop.certifyDevice(new Uint8Array()))).toBe('IDENTITY_REQUEST_INVALID')
  })

  it('is refused with an X25519 key of low order, even when the device signed it', async () => {
    const pair = keyPair(5)
    const request = (box: Uint8Array) => {
      const body = Buffer.concat([pair.publicKey, box, Buffer.of(0)])
      return Uint8Array.of(1, ...body, ...signed(REQUEST_DOMAIN, body, pair.secretKey))
    }
    expect(decodeDeviceRequest(request(boxKey(5))).ok).toBe(true)
    expect(decodeDeviceRequest(request(new Uint8Array(32))).ok).toBe(false)
  })
})

describe('the certificate of this device', () => {
  it('begins a day ago and lasts ten years', async () => {
    const now = Date.now()
    const { notBeforeMs, expiresMs } = read((await open()).device.certificate)
    expect(notBeforeMs - (now - DAY_MS)).toBeLessThan(10_000)
    expect(expiresMs - (now + 3_650 * DAY_MS)).toBeLessThan(10_000)
  })

  it('is renewed at opening once half of its time is over, with the same keys', async () => {
    const storage = createMemorySecretStore()
    const { device } = await open({ storage })
    expect((await open({ storage })).device.certificate).toEqual(device.certificate)
    vi.useFakeTimers({ now: Date.now() + 1_826 * DAY_MS, toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const later = await open({ storage })
    expect(later.device.publicKey).toEqual(device.publicKey)
    expect(verdict(later, { atMs: Date.now() + 3_000 * DAY_MS })).toBe('1 links')
    expect((await open({ storage })).device.certificate).toEqual(later.device.certificate)
  })
})

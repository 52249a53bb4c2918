import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createMemorySecretStore,
  decodeDeviceRequest,
  verifyCertificate,
  verifyRevocation,
  verifyStatement,
  type LocalIdentity
} from '@covey/identity'
import { deriveIdentity, entropyFromPhrase } from '../src/phrase.js'
import { makeRevocation } from '../src/revocation.js'
import { open } from './support/open.js'

// Bytes that a released version has written. They may be added to, never changed: other peers hold
// such certificates, and people such files.
const sealedFile = vector('sealed-file')
const backup = vector('backup')
const certificate = vector('certificate')
const statement = vector('statement')
const revocation = vector('revocation')

beforeEach(() => {
  vi.useFakeTimers({ now: certificate.atMs, toFake: ['Date'] })
  return () => void vi.useRealTimers()
})

describe('files of an earlier version', () => {
  it.each([
    ['unsealed', {}],
    ['passphrase', { passphrase: sealedFile.passphrase }],
    ['provider', { keyProvider: { getKey: async () => bytes(sealedFile.providedKey) } }]
  ])('open: %s', async (kind, init) => {
    const local = await openFile(sealedFile.files[kind], init)
    expect(local.identity).toMatchObject({ publicKey: bytes(sealedFile.identity), name: sealedFile.name })
    expect(local.device.publicKey).toEqual(bytes(sealedFile.device))
    expect(local.device.boxPublicKey).toEqual(bytes(sealedFile.boxPublicKey))
    expect(local.device.name).toBe(sealedFile.deviceName)
    expect(local.revealPhrase()).toBe(sealedFile.phrase)
    const { label, sealed, plaintext } = sealedFile.sealedValue
    expect(local.unseal(label, bytes(sealed))).toEqual(bytes(plaintext))
  })

  it('open: backup', async () => {
    const local = await open({ backup: { bytes: bytes(backup.bytes), passphrase: backup.passphrase } })
    expect(local.identity).toMatchObject({ publicKey: bytes(backup.identity), name: backup.name })
    expect(local.revealPhrase()).toBe(backup.phrase)
    expect(local.epoch).toBeGreaterThanOrEqual(backup.epoch)
  })
})

describe('certificates', () => {
  it.each(['oneLink', 'twoLinks'])('are made and verified as before: %s', async (kind) => {
    const { notBeforeMs, expiresMs, bytes: hex } = certificate[kind]
    const two = kind === 'twoLinks'
    const issuer = await openFile(two ? certificate.issuerFile : sealedFile.files.unsealed)
    const request = certificate.requests[two ? 1 : 0]
    const context = two ? bytes(certificate.room) : undefined
    expect(issuer.certifyDevice(bytes(request.bytes), { context, notBeforeMs, expiresMs })).toEqual(bytes(hex))
    const { atMs, identity, room } = certificate
    const result = verifyCertificate(bytes(hex), { device: bytes(request.device), context: bytes(room), atMs })
    expect(result).toMatchObject({
      ok: true,
      value: { identity: bytes(identity), issuer: two ? issuer.device.publicKey : bytes(identity), notBeforeMs, expiresMs, epoch: 0 }
    })
  })

  it('are asked for as before', async () => {
    for (const { bytes: hex, device, name } of certificate.requests) {
      expect(decodeDeviceRequest(bytes(hex))).toMatchObject({ ok: true, value: { device: bytes(device), name } })
    }
    const phone = await openFile(certificate.issuerFile)
    expect(phone.createDeviceRequest()).toEqual(bytes(certificate.requests[0].bytes))
  })
})

describe('statements and revocations', () => {
  it('are made and verified as before', async () => {
    const local = await openFile(sealedFile.files.unsealed)
    const body = { domain: statement.domain, context: bytes(statement.context), data: bytes(statement.data) }
    expect(local.signStatement(body.domain, body.context, body.data)).toEqual(bytes(statement.bytes))
    expect(verifyStatement(bytes(statement.bytes), { ...body, device: bytes(statement.device) })).toBe(true)

    const { identity, device, epoch, atMs } = revocation
    const { secretKey } = await deriveIdentity(entropyFromPhrase(sealedFile.phrase))
    expect(makeRevocation({ identity: bytes(identity), device: bytes(device), epoch, atMs }, secretKey)).toEqual(bytes(revocation.bytes))
    expect(verifyRevocation(bytes(revocation.bytes), { identity: bytes(identity) })).toEqual({
      ok: true,
      value: { identity: bytes(identity), device: bytes(device), epoch, atMs }
    })
  })
})

async function openFile(hex: string, init: object = {}): Promise<LocalIdentity> {
  const storage = createMemorySecretStore()
  await storage.write('identity', bytes(hex))
  return open({ storage, ...init })
}

function vector(name: string) {
  return JSON.parse(readFileSync(new URL(`./vectors/${name}.json`, import.meta.url), 'utf8'))
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

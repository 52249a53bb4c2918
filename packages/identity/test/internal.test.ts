import sodium from 'sodium-universal'
import { describe, expect, it } from 'vitest'
import { deviceSecrets } from '@covey/identity/internal'
import { codeOf, open } from './support/open.js'

// All points of low order on Curve25519 and its twist, with their non-canonical encodings:
// https://cr.yp.to/ecdh.html#validate
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'
]

describe('deviceSecrets', () => {
  it('gives the signing key pair of the device', async () => {
    const local = await open()
    const { keyPair } = deviceSecrets(local)
    expect(keyPair.publicKey).toEqual(local.device.publicKey)
    const signature = new Uint8Array(64)
    sodium.crypto_sign_detached(signature, new Uint8Array(3), keyPair.secretKey)
    expect(sodium.crypto_sign_verify_detached(signature, new Uint8Array(3), local.device.publicKey)).toBe(true)
  })

  it('agrees on one secret from both sides, as X25519 has it', async () => {
    const [alice, bob, carol] = [await open(), await open(), await open()]
    const shared = deviceSecrets(alice).agree(bob.device.boxPublicKey)
    expect(deviceSecrets(bob).agree(alice.device.boxPublicKey)).toEqual(shared)
    expect(deviceSecrets(carol).agree(alice.device.boxPublicKey)).not.toEqual(shared)

    const ephemeral = { publicKey: new Uint8Array(32), secretKey: new Uint8Array(32) }
    sodium.crypto_box_keypair(ephemeral.publicKey, ephemeral.secretKey)
    const expected = new Uint8Array(32)
    sodium.crypto_scalarmult(expected, ephemeral.secretKey, alice.device.boxPublicKey)
    expect(deviceSecrets(alice).agree(ephemeral.publicKey)).toEqual(expected)
  })

  it.each(LOW_ORDER)('does not agree with %s', async (hex) => {
    const { agree } = deviceSecrets(await open())
    expect(await codeOf(() => agree(Uint8Array.from(Buffer.from(hex, 'hex'))))).toBe('IDENTITY_WEAK_KEY')
  })

  it('takes keys of 32 bytes, and identities that are open here', async () => {
    const { agree } = deviceSecrets(await open())
    expect(await codeOf(() => agree(new Uint8Array(31)))).toBe('TypeError')
    expect(await codeOf(() => deviceSecrets({} as never))).toBe('TypeError')
  })
})

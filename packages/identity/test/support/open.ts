import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity, type OpenIdentityInit } from '@covey/identity'

/** The first of the official BIP-39 test vectors with 24 words. */
export const PHRASE = `${'abandon '.repeat(23)}art`
export const ROOM = new Uint8Array(32).fill(0xaa)

export function open(init: Partial<OpenIdentityInit> = {}): Promise<LocalIdentity> {
  return openIdentity({ storage: createMemorySecretStore(), passphraseStrength: 'minimum', ...init })
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-identity-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The code that a call fails with, or `null` when it succeeds. */
export async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call()
    return null
  } catch (error) {
    if (error instanceof TypeError) return 'TypeError'
    return (error as { code?: string }).code ?? String(error)
  }
}

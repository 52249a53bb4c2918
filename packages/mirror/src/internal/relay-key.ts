import { mkdir, readFile, writeFile } from '#fs'
import HyperDHT from 'hyperdht'
import sodium from 'sodium-universal'
import { decodeZ32, encodeZ32 } from '@covey/core'
import { MirrorError } from '../errors.js'

const FILE = 'relay-key'
const SEED_BYTES = 32

/** The key of the relay in a folder, made on the first run. */
export async function openRelayKey(folder: string): Promise<ReturnType<typeof HyperDHT.keyPair>> {
  const path = `${folder}/${FILE}`
  try {
    await mkdir(folder, { recursive: true })
    const seed = new Uint8Array(SEED_BYTES)
    sodium.randombytes_buf(seed)
    // `wx`: what is there is never written over, and two that start at once agree.
    await writeFile(path, `${encodeZ32(seed)}\n`, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    })
    const kept = decodeZ32((await readFile(path, 'utf8')).trim(), SEED_BYTES)
    if (!kept.ok) throw kept.error
    return HyperDHT.keyPair(kept.value)
  } catch (cause) {
    throw new MirrorError('RELAY_KEY_UNREADABLE', `The key of the relay in ${path} could not be opened.`, {
      cause,
      hint: 'Check that the folder may be written, or restore the file. Peers know the relay by this key.'
    })
  }
}

// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="../runtime.d.ts" />
import { mkdir, open, readdir, readFile, rename, rm, stat } from '#fs'
import { encodeUtf8, equalBytes, readBytes, writeBytes } from '@covey/core'
import { sha256 } from '@noble/hashes/sha2.js'
import locks from 'fs-native-extensions'
import { PaymentError } from '../../errors.js'

/** Where the number of the newest state is kept besides, so that an older copy of the folder is recognised. */
export interface StateWitness {
  /** The number stored last; `undefined` where there never was one. */
  load(): Promise<number | undefined>
  /** Resolves when the number is durable. */
  store(generation: number): Promise<void>
}

export interface StateFolderOptions {
  witness: StateWitness | undefined
  /** Takes a copied or restored folder for the only one there is. */
  acceptMoved: boolean
}

interface Part {
  generation: number
  hash: Uint8Array
  bytes: Uint8Array
}

const MAGIC = encodeUtf8('coveyldk')
const VERSION = 1
const MANIFEST = 'state'
const MAX_PARTS = 65_536
const MAX_PLACE_BYTES = 64
const PART_NAME = /^[a-z0-9-]{1,100}$/
const PART_FILE = /^[a-z0-9-]{1,100}\.[0-9]{1,16}$/

/**
 * A folder that holds one state, made of named parts, and goes from one to the next at once or not at all: changed
 * parts are written beside the old ones, and one rename of a small file that names and hashes all of them decides.
 *
 * That file also says which file it is, by inode and time of birth, so that a copy or a restored backup is refused.
 */
export class StateFolder {
  readonly #folder: string
  readonly #lock: Awaited<ReturnType<typeof open>>
  readonly #witness: StateWitness | undefined
  #parts: Map<string, Part>
  #generation: number

  private constructor(folder: string, lock: Awaited<ReturnType<typeof open>>, witness: StateWitness | undefined, state: { generation: number; parts: Map<string, Part> }) {
    this.#folder = folder
    this.#lock = lock
    this.#witness = witness
    this.#parts = state.parts
    this.#generation = state.generation
  }

  /** @throws {PaymentError} WALLET_STATE_LOCKED, WALLET_STATE_STALE, WALLET_STATE_MOVED, WALLET_STATE_DAMAGED */
  static async open(folder: string, { witness, acceptMoved }: StateFolderOptions): Promise<StateFolder> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const lock = await open(`${folder}/lock`, 'a+', 0o600)
    try {
      if (!locks.tryLock(lock.fd)) {
        throw new PaymentError('WALLET_STATE_LOCKED', 'The folder of the wallet is open elsewhere.', { retryable: true, hint: 'A wallet runs once. Close the other one first.' })
      }
      const state = await readState(folder, acceptMoved)
      const known = await witness?.load()
      if (known !== undefined && known > state.generation) {
        throw new PaymentError('WALLET_STATE_STALE', 'The wallet was further than this folder is.', { hint: 'Open the newest folder. An old state can cost all that is in the channels.' })
      }
      return new StateFolder(folder, lock, witness, state)
    } catch (error) {
      await lock.close()
      throw error
    }
  }

  get generation(): number {
    return this.#generation
  }

  get(name: string): Uint8Array | undefined {
    return this.#parts.get(name)?.bytes
  }

  names(): string[] {
    return [...this.#parts.keys()]
  }

  /** Durable when it resolves; `null` removes a part. Not to be called again before it has settled, nor once it has failed. */
  async commit(changes: ReadonlyMap<string, Uint8Array | null>): Promise<void> {
    const generation = this.#generation + 1
    const parts = new Map(this.#parts)
    for (const [name, bytes] of changes) {
      if (!PART_NAME.test(name)) throw new TypeError(`${name} is no name of a part`)
      if (bytes === null) {
        parts.delete(name)
        continue
      }
      await writeDurably(`${this.#folder}/${name}.${generation}`, () => bytes)
      parts.set(name, { generation, hash: sha256(bytes), bytes })
    }
    // Before the number is: a state that is known but not yet in force is never missed, the other way round it would be.
    await writeDurably(`${this.#folder}/${MANIFEST}.tmp`, (place) => encodeManifest(generation, parts, place))
    await syncFolder(this.#folder)
    await rename(`${this.#folder}/${MANIFEST}.tmp`, `${this.#folder}/${MANIFEST}`)
    await syncFolder(this.#folder)
    await this.#witness?.store(generation)
    this.#parts = parts
    this.#generation = generation
    await removeUnused(this.#folder, parts)
  }

  async close(): Promise<void> {
    await this.#lock.close()
  }
}

async function readState(folder: string, acceptMoved: boolean): Promise<{ generation: number; parts: Map<string, Part> }> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(`${folder}/${MANIFEST}`)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    // Parts of a first state that never came into force are of no use, but parts alone may also be what is left of a wallet.
    if ((await readdir(folder)).some((name) => /\.[1-9][0-9]+$|\.[2-9]$/.test(name))) throw damaged('The file that names its parts is missing.')
    return { generation: 0, parts: new Map() }
  }
  const manifest = decodeManifest(bytes)
  if (!acceptMoved && !isAt(manifest.place, await stat(`${folder}/${MANIFEST}`))) {
    throw new PaymentError('WALLET_STATE_MOVED', 'The folder of the wallet was copied or restored from a copy.', {
      hint: 'Open the original. Pass acceptMoved only where no other copy will ever run again, and this is the newest.'
    })
  }
  const parts = new Map<string, Part>()
  for (const { name, generation, hash } of manifest.parts) {
    const part = await readFile(`${folder}/${name}.${generation}`).catch((error: unknown) => {
      throw damaged('A part is missing.', error)
    })
    if (!equalBytes(sha256(part), hash)) throw damaged('A part does not match.')
    parts.set(name, { generation, hash, bytes: Uint8Array.from(part) })
  }
  return { generation: manifest.generation, parts }
}

function encodeManifest(generation: number, parts: ReadonlyMap<string, Part>, place: string): Uint8Array {
  const body = writeBytes((writer) => {
    writer.bytes(MAGIC).uint8(VERSION).varint(generation).text(place, MAX_PLACE_BYTES).varint(parts.size)
    for (const [name, part] of parts) writer.text(name, 100).varint(part.generation).bytes(part.hash)
  })
  return writeBytes((writer) => writer.bytes(body).bytes(sha256(body)))
}

function decodeManifest(bytes: Uint8Array) {
  const body = bytes.subarray(0, -32)
  if (bytes.length < 32 || !equalBytes(sha256(body), bytes.subarray(-32))) throw damaged('Its checksum does not match.')
  const decoded = readBytes(
    body,
    (reader) => {
      if (!equalBytes(reader.bytes(MAGIC.length), MAGIC)) reader.fail('It is a file of another kind.')
      if (reader.uint8() !== VERSION) reader.fail('It was written by a newer version.')
      const generation = reader.varint()
      const place = reader.text(MAX_PLACE_BYTES)
      const parts = Array.from({ length: reader.varint(MAX_PARTS) }, () => {
        const name = reader.text(100)
        if (!PART_NAME.test(name)) reader.fail('A part has no proper name.')
        return { name, generation: reader.varint(), hash: reader.bytes(32) }
      })
      return { generation, place, parts }
    },
    { maxBytes: Number.MAX_SAFE_INTEGER }
  )
  if (!decoded.ok) throw damaged(decoded.error.message)
  return decoded.value
}

/** Writes a file whose content may say which file it is. */
async function writeDurably(path: string, content: (place: string) => Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    const bytes = content(placeOf(await file.stat()))
    let offset = 0
    while (offset < bytes.length) offset += (await file.write(bytes, offset)).bytesWritten
    await file.sync()
  } finally {
    await file.close()
  }
}

interface FileStats {
  ino: number
  birthtimeMs: number
  ctimeMs: number
}

/** A copy has another inode; what is restored into the same one was born at another time than it says. */
function placeOf({ ino, birthtimeMs }: FileStats): string {
  return `${ino}/${birthtimeMs}`
}

function isAt(place: string, stats: FileStats): boolean {
  // File systems that keep no time of birth show the last change in its place, or 1970.
  const hasBirth = stats.birthtimeMs !== 0 && stats.birthtimeMs !== stats.ctimeMs
  return hasBirth ? place === placeOf(stats) : place.startsWith(`${stats.ino}/`)
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch((error: unknown) => {
    // Windows opens no folders, and makes names durable by itself.
    if (['EPERM', 'EISDIR', 'EACCES'].includes((error as { code?: string }).code ?? '')) return undefined
    throw error
  })
  if (handle === undefined) return
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function removeUnused(folder: string, parts: ReadonlyMap<string, Part>): Promise<void> {
  const used = new Set([...parts].map(([name, { generation }]) => `${name}.${generation}`))
  for (const name of await readdir(folder)) {
    if (PART_FILE.test(name) && !used.has(name)) await rm(`${folder}/${name}`, { force: true })
  }
}

function damaged(detail: string, cause?: unknown): PaymentError {
  return new PaymentError('WALLET_STATE_DAMAGED', `The folder of the wallet is damaged. ${detail}`, {
    cause,
    hint: 'Money in channels is claimed with the newest state only: ask for help before you remove anything.'
  })
}

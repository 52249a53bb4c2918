// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import { readFile } from '#fs'
import { readBytes, writeBytes } from '@covey/core'
import type { LocalIdentity } from '@covey/identity'
import { MAX_GROUP_BYTES } from '../constants.js'
import type { Holding } from '../holding.js'
import type { OpenFile } from './open-file.js'
import { replaceFile } from './records.js'

const LABEL = 'covey/file/holdings/1'
/** The longest time that a timer waits; beyond it, it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** How long what others have shared is kept, by where it was offered. */
export class Holdings {
  readonly #path: string
  readonly #identity: LocalIdentity
  #default: Holding
  readonly #byGroup = new Map<string, Holding>()
  readonly #timers = new Map<OpenFile, ReturnType<typeof setTimeout>>()
  #writing: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(folder: string, identity: LocalIdentity, byDefault: Holding) {
    this.#path = `${folder}/holdings`
    this.#identity = identity
    this.#default = byDefault
  }

  /** Reads what was set before. Where that fails, all is kept: some of it may have been meant to be. */
  async load(): Promise<void> {
    try {
      const sealed = Uint8Array.from(await readFile(this.#path))
      for (const [group, holding] of decode(this.#identity.unseal(LABEL, sealed))) this.#byGroup.set(group, holding)
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return
      this.#default = 'keep'
      throw error
    }
  }

  of(group: string): Holding {
    return this.#byGroup.get(group) ?? this.#default
  }

  /** Resolves when it is written down, and done. */
  async set(group: string, holding: Holding | null, files: readonly OpenFile[]): Promise<void> {
    if (holding === null) this.#byGroup.delete(group)
    else this.#byGroup.set(group, holding)
    const bytes = this.#identity.seal(LABEL, encode(this.#byGroup))
    const written = this.#writing.then(() => replaceFile(this.#path, bytes))
    this.#writing = written.catch(() => undefined)
    await written
    await Promise.all(files.filter(({ record }) => record.groups?.includes(group)).map((file) => this.check(file)))
  }

  /** A file was used, and is not any more. */
  async ended(file: OpenFile): Promise<void> {
    const ms = this.#msOf(file)
    if (ms > 0 && ms < Infinity) await file.update({ usedAtMs: Date.now() })
    await this.check(file)
  }

  /** Gives back what is to be held no longer, or does so when the time has come. */
  async check(file: OpenFile): Promise<void> {
    this.forget(file)
    const ms = this.#msOf(file)
    if (this.#isClosed || ms === Infinity || !file.isKept || file.record.isOwn || isMirrored(file)) return
    const nowMs = Date.now()
    const { usedAtMs } = file.record
    // Of what was kept without an end before, the time begins now.
    if (usedAtMs === undefined && ms > 0) await file.update({ usedAtMs: nowMs })
    // A clock that was set back holds nothing for longer.
    const leftMs = Math.min(ms, (usedAtMs ?? nowMs) + ms - nowMs)
    if (leftMs <= 0) return file.release().catch((error: unknown) => file.report(error))
    // It may have been looked at meanwhile.
    this.forget(file)
    if (!this.#isClosed) this.#timers.set(file, setTimeout(() => void this.check(file), Math.min(leftMs, MAX_TIMER_MS)))
  }

  /** There is no such file any more. */
  forget(file: OpenFile): void {
    clearTimeout(this.#timers.get(file))
    this.#timers.delete(file)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const file of this.#timers.keys()) this.forget(file)
    await this.#writing
  }

  /** What was offered in several groups is held as the one has it that holds it for longest. */
  #msOf({ record: { groups = [] } }: OpenFile): number {
    return Math.max(...(groups.length === 0 ? [this.#default] : groups.map((group) => this.of(group))).map(toMs))
  }
}

/** What lies where in a directory that is kept in step is known by the records of its files alone. */
function isMirrored({ record: { folder, path } }: OpenFile): boolean {
  return folder !== undefined && path !== undefined
}

function toMs(holding: Holding): number {
  return holding === 'keep' ? Infinity : holding === 'none' ? 0 : holding.forMs
}

const KEEP = 1

function encode(byGroup: ReadonlyMap<string, Holding>): Uint8Array {
  return writeBytes((writer) => {
    for (const [group, holding] of byGroup) {
      writer.text(group, MAX_GROUP_BYTES).uint8(holding === 'keep' ? KEEP : 0)
      if (holding !== 'keep') writer.varint(toMs(holding))
    }
  })
}

function decode(bytes: Uint8Array): [group: string, holding: Holding][] {
  const holdings = readBytes(bytes, (reader) => {
    const read: [string, Holding][] = []
    while (reader.remaining > 0) {
      const group = reader.text(MAX_GROUP_BYTES)
      const ms = reader.uint8() === KEEP ? Infinity : reader.varint()
      read.push([group, ms === Infinity ? 'keep' : ms === 0 ? 'none' : { forMs: ms }])
    }
    return read
  })
  if (!holdings.ok) throw holdings.error
  return holdings.value
}

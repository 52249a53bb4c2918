import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { encodeZ32 } from '@covey/core'
import { BLOCK_BYTES } from '../constants.js'
import { FileError } from '../errors.js'
import type { Offer } from '../offer.js'
import { convertBlock, coreKey, decodeEnd, END_BYTES, type End } from './crypto.js'
import type { Stop } from './stop.js'
import type { UpstreamCore, UpstreamPeer } from './upstream.js'

/**
 * How many blocks are asked of one peer at a time: at most three times the first number, where the way to it has no
 * known delay. 6 MiB are on their way then: more than a session takes at a time (4 MiB), and no more than keeps it busy.
 */
const INFLIGHT = [16, 64] as const

/** One thing that is being done with a file's core. */
export interface Work {
  readonly core: Hypercore
  readonly stop: Stop
}

/** The core of a file: its blocks, sealed, and who has them. */
export class FileCore {
  /** Of the core. */
  readonly key: Uint8Array
  readonly #corestore: Corestore
  readonly #offer: Offer
  readonly #onend: (end: End) => void
  readonly #works = new Set<Work>()
  /** Who sent a block that does not fit the signed tree, by key. */
  readonly #banned = new Set<string>()
  #end: End | undefined
  #closed: FileError | undefined
  #anchor: Hypercore | undefined

  constructor(corestore: Corestore, offer: Offer, end: End | undefined, onend: (end: End) => void) {
    this.#corestore = corestore
    this.#offer = offer
    if (end !== undefined) this.onend(end)
    this.#onend = onend
    this.key = coreKey(offer)
  }

  /** The end is known here already. */
  onend(end: End): void {
    if (end.isWhole) this.#end = end
  }

  get end(): End | undefined {
    return this.#end
  }

  get size(): number | undefined {
    return this.#end?.size ?? this.#offer.size
  }

  /** How many blocks the bytes of the file are. */
  get blocks(): number | undefined {
    return this.size === undefined ? undefined : Math.ceil(this.size / BLOCK_BYTES)
  }

  /**
   * Keeps the core open from now on. Corestore 7.12.5 closes one that had been left 6 s before, also when a peer has come
   * meanwhile and is being given its blocks (index.js, `_gcCycle`).
   */
  hold(): void {
    if (this.#closed === undefined) this.#anchor ??= this.#corestore.get({ key: this.key, active: false })
  }

  /** Does something with the core, until it is done, aborted, or the file fails. */
  async use<T>(stop: Stop, work: (work: Work) => Promise<T>): Promise<T> {
    const started = await this.start(stop)
    try {
      return await started.stop.guard(work(started))
    } finally {
      await this.finish(started)
    }
  }

  /** {@link FileCore.use} for a generator, which has its own way to end. */
  async start(stop: Stop): Promise<Work> {
    if (this.#closed !== undefined) {
      stop.close()
      throw this.#closed
    }
    this.hold()
    const core = this.#corestore.get({ key: this.key, inflightRange: INFLIGHT })
    const work = { core, stop }
    this.#works.add(work)
    try {
      await stop.guard(core.ready())
      this.#watch(work)
      return work
    } catch (error) {
      await this.finish(work)
      throw this.#closed ?? error
    }
  }

  async finish(work: Work): Promise<void> {
    this.#works.delete(work)
    work.stop.close()
    // What it waits for is cancelled by that.
    await work.core.close()
  }

  /** Why nothing can be done with it any more. */
  get closed(): FileError | undefined {
    return this.#closed
  }

  /** Ends what is being done. */
  fail(error: FileError): void {
    for (const { stop } of this.#works) stop.stop(error)
  }

  /** For good. */
  async close(error: FileError): Promise<void> {
    this.#closed ??= error
    this.fail(error)
    await Promise.all([...this.#works].map((work) => this.finish(work)))
    await this.#anchor?.close()
  }

  /** A block of the file, as the user reads it; `undefined` for the one after its last. */
  async read({ core, stop }: Work, index: number): Promise<Uint8Array | undefined> {
    const sealed = await stop.guard(core.get(index) as Promise<Uint8Array>)
    const end = decodeEnd(this.#offer.key, index, sealed)
    if (end === undefined) {
      if (!this.fits(index, sealed.length, core.length)) throw liedError()
      return convertBlock(this.#offer.key, index, sealed)
    }
    this.#settle(core, index, end)
    return undefined
  }

  /** Whether a block of the file may be of this size: all are full but the last. */
  fits(index: number, bytes: number, coreLength: number): boolean {
    const { size } = this
    if (size !== undefined) return bytes === Math.min(BLOCK_BYTES, size - index * BLOCK_BYTES)
    return bytes === BLOCK_BYTES || (bytes < BLOCK_BYTES && index >= coreLength - 2)
  }

  /** Resolves when the end of the file is known, and is as it was offered. */
  async untilEnd({ core, stop }: Work): Promise<End> {
    for (;;) {
      const appended = new Promise<void>((resolve) => void core.once('append', resolve))
      await this.#look(core)
      if (this.#end !== undefined) return this.#end
      await stop.guard(appended)
    }
  }

  /** How many blocks of the file are here, without the one after its last, and how many connected devices have some. */
  look(): Promise<{ held: number; holders: number }> {
    return this.peek((core) => {
      const { bitfield, replicator } = sharedPart(core)
      const holders = replicator.peers.filter((peer) => !peer.paused && (peer.remoteContiguousLength > 0 || peer.remoteBitfield.findFirst(true, 0) !== -1)).length
      return Promise.resolve({ held: bitfield!.countSet(0, this.blocks ?? core.length), holders })
    })
  }

  /** Does something with the core that asks nobody for anything. */
  async peek<T>(work: (core: Hypercore) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) throw this.#closed
    this.hold()
    const core = this.#corestore.get({ key: this.key, active: false })
    try {
      await core.ready()
      return await work(core)
    } finally {
      await core.close()
    }
  }

  #watch({ core, stop }: Work): void {
    const onappend = (): void => {
      this.#look(core).catch((error: unknown) => stop.stop(error))
    }
    const admit = (peer: UpstreamPeer): void => {
      // Not a pause, which hypercore ends by itself: about this core, there is nothing more to say to each other.
      if (this.#banned.has(encodeZ32(peer.remotePublicKey))) peer.channel.close()
    }
    core.on('append', onappend)
    core.on('peer-add', (peer) => admit(peer as unknown as UpstreamPeer))
    core.on('verification-error', (error, _request, _response, peer) => {
      // Where the disk is at fault, or the sharer, the one who brought it is not.
      if (error instanceof FileError) return
      this.#banned.add(encodeZ32(peer.remotePublicKey))
      admit(peer as unknown as UpstreamPeer)
    })
    // What was paused for a full disk may go on.
    const { replicator } = sharedPart(core)
    for (const peer of replicator.peers.slice()) {
      peer.paused = false
      admit(peer)
    }
    replicator.updateAll()
    onappend()
  }

  /** Looks whether the core has ended, by its last block. */
  async #look(core: Hypercore): Promise<void> {
    const { length, byteLength } = core
    if (this.#end !== undefined || length === 0) return
    const size = byteLength - END_BYTES
    if (size < 0 || length !== Math.ceil(size / BLOCK_BYTES) + 1) {
      if (this.#offer.size !== undefined && byteLength > this.#offer.size + END_BYTES) throw liedError()
      if (length > 1 && byteLength <= (length - 2) * BLOCK_BYTES) throw liedError()
      return
    }
    const sealed = (await core.get(length - 1)) as Uint8Array
    const end = decodeEnd(this.#offer.key, length - 1, sealed)
    if (end !== undefined) this.#settle(core, length - 1, end)
  }

  #settle(core: Hypercore, index: number, end: End): void {
    if (end.size > index * BLOCK_BYTES || Math.ceil(end.size / BLOCK_BYTES) !== index) throw liedError()
    if (core.length > index + 1 || core.byteLength !== end.size + END_BYTES) throw liedError()
    if (!end.isWhole) throw changedError()
    if (this.#offer.size !== undefined && this.#offer.size !== end.size) throw liedError()
    if (this.#end !== undefined) return
    this.#end = end
    this.#onend(end)
  }
}

/** What all sessions of a core share. */
function sharedPart(core: Hypercore): UpstreamCore {
  return (core as unknown as { core: UpstreamCore }).core
}

function liedError(): FileError {
  return new FileError('FILE_DAMAGED', 'The file is not of the size that its sharer says.', {
    hint: 'Whoever shared it has to share it again.'
  })
}

function changedError(): FileError {
  return new FileError('FILE_CHANGED', 'The file was changed while it was shared, or could not be read to its end.', {
    hint: 'Share it again.'
  })
}

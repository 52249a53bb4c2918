import type Corestore from 'corestore'
import { MAX_CHANNELS } from './guard-connection.js'
import { sayLengths, type SyncingPeer } from './say-lengths.js'

/**
 * The most blocks of a core: 16 TiB of a file, or a room of tens of millions of messages. A length costs memory each
 * time that a core is opened, a bit a block, whether there are any blocks or not.
 */
export const MAX_BLOCKS = 2 ** 27

/** A peer tells of one append, or of what was cleared; all else goes from the first block on, which is only a number. */
const MAX_SPAN = 65_536

const BLOCKS_PER_PAGE = 32_768

/** How many pages a connection may claim, of all cores together, beyond one of each: 8 KiB each. */
const MAX_PAGES = MAX_CHANNELS

/** An honest peer has 512 under way (lib/replicator.js:101). */
const MAX_REQUESTS = 4_096

interface Range {
  readonly start: number
  readonly length: number
}

/** lib/replicator.js of hypercore 11.37.1: what one peer has of one core. */
interface UpstreamPeer extends SyncingPeer {
  readonly protomux: object
  readonly channel: { readonly closed: boolean }
  /** What it has asked for, and was not sent yet. */
  readonly remoteRequests: { readonly size: number }
  readonly remoteBitfield: { readonly _pages: { get(index: number): unknown } }
  onrequest(message: object): Promise<void>
  onrange(message: Range & { readonly drop: boolean }): Promise<void>
  onbitfield(message: { readonly start: number; readonly bitfield: Uint32Array }): void
}

interface Proof {
  readonly upgrade?: (Range & { readonly nodes: readonly TreeNode[]; readonly additionalNodes: readonly TreeNode[] }) | null
}

interface TreeNode {
  readonly index: number
}

/** lib/core.js of hypercore 11.37.1: what all sessions of a core share. */
interface UpstreamCore {
  readonly replicator: { _addPeer(peer: UpstreamPeer): void }
  verify(proof: Proof, from: object): Promise<boolean>
  verifyReorg(proof: Proof): Promise<unknown>
}

/**
 * Bounds what can be said of the cores of a store, and has peers told of their lengths. To be called before the first of them is opened.
 *
 * The attacks, in hypercore 11.37.1:
 *
 * - A peer tells that it has 2^45 blocks, in 15 bytes, and a page is allocated for each 32,768 of them, until the process is
 *   out of memory (lib/remote-bitfield.js:194). One that is far away makes each search go through all that is before it.
 * - Whoever signs a core signs a length of 2^36, which is written down. At the next opening a bit is allocated for each
 *   block (lib/bitfield.js:536): that is more than there can be, and the core never opens again.
 */
export function guardCores(store: Corestore): void {
  const claims = new WeakMap<object, Claims>()
  store.watch((opened) => {
    const core = opened as unknown as UpstreamCore
    boundLength(core)
    const add = core.replicator._addPeer.bind(core.replicator)
    core.replicator._addPeer = (peer) => {
      const of = claims.get(peer.protomux) ?? new Claims()
      claims.set(peer.protomux, of)
      boundClaims(peer, of)
      sayLengths(peer)
      add(peer)
    }
  })
}

function boundLength(core: UpstreamCore): void {
  const [verify, verifyReorg] = [core.verify.bind(core), core.verifyReorg.bind(core)]
  core.verify = async (proof, from) => {
    assertLength(proof)
    return verify(proof, from)
  }
  core.verifyReorg = async (proof) => {
    assertLength(proof)
    return verifyReorg(proof)
  }
}

function assertLength({ upgrade }: Proof): void {
  if (!upgrade) return
  // What is there beyond the length that was asked for, is given as nodes: they are numbered twice as high as blocks.
  const isFar = ({ index }: TreeNode): boolean => index >= 2 * MAX_BLOCKS
  if (upgrade.start + upgrade.length > MAX_BLOCKS || upgrade.nodes.some(isFar) || upgrade.additionalNodes.some(isFar)) {
    throw new Error(`A core of more than ${MAX_BLOCKS} blocks is not taken.`)
  }
}

function boundClaims(peer: UpstreamPeer, claims: Claims): void {
  const claim = (start: number, length: number): void => {
    let pages = 0
    for (let page = Math.floor(start / BLOCKS_PER_PAGE); page * BLOCKS_PER_PAGE < start + length; page++) {
      if (!peer.remoteBitfield._pages.get(page)) pages++
    }
    if (pages > 0) claims.add(peer, pages)
  }
  const [onrequest, onrange, onbitfield] = [peer.onrequest.bind(peer), peer.onrange.bind(peer), peer.onbitfield.bind(peer)]
  peer.onrequest = async (message) => {
    if (peer.remoteRequests.size >= MAX_REQUESTS) throw new Error('The peer asks for more than it takes.')
    return onrequest(message)
  }
  peer.onrange = async ({ drop, start, length }) => {
    assertInside(start, length)
    if (start === 0 && !drop) return onrange({ drop, start, length })
    const span = Math.min(length, MAX_SPAN)
    if (!drop) claim(start, span)
    return onrange({ drop, start, length: span })
  }
  peer.onbitfield = (message) => {
    const length = message.bitfield.length * 32
    assertInside(message.start, length)
    claim(message.start, length)
    onbitfield(message)
  }
}

function assertInside(start: number, length: number): void {
  if (start + length > MAX_BLOCKS) throw new Error('The peer tells of blocks that no core has.')
}

/** The pages that a connection claims: the first of each core is one of the channels that are counted already. */
class Claims {
  #pages = 0
  readonly #peers = new Map<UpstreamPeer, number>()

  add(peer: UpstreamPeer, pages: number): void {
    const known = this.#peers.get(peer)
    this.#peers.set(peer, (known ?? 0) + pages)
    this.#pages += known === undefined ? pages - 1 : pages
    if (this.#pages > MAX_PAGES) this.#forgetClosed()
    if (this.#pages > MAX_PAGES) throw new Error('The peer tells of blocks in too many places.')
  }

  #forgetClosed(): void {
    for (const [peer, pages] of this.#peers) {
      if (!peer.channel.closed) continue
      this.#peers.delete(peer)
      this.#pages -= pages - 1
    }
  }
}

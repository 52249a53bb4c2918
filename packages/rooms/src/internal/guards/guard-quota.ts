import { mapKey } from '../map-key.js'
import type { UpstreamWriter } from './autobase-internals.js'
import { createMeter, type Meter, type MeterInit } from './meter.js'
import { MAX_BLOCK_BYTES } from './judge-block.js'

/**
 * What a device reads of a writer. The burst is some years of a person's talk, or a member's week
 * offline; the rest is eight times what a busy bot writes: ten messages a second of 200 bytes.
 */
const WRITER_QUOTA: MeterInit = {
  blocks: { burst: 32_768, perSecond: 32 },
  bytes: { burst: 64 * 1_048_576, perSecond: 16_384 }
}

/** As autobase itself: lib/writer.js, MAX_PREFETCH. Less where less is left, because nobody knows how large they are. */
const MAX_WINDOW_BLOCKS = 256

/**
 * How much of a writer may be under way whose size is not known: a block may have 16 MB, which shows when
 * it is there. It is so beyond the length that the writer has signed, and where more than this is unread;
 * so much take 65,000 messages. With a round trip of 100 ms it is still more than the allowance of a second.
 */
const UNKNOWN_BLOCKS = 4
const MUCH_UNREAD_BYTES = 16 * 1_048_576

/** The longest time until a writer that waits is looked at again: allowances differ, timers are cheap. */
const MAX_WAIT_MS = 60_000

/** How many writers are remembered; those that have used nothing are forgotten first. */
const MAX_ACCOUNTS = 4_096

/** A writer that has used up what this device reads of it for now. */
export interface Flood {
  readonly key: Uint8Array
}

/** What this device has downloaded of each writer, and how much more it may. */
export interface Quotas {
  /** Bounds what is downloaded of a writer. */
  guard(writer: UpstreamWriter): void
  close(): void
}

interface Account {
  readonly meter: Meter
  /** All hear of each block of the core, and the first of them counts it: of the room's first core autobase has two. */
  readonly writers: Set<UpstreamWriter>
  /** Who pays up to where, because they have built on the writer. */
  readonly vouched: Map<Meter, number>
  /** Up to where each indexer has built on it. */
  readonly indexed: Map<UpstreamWriter, number>
  isTold: boolean
  timer: ReturnType<typeof setTimeout> | undefined
}

const NOTHING = { length: 0, bytes: 0 }

/** Whether so much is under way still that no more has to be asked for yet: each time costs as much as a block. */
function isEnough(asked: number | undefined, start: number, end: number): boolean {
  return asked !== undefined && asked <= end && asked - start >= (end - start) / 2
}

function openWriters({ writers }: Account): UpstreamWriter[] {
  return [...writers].filter(({ core }) => !core.closing)
}

/** Has the download looked at again. */
function wake(account: Account): void {
  for (const writer of openWriters(account)) writer.updateActivity()
}

/** Whom nothing is counted of: what a majority of the indexers has read is in the view that they sign, and is downloaded in any case. */
const UNCOUNTED: Meter = {
  left: () => ({ blocks: Infinity, bytes: Infinity }),
  isUsedUp: () => false,
  isHalfFull: () => true,
  isFull: () => true,
  take: () => undefined,
  waitMs: () => 0
}

/**
 * Downloads of a writer no more than its allowance: a delay, and never a drop. What is not downloaded
 * now is downloaded later, so that all peers still come to the same room.
 *
 * The attack, in autobase 7.28.1: whatever a writer appends is downloaded, read and kept by everyone,
 * as fast as they can (lib/writer.js:61). Blocks of 16 MB, 256 at a time, are on disk before any of
 * them is looked at.
 *
 * A block that others build on is another matter: without it nothing of theirs can be read. Who builds
 * on it vouches for it: where the writer's own allowance is used up, theirs is drawn on, so that two who
 * work together get no more than both may have. A majority of the indexers vouches without end: what it has
 * read is in the view that it signs. One of three is one among others, and may be the flood's own.
 *
 * @param onflood once each time that an allowance is used up, until it has filled again by half.
 * @param quorum how many indexers are a majority of them.
 */
export function createQuotas(onflood: (flood: Flood) => void, quorum: () => number, quota: MeterInit = WRITER_QUOTA): Quotas {
  const accounts = new Map<string, Account>()
  let isClosed = false

  function accountOf(key: Uint8Array): Account {
    const name = mapKey(key)
    const known = accounts.get(name)
    if (known !== undefined) return known
    if (accounts.size >= MAX_ACCOUNTS) forgetUnused()
    const account: Account = {
      meter: createMeter(quota),
      writers: new Set(),
      vouched: new Map(),
      indexed: new Map(),
      isTold: false,
      timer: undefined
    }
    accounts.set(name, account)
    return account
  }

  function forgetUnused(): void {
    for (const [name, { meter, timer }] of accounts) if (timer === undefined && meter.isFull()) accounts.delete(name)
  }

  /** Whose allowance a block is taken from, and up to where, if anybody's has some left. */
  function payer({ meter, vouched }: Account, index: number): { meter: Meter; end: number } | undefined {
    if (!meter.isUsedUp()) return { meter, end: Infinity }
    for (const [voucher, end] of vouched) {
      if (index < end && !voucher.isUsedUp()) return { meter: voucher, end }
    }
    return undefined
  }

  function wakeLater(account: Account): void {
    if (account.timer !== undefined || isClosed) return
    account.timer = setTimeout(
      () => {
        account.timer = undefined
        wake(account)
      },
      Math.min(MAX_WAIT_MS, account.meter.waitMs())
    )
  }

  function tell(account: Account, key: Uint8Array): void {
    if (account.isTold) {
      account.isTold = !account.meter.isHalfFull()
    } else if (account.meter.isUsedUp()) {
      account.isTold = true
      onflood({ key })
    }
  }

  function guard(writer: UpstreamWriter): void {
    const { core } = writer
    let isOversized = false
    let known: Account | undefined
    /** How large the core was at a length that is read, and at one that is yet to be. */
    let [passed, ahead] = [NOTHING, NOTHING]

    /** At most so many bytes are signed that are not read. */
    function unread(start: number): number {
      if (start >= ahead.length) [passed, ahead] = [ahead, { length: core.length, bytes: core.byteLength }]
      return core.byteLength - passed.bytes
    }

    /** Of the key, which is known when the core has been opened. */
    function own(): Account {
      const account = accountOf(core.key)
      if (!core.closing) account.writers.add(writer)
      known = account
      return account
    }

    function wait(account: Account): void {
      writer._pause()
      if (!isOversized) wakeLater(account)
    }

    writer._resume = () => {
      const account = own()
      const start = writer.nodes.length
      for (const [voucher, end] of account.vouched) if (start >= end) account.vouched.delete(voucher)
      const paying = isOversized ? undefined : payer(account, start)
      if (paying === undefined) return wait(account)
      const { blocks, bytes } = paying.meter.left()
      const share = Math.min(1, bytes / quota.bytes.burst)
      const most = unread(start) > MUCH_UNREAD_BYTES ? UNKNOWN_BLOCKS : MAX_WINDOW_BLOCKS
      const window = Math.max(1, Math.min(blocks, most, Math.floor(MAX_WINDOW_BLOCKS * share)))
      const end = Math.min(start + window, Math.max(start, core.length) + UNKNOWN_BLOCKS, paying.end)
      if (isEnough(writer.range?.range.end, start, end)) return
      writer._pause()
      writer.range = core.download({ start, end, linear: true }) as typeof writer.range
    }

    core.on('download', (index, size) => {
      const account = own()
      if (writer === openWriters(account)[0]) (payer(account, index)?.meter ?? account.meter).take(size)
      // It will be refused when it is read; until then no more of its kind.
      if (size > MAX_BLOCK_BYTES) isOversized = true
      tell(account, core.key)
      // Who pays for the rest, if anybody, and up to where, may be another now.
      if (isOversized || account.meter.isUsedUp()) writer.updateActivity()
    })

    core.on('close', () => void known?.writers.delete(writer))

    const link = writer._ensureNodeDependencies.bind(writer)
    writer._ensureNodeDependencies = async (boot) => {
      if (await link(boot)) return true
      const node = writer.node
      // Upstream goes through the heads in their order, and stops at the first that is not there.
      const missing = node?.heads[node.dependencies.size]
      if (missing === undefined) return false
      const signed = writer.isActiveIndexer ? indexedTo(missing.key, missing.length, writer) : 0
      if (signed > 0) vouch(missing.key, signed, UNCOUNTED)
      if (signed < missing.length) vouch(missing.key, missing.length, own().meter)
      return false
    }
  }

  /** Up to where a majority of the indexers has built on a writer, now that one has up to `length`. */
  function indexedTo(key: Uint8Array, length: number, indexer: UpstreamWriter): number {
    const { indexed } = accountOf(key)
    indexed.set(indexer, Math.max(length, indexed.get(indexer) ?? 0))
    for (const [each] of indexed) if (!each.isActiveIndexer) indexed.delete(each)
    return [...indexed.values()].toSorted((a, b) => b - a)[quorum() - 1] ?? 0
  }

  function vouch(key: Uint8Array, length: number, meter: Meter): void {
    const account = accountOf(key)
    if (length <= (account.vouched.get(meter) ?? 0)) return
    account.vouched.set(meter, length)
    wake(account)
  }

  return {
    guard,
    close() {
      isClosed = true
      for (const { timer } of accounts.values()) clearTimeout(timer)
    }
  }
}

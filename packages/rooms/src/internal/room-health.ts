import type Autobase from 'autobase'
import { encodeZ32, equalBytes } from '@covey/core'
import type { BehindHealth, FrozenHealth, IndexerHealth, MirrorHealth, RoomHealth } from '../health.js'
import type { Attendance } from './attendance.js'
import type { UpstreamAutobase, UpstreamWriter } from './guards/autobase-internals.js'
import type { FrozenWriter } from './guards/guard-writer.js'
import { describeHealth, stateOf, type HealthFindings } from './describe-health.js'
import { mapKey } from './map-key.js'
import type { Timeline } from './timeline.js'
import type { Roster } from './roster.js'
import type { DeviceRow, RoomView } from './view.js'

/** How long to let things come about before a change is told of. */
const LOOK_MS = 1_000

/** What tells of the mirrors, given how many blocks of this device there are. */
export type MirrorSource = (blocks: number) => readonly MirrorHealth[]

export interface HealthParts {
  readonly base: Autobase<RoomView>
  readonly roster: Pick<Roster, 'devices'>
  /** Resolves when nobody waits for what the room is read for first. */
  readonly calm: () => Promise<void>
  readonly timeline: Timeline
  readonly onpeople: (listener: () => void) => () => void
  readonly attendance: Attendance
  readonly emit: (health: RoomHealth) => void
  readonly onerror: (error: unknown) => void
}

/** Sees how a room is, and tells when it is otherwise. */
export interface HealthWatch {
  /** To be called once, when the room is open. */
  start(parts: HealthParts): void
  now(): Promise<RoomHealth>
  frozen(writer: FrozenWriter): void
  split(): void
  /** Takes what tells of the mirrors; to be called again, what is returned, when they have changed. */
  tellMirrors(source: MirrorSource): () => void
  close(): void
}

export function createHealthWatch(): HealthWatch {
  const frozen = new Map<string, FrozenWriter>()
  let isSplit = false
  let mirrors: MirrorSource = () => []
  let parts: HealthParts | undefined
  /** What was told last, but for what changes with each message. */
  let told: string | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let stop = (): void => undefined
  let isClosed = false

  /** Many changes make one look; what goes on without end is looked at once a second. */
  function changed(): void {
    if (parts === undefined || isClosed) return
    const { emit, onerror, calm } = parts
    timer ??= setTimeout(() => {
      calm()
        .then(() => {
          timer = undefined
          return isClosed ? undefined : look(emit)
        })
        .catch(onerror)
    }, LOOK_MS)
  }

  async function look(emit: HealthParts['emit']): Promise<void> {
    const health = await now()
    const what = JSON.stringify(lasting(health))
    if (told === what || isClosed) return
    told = what
    emit(health)
  }

  async function now(): Promise<RoomHealth> {
    const { base, roster, timeline } = parts!
    const known = await roster.devices()
    const writers = [...(base as unknown as UpstreamAutobase<RoomView>).activeWriters]
    const indexers = describeIndexers(base, known)
    const quorum = Math.floor(indexers.length / 2) + 1
    const [messages, signed] = await Promise.all([timeline.count(), timeline.settled()])
    // Of what was read a moment apart, the one may be ahead of the other.
    const signedMessages = Math.min(signed, messages)
    const findings: HealthFindings = {
      indexers,
      quorum,
      spareIndexers: indexers.filter((indexer) => indexer.isOnline).length - quorum,
      signedMessages,
      unsignedMessages: messages - signedMessages,
      behind: describeBehind(base.local.key, writers, known),
      frozen: [...frozen.values()].flatMap((writer) => describeFrozen(writer, known)),
      equivocations: [...known.values()].filter(({ forked }) => forked).map(nameOf),
      isSplit,
      mirrors: mirrors(base.local.length)
    }
    return { state: stateOf(findings), sentence: describeHealth(findings), ...findings }
  }

  function describeIndexers(base: Autobase<RoomView>, known: ReadonlyMap<string, DeviceRow>): IndexerHealth[] {
    const own = base.local.key
    return indexersOf(base).map((writer) => {
      const row = known.get(mapKey(writer))
      const name = row === undefined ? { memberId: undefined, device: undefined } : nameOf(row)
      return { ...name, isOnline: equalBytes(writer, own) || (name.device !== undefined && parts!.attendance.isHere(name.device)) }
    })
  }

  function describeBehind(own: Uint8Array, writers: readonly UpstreamWriter[], known: ReadonlyMap<string, DeviceRow>): BehindHealth[] {
    return writers.flatMap((writer) => {
      const row = known.get(mapKey(writer.core.key))
      if (row === undefined || row.removed || row.silent || writer.frozen || equalBytes(writer.core.key, own)) return []
      const blocks = Math.max(0, writer.core.length - writer.length)
      const isAwaited = writers.some((other) => waitsFor(other, writer))
      if (blocks === 0 && !isAwaited) return []
      const name = nameOf(row)
      return [{ ...name, isOnline: parts!.attendance.isHere(name.device), blocks, isAwaited }]
    })
  }

  return {
    start(room) {
      parts = room
      const { base, onpeople, attendance } = room
      stop = attendance.onchange(changed)
      onpeople(changed)
      base.on('update', changed)
      base.on('reboot', changed)
      base.on('fast-forward', () => {
        isSplit = false
        changed()
      })
      changed()
    },
    now,
    frozen(writer) {
      frozen.set(mapKey(writer.key), writer)
      changed()
    },
    split() {
      isSplit = true
      changed()
    },
    tellMirrors(source) {
      mirrors = source
      changed()
      return changed
    },
    close() {
      isClosed = true
      stop()
      clearTimeout(timer)
    }
  }
}

/** The keys of those who sign the view as it is settled here, in no order that means anything. */
function indexersOf(base: Autobase<RoomView>): Uint8Array[] {
  const { linearizer } = base as unknown as UpstreamAutobase<RoomView>
  return linearizer.indexers.map(({ core }) => core.key)
}

/** Whether the next block of a writer builds on one of `other` that has not been read. */
function waitsFor(writer: UpstreamWriter, other: UpstreamWriter): boolean {
  if (writer === other || writer.frozen || writer.node === null) return false
  return writer.node.actualHeads.some(({ key, length }) => length > other.length && equalBytes(key, other.core.key))
}

function describeFrozen({ key, reason }: FrozenWriter, known: ReadonlyMap<string, DeviceRow>): FrozenHealth[] {
  const row = known.get(mapKey(key))
  // Who was removed is of no concern any more.
  return row === undefined || row.removed ? [] : [{ ...nameOf(row), reason }]
}

function nameOf({ identity, device }: DeviceRow): { memberId: string; device: string } {
  return { memberId: encodeZ32(identity), device: encodeZ32(device) }
}

/** What of it does not change with every message. */
function lasting({ indexers, behind, frozen, equivocations, isSplit, mirrors }: RoomHealth): unknown[] {
  // In no order of their own.
  const late = behind.map(({ device, isAwaited }) => `${device} ${isAwaited}`).toSorted((a, b) => (a < b ? -1 : 1))
  const held = mirrors.map(({ id, isConnected, missingBlocks }) => [id, isConnected, missingBlocks === 0])
  return [indexers, late, frozen, equivocations, isSplit, held]
}

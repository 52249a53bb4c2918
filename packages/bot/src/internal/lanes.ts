import type { Message } from 'covey'
import { MAX_WAITING_PER_PERSON } from '../constants.js'
import type { BotLimits } from '../limits.js'
import { createBucket, type Bucket } from './bucket.js'

/** The messages of one person that wait, and what the person is allowed. */
export interface Lane {
  readonly incoming: Bucket
  readonly outgoing: Bucket
  readonly waiting: Message[]
  isBusy: boolean
  isOver: boolean
}

/**
 * The messages of a room that wait to be handled: of each person one at a time, of several side by side, and none
 * faster than the limits allow.
 */
export interface Lanes {
  /** @returns whether there was a place for it. */
  push(message: Message): boolean
  /** Resolves when there is a place for another person's message. */
  hasRoom(): Promise<void>
  /** Begins nothing more, and resolves when what is being handled has ended. */
  stop(): Promise<void>
}

export interface LanesInit {
  readonly limits: Required<BotLimits>
  /** Handles a message. Never rejects. */
  readonly run: (message: Message, lane: Lane) => Promise<void>
  /** A person has more waiting than there is a place for; once until they pause. */
  readonly onover: (personId: string) => void
}

/** How many messages are handled side by side in one room. */
const MAX_CONCURRENT = 8
/** How many wait in one room before no more of it is read. */
const MAX_WAITING = 1_024
/** How many people are remembered before those are forgotten who have nothing waiting, and all of their allowance. */
const PRUNE_LANES = 256

export function createLanes({ limits, run, onover }: LanesInit): Lanes {
  const lanes = new Map<string, Lane>()
  const room = createBucket(limits.roomIn)
  const running = new Set<Promise<void>>()
  let waiting = 0
  let isStopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Of all who wait for a place: the reader of the room, and what tries again what it could not read. */
  const wakes = new Set<() => void>()

  function wake(): void {
    for (const each of wakes) each()
    wakes.clear()
  }

  function laneOf(person: string): Lane {
    const known = lanes.get(person)
    if (known !== undefined) return known
    if (lanes.size >= PRUNE_LANES) prune()
    const [incoming, outgoing] = [createBucket(limits.personIn), createBucket(limits.personOut)]
    const lane: Lane = { incoming, outgoing, waiting: [], isBusy: false, isOver: false }
    lanes.set(person, lane)
    return lane
  }

  function prune(): void {
    for (const [person, { waiting, isBusy, incoming, outgoing }] of lanes) {
      if (waiting.length === 0 && !isBusy && incoming.isFull() && outgoing.isFull()) lanes.delete(person)
    }
  }

  /** Begins what may begin now, and comes back when more may. */
  function pump(): void {
    clearTimeout(timer)
    while (!isStopped && running.size < MAX_CONCURRENT) {
      let soonestMs = Infinity
      const next = [...lanes].find(([, lane]) => {
        if (lane.isBusy || lane.waiting.length === 0) return false
        const waitMs = Math.max(lane.incoming.waitMs(), room.waitMs())
        soonestMs = Math.min(soonestMs, waitMs)
        return waitMs === 0
      })
      if (next === undefined) {
        if (soonestMs !== Infinity) timer = setTimeout(pump, soonestMs)
        return
      }
      begin(...next)
    }
  }

  function begin(person: string, lane: Lane): void {
    lane.incoming.take()
    room.take()
    lane.isBusy = true
    // To the end of the row: everyone has a turn.
    lanes.delete(person)
    lanes.set(person, lane)
    const message = lane.waiting.shift()!
    waiting--
    if (lane.waiting.length === 0) lane.isOver = false
    wake()
    const work = run(message, lane).finally(() => {
      lane.isBusy = false
      running.delete(work)
      pump()
    })
    running.add(work)
  }

  return {
    push(message) {
      const lane = laneOf(message.author)
      if (lane.waiting.length >= MAX_WAITING_PER_PERSON) {
        if (!lane.isOver) onover(message.author)
        lane.isOver = true
        return false
      }
      lane.waiting.push(message)
      waiting++
      pump()
      return true
    },
    async hasRoom() {
      while (waiting >= MAX_WAITING && !isStopped) await new Promise<void>((resolve) => void wakes.add(resolve))
    },
    async stop() {
      isStopped = true
      clearTimeout(timer)
      wake()
      await Promise.all(running)
    }
  }
}

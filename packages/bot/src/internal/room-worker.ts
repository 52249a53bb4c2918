import { isCoveyError } from '@covey/core'
import type { Message, Room } from 'covey'
import { BotError } from '../errors.js'
import type { BotLimits } from '../limits.js'
import { createLanes, type Lane } from './lanes.js'
import type { Progress } from './progress.js'
import { wait, waitToRetry } from './wait.js'

export interface RoomWorkerInit {
  readonly room: Room
  readonly progress: Progress
  readonly limits: Required<BotLimits>
  /** Handles a message and notes that it is handled. Never rejects. */
  readonly handle: (message: Message, lane: Lane) => Promise<void>
  readonly onlimited: (personId: string) => void
  readonly onerror: (error: BotError) => void
}

/** Reads a room, and hands each message of others to be handled, once. */
export interface RoomWorker {
  /** Reads no more, and resolves when what is being handled has ended. */
  stop(): Promise<void>
}

/** After so many messages the place up to which all are handled is moved. */
const ADVANCE_EVERY = 64
/** How many messages wait for their key; beyond, and when as many have followed, the oldest is passed over. */
const MAX_UNREADABLE = 256
const UNREADABLE_FOR_MESSAGES = 4_096
/** How often those that wait for their key are looked at again, at most. */
const UNREADABLE_RETRY_MS = 1_000
/** How often the message to go on from is looked for: a room that is just opened may still be putting itself in order. */
const CURSOR_TRIES = 6

export function startRoomWorker(init: RoomWorkerInit): RoomWorker {
  const { room, progress, handle, onlimited, onerror } = init
  const stop = new AbortController()
  /** What waits or is being handled. */
  const inHand = new Set<string>()
  /** What waits for its key, with the number of the message. */
  const unreadable = new Map<string, number>()
  let read = 0
  let finished = 0
  let advancing: Promise<void> | undefined
  let retrying: Promise<void> | undefined

  const lanes = createLanes({
    limits: init.limits,
    onover: onlimited,
    async run(message, lane) {
      await handle(message, lane)
      inHand.delete(message.id)
      if (++finished % ADVANCE_EVERY === 0) advance()
    }
  })

  function advance(): void {
    advancing ??= progress
      .advance()
      .catch(report)
      .finally(() => (advancing = undefined))
  }

  async function take(message: Message): Promise<void> {
    const { id, kind, isOwn } = message
    if (isOwn || inHand.has(id)) return
    inHand.add(id)
    let isWaiting = false
    try {
      if (await progress.isDone(id)) return
      if (kind === 'unreadable') {
        if (!unreadable.has(id)) unreadable.set(id, read)
        return
      }
      unreadable.delete(id)
      await lanes.hasRoom()
      if (stop.signal.aborted) return
      isWaiting = lanes.push(message)
      if (!isWaiting) await progress.finish(id)
    } finally {
      // What waits is in hand until it is handled; all else, also where the disk failed, may be read again.
      if (!isWaiting) inHand.delete(id)
    }
  }

  async function giveUpUnreadable(): Promise<void> {
    for (const [id, at] of unreadable) {
      if (unreadable.size <= MAX_UNREADABLE && read - at < UNREADABLE_FOR_MESSAGES) return
      await progress.finish(id)
      unreadable.delete(id)
    }
  }

  /** Keys come by themselves, and an update of the room is all that tells of them. */
  function retryUnreadable(): void {
    if (unreadable.size === 0 || stop.signal.aborted) return
    retrying ??= (async () => {
      await wait(UNREADABLE_RETRY_MS, stop.signal)
      for (const id of Array.from(unreadable.keys())) {
        const message = await room.message(id)
        if (message !== undefined) await take(message)
      }
    })()
      .catch(report)
      .finally(() => (retrying = undefined))
  }
  const stopUpdates = room.on('update', retryUnreadable)

  async function readOn(): Promise<void> {
    const since = progress.since()
    // What came ahead of the log may turn out to be no message of the room: nothing is done about it before.
    const options = { live: true, pending: false, signal: stop.signal }
    for await (const message of room.messages({ ...options, ...(since !== undefined && { since }) })) {
      read++
      failures = 0
      await take(message)
      if (unreadable.size > 0) await giveUpUnreadable()
    }
    stop.abort()
  }

  let failures = 0

  async function readForEver(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await readOn()
      } catch (error) {
        if (stop.signal.aborted || isCoveyError(error, 'ROOM_CLOSED')) return
        failures++
        if (isCoveyError(error, 'MESSAGE_NOT_FOUND')) await findCursor().catch(report)
        else report(error)
        await waitToRetry(failures, stop.signal)
      }
    }
  }

  async function findCursor(): Promise<void> {
    if (failures < CURSOR_TRIES) return
    await progress.startFromNow()
    onerror(
      new BotError('BOT_CURSOR_LOST', 'The message up to which a room was handled is not in it any more.', {
        roomId: room.id,
        hint: 'The room was brought to what its indexers signed. The bot goes on with what comes from now on.'
      })
    )
  }

  function report(cause: unknown): void {
    if (stop.signal.aborted) return
    const error = new BotError('BOT_ROOM_FAILED', 'A room could not be read for now.', { cause, retryable: true, roomId: room.id })
    onerror(cause instanceof BotError ? cause : error)
  }

  const reading = readForEver().catch(report)
  return {
    async stop() {
      stop.abort()
      stopUpdates()
      await lanes.stop()
      await Promise.all([reading, advancing, retrying])
    }
  }
}

import { createTurns, isCoveyError, onAbort, type CoveyError } from '@covey/core'
import type { Room } from 'covey'
import { CLOSE_GRACE_MS, type BotEvents, type BotScope } from '../bot.js'
import { capabilitiesOf } from '../capabilities.js'
import type { Context } from '../context.js'
import { BotError } from '../errors.js'
import type { BotLimits } from '../limits.js'
import { createMessageHandler } from './handle-message.js'
import { forgetProgress, openProgress } from './progress.js'
import { openReplies } from './replies.js'
import { startRoomWorker, type RoomWorker } from './room-worker.js'
import type { Sessions } from './sessions.js'
import type { State } from './state.js'
import { waitToRetry } from './wait.js'

export interface BotRoomsInit<Session> {
  /** The id of this device. */
  readonly device: string
  readonly state: State
  readonly sessions: Sessions<Session>
  readonly limits: Required<BotLimits>
  readonly timeoutMs: number
  readonly dispatch: (ctx: Context<Session>) => Promise<void>
  readonly emit: <Name extends keyof BotEvents>(event: Name, payload: BotEvents[Name]) => void
}

/** The rooms that a bot reads. */
export interface BotRooms {
  /**
   * Reads a room from where it was left, as soon as the bot is a member, and tries again where that fails. Resolves
   * when it is read, or has failed once. Idempotent, and never rejects.
   */
  open(room: Room): Promise<void>
  /** Notes where a room is read from when it is opened, unless that is noted already. */
  note(room: Room): Promise<void>
  /** Deletes all that is kept of a room which was left. Whoever comes into it again begins as at first. */
  forget(roomId: string): Promise<void>
  /** Deletes what is kept of rooms that the bot is in no more: they were left when it was not there. */
  forgetAllBut(rooms: readonly Room[]): Promise<void>
  /** Reads no more, and resolves when what is being handled has ended or was interrupted. */
  stop(): Promise<void>
}

/** A room that is read, or being opened. */
interface Reading {
  /** Resolves when it is read, has failed once, or is not going to be read. */
  readonly tried: Promise<void>
  /** Ends what is being handled, which is handled again when the room is read again. */
  interrupt(reason: BotError): void
  /** Reads no more, and resolves when what is being handled has ended. */
  stop(): Promise<void>
}

export function createBotRooms<Session>(init: BotRoomsInit<Session>): BotRooms {
  const { device, state, sessions, limits, emit } = init
  const readings = new Map<string, Reading>()
  /** By room: it is not read again before what was has ended, and is forgotten. */
  const turns = createTurns()
  let isStopping = false

  async function openWorker(room: Room, stopped: AbortSignal, closing: AbortSignal): Promise<RoomWorker | undefined> {
    // A room is opened before the bot is let in, and what was said before that is the past.
    if (!(await untilMember(room, stopped))) return undefined
    const progress = await openProgress(room, state)
    const replies = await openReplies(room, device, state, limits)
    const onerror = (error: BotError): void => emit('error', error)
    const handle = createMessageHandler({
      ...init,
      room,
      progress,
      replies,
      closing,
      onhandled: (handled) => emit('handled', handled),
      onerror
    })
    emit('room', await scopeOf(room))
    const onlimited = (personId: string): void => emit('limited', { roomId: room.id, personId })
    return startRoomWorker({ room, progress, limits, handle, onlimited, onerror })
  }

  function read(room: Room): Reading {
    const stopping = new AbortController()
    const interrupting = new AbortController()
    let hasTried = (): void => undefined
    const tried = new Promise<void>((resolve) => (hasTried = resolve))
    let told: unknown
    const tell = (cause: unknown): void => {
      // A room that does not open says so to whoever asks something of it, and to all who listen.
      if (cause !== told) emit('error', roomError(cause, room.id))
      told = cause
    }
    room.on('error', tell)

    async function open(): Promise<RoomWorker | undefined> {
      await turns.take(room.id, undefined, async () => undefined)
      for (let failures = 1; !stopping.signal.aborted; failures++) {
        try {
          return await openWorker(room, stopping.signal, interrupting.signal)
        } catch (cause) {
          if (isCoveyError(cause, 'ROOM_CLOSED')) return undefined
          tell(cause)
          hasTried()
          await waitToRetry(failures, stopping.signal)
        }
      }
      return undefined
    }

    const opening = open().finally(hasTried)
    return {
      tried,
      interrupt: (reason) => interrupting.abort(reason),
      async stop() {
        stopping.abort()
        await (await opening)?.stop()
      }
    }
  }

  async function forget(roomId: string): Promise<void> {
    await turns.take(roomId, undefined, async () => state.write([...(await forgetProgress(roomId, state)), ...sessions.forget(roomId)]))
  }

  return {
    async open(room) {
      if (!readings.has(room.id) && !isStopping) {
        const reading = read(room)
        readings.set(room.id, reading)
        room.on('close', () => {
          if (readings.get(room.id) === reading) readings.delete(room.id)
          reading.interrupt(roomClosedError())
          return turns.take(room.id, undefined, reading.stop)
        })
      }
      await readings.get(room.id)?.tried
    },
    async note(room) {
      await turns.take(room.id, undefined, () => openProgress(room, state))
    },
    forget,
    async forgetAllBut(rooms) {
      const kept = new Set(rooms.map(({ id }) => id))
      for await (const [key] of state.entries('cursor/')) {
        const roomId = key.slice('cursor/'.length)
        if (!kept.has(roomId)) await forget(roomId)
      }
    },
    async stop() {
      isStopping = true
      const all = [...readings.values()]
      const interrupt = (): void => all.forEach((reading) => reading.interrupt(closedError()))
      const stopped = Promise.all(all.map((reading) => reading.stop()))
      const timer = setTimeout(interrupt, CLOSE_GRACE_MS)
      await stopped.finally(() => clearTimeout(timer))
      interrupt()
      await turns.end()
    }
  }
}

export async function scopeOf(room: Room): Promise<BotScope> {
  const { name, role } = await room.info()
  return { roomId: room.id, roomName: name, role, capabilities: capabilitiesOf(role) }
}

export function roomError(cause: unknown, roomId?: string): BotError {
  const about = { cause, retryable: (cause as CoveyError | undefined)?.retryable === true, ...(roomId !== undefined && { roomId }) }
  return new BotError('BOT_ROOM_FAILED', 'Something is wrong with a room; the cause says what.', about)
}

export function closedError(): BotError {
  return new BotError('BOT_CLOSED', 'The bot was closed.', { hint: 'Make it anew with createBot.' })
}

function roomClosedError(): BotError {
  return new BotError('BOT_CALL_OVER', 'The room of this message was closed.', { hint: 'It is handled again when the room is there again.' })
}

/** Resolves when the bot is in the room, or with `false` when the room closes or `signal` is aborted. */
async function untilMember(room: Room, signal: AbortSignal): Promise<boolean> {
  let isOver = false
  let wake = (): void => undefined
  const end = (): void => {
    isOver = true
    wake()
  }
  const stops = [room.on('update', () => wake()), room.on('close', end), onAbort(signal, end)]
  try {
    for (;;) {
      if (isOver) return false
      const woken = new Promise<void>((resolve) => (wake = resolve))
      if ((await room.info()).role !== undefined) return true
      if (!isOver) await woken
    }
  } finally {
    for (const stop of stops) stop()
  }
}

import { isCoveyError, onAbort, type CoveyError } from '@covey/core'
import type { Room } from 'covey'
import { CLOSE_GRACE_MS, type BotEvents, type BotScope } from '../bot.js'
import { capabilitiesOf } from '../capabilities.js'
import type { Context } from '../context.js'
import { BotError } from '../errors.js'
import type { BotLimits } from '../limits.js'
import { createMessageHandler } from './handle-message.js'
import { openProgress } from './progress.js'
import { openReplies } from './replies.js'
import { startRoomWorker, type RoomWorker } from './room-worker.js'
import type { Sessions } from './sessions.js'
import type { State } from './state.js'

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
  /** Reads a room from where it was left, as soon as the bot is a member. Idempotent, and never rejects. */
  open(room: Room): Promise<void>
  /** Reads no more, and resolves when what is being handled has ended or was interrupted. */
  stop(): Promise<void>
}

export function createBotRooms<Session>(init: BotRoomsInit<Session>): BotRooms {
  const { device, state, limits, emit } = init
  /** Those that are read, or being opened, by id. */
  const workers = new Map<string, Promise<RoomWorker | undefined>>()
  const stopping = new AbortController()
  const interrupting = new AbortController()

  async function read(room: Room): Promise<RoomWorker | undefined> {
    // A room is opened before the bot is let in, and what was said before that is the past.
    if (!(await untilMember(room, stopping.signal))) return undefined
    const progress = await openProgress(room, state)
    const replies = await openReplies(room, device, state, limits)
    const onerror = (error: BotError): void => emit('error', error)
    const handle = createMessageHandler({
      ...init,
      room,
      progress,
      replies,
      closing: interrupting.signal,
      onhandled: (handled) => emit('handled', handled),
      onerror
    })
    room.on('error', (cause) => emit('error', roomError(cause, room.id)))
    emit('room', await scopeOf(room))
    const onlimited = (personId: string): void => emit('limited', { roomId: room.id, personId })
    return startRoomWorker({ room, progress, limits, handle, onlimited, onerror })
  }

  return {
    async open(room) {
      if (workers.has(room.id) || stopping.signal.aborted) return void (await workers.get(room.id))
      const opening = read(room).catch((cause: unknown) => {
        if (!isCoveyError(cause, 'ROOM_CLOSED')) emit('error', roomError(cause, room.id))
        return undefined
      })
      workers.set(room.id, opening)
      room.on('close', () => workers.delete(room.id))
      await opening
    },
    async stop() {
      stopping.abort()
      const stopped = Promise.all([...workers.values()].map(async (opening) => (await opening)?.stop()))
      const timer = setTimeout(() => interrupting.abort(closedError()), CLOSE_GRACE_MS)
      await stopped.finally(() => clearTimeout(timer))
      interrupting.abort(closedError())
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

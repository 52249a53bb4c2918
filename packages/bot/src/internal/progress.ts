import { isCoveyError } from '@covey/core'
import type { Message, Room } from 'covey'
import type { Change, State } from './state.js'

/** A message whose handling has begun. */
export interface Begun {
  /** How often, this time included. */
  readonly attempt: number
  /** The ids of the replies that were sent, by their place among the replies; `null` where one failed. */
  readonly sent: readonly (string | null)[]
}

/**
 * How far a bot has come in a room, on its disk. The order of messages may change where it is not settled, so
 * that a place in it says nothing; what is handled is kept by id, from the settled place up to which all is.
 */
export interface Progress {
  /** The message after which to read on. */
  since(): string | undefined
  isDone(id: string): Promise<boolean>
  /** Notes that a message is being handled. */
  begin(id: string): Promise<Begun>
  /** Takes back that it was begun: nobody is to blame for what has been interrupted. */
  interrupt(id: string, begun: Begun): Promise<void>
  /** Notes that a message is handled, together with `changes`. */
  finish(id: string, changes?: readonly Change[]): Promise<void>
  /** Moves the place up to which all is handled. */
  advance(): Promise<void>
  /** Takes all that is in the room now as handled. */
  startFromNow(): Promise<void>
}

/** How many messages one advance goes through at most. */
const ADVANCE_MESSAGES = 1_024

export async function openProgress(room: Room, state: State): Promise<Progress> {
  const cursorKey = `cursor/${room.id}`
  const doneKey = (id: string): string => `done/${room.id}/${id}`
  let since: string | undefined

  const isDone = async (id: string): Promise<boolean> => (await state.get(doneKey(id))) !== undefined

  async function startFromNow(): Promise<void> {
    const settled = await room.settled()
    const changes: Change[] = [[cursorKey, { since: settled ?? null }]]
    for await (const { id } of room.messages(after(settled))) changes.push([doneKey(id), 1])
    await state.write(changes)
    since = settled
  }

  async function advance(): Promise<void> {
    const settled = await room.settled()
    if (settled === undefined) return
    const changes: Change[] = []
    let reached = since
    // Where the settled one comes first, there is nothing between the two.
    for await (const message of room.messages({ ...after(since), before: settled })) {
      if (changes.length >= ADVANCE_MESSAGES || !(message.isOwn || (await isDone(message.id)))) break
      changes.push([doneKey(message.id), undefined])
      reached = message.id
    }
    if (reached === since) return
    await state.write([...changes, [cursorKey, { since: reached }]])
    since = reached
  }

  const cursor = (await state.get(cursorKey)) as { since: string | null } | undefined
  if (cursor === undefined) await startFromNow()
  else since = cursor.since ?? undefined

  return {
    since: () => since,
    isDone,
    async begin(id) {
      const before = (await state.get(begunKey(room.id, id))) as Begun | undefined
      const begun = { attempt: (before?.attempt ?? 0) + 1, sent: before?.sent ?? [] }
      await state.write([[begunKey(room.id, id), begun]])
      return begun
    },
    interrupt: (id, { attempt, sent }) => state.write([[begunKey(room.id, id), { attempt: attempt - 1, sent }]]),
    finish: (id, changes = []) => state.write([...changes, [doneKey(id), 1], [begunKey(room.id, id), undefined]]),
    advance,
    startFromNow
  }
}

/** What deletes all that is kept of a room, but for the sessions. */
export async function forgetProgress(roomId: string, state: State): Promise<Change[]> {
  const changes: Change[] = ['cursor', 'pending', 'sent'].map((name) => [`${name}/${roomId}`, undefined])
  for (const name of ['done', 'begun']) {
    for await (const [key] of state.entries(`${name}/${roomId}/`)) changes.push([key, undefined])
  }
  return changes
}

export function begunKey(roomId: string, id: string): string {
  return `begun/${roomId}/${id}`
}

function after(since: string | undefined): { since?: string } {
  return since === undefined ? {} : { since }
}

/** The messages after one, or none where that one is not in the room any more. */
export async function* messagesSince(room: Room, since: string): AsyncGenerator<Message, void, undefined> {
  try {
    yield* room.messages({ since })
  } catch (error) {
    if (!isCoveyError(error, 'MESSAGE_NOT_FOUND')) throw error
  }
}

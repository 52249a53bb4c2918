import { encodeUtf8 } from '@covey/core'
import { MAX_SESSION_BYTES, MAX_SESSIONS } from '../constants.js'
import { BotError } from '../errors.js'
import type { Change, State } from './state.js'

/** What a bot remembers of people, room by room: so many, of so many bytes. */
export interface Sessions<Session> {
  load(roomId: string, personId: string): Promise<LoadedSession<Session>>
  /** What deletes those of a room. */
  forget(roomId: string): Change[]
}

export interface LoadedSession<Session> {
  readonly value: Session
  /**
   * What has to be written for the session to be kept as it is now, and for the one that was not changed for
   * longest to go: nothing, where it has not changed.
   *
   * @throws {BotError} BOT_SESSION_TOO_LARGE
   */
  save(now: Session): Change[]
}

export async function openSessions<Session>(state: State, initial: () => Session): Promise<Sessions<Session>> {
  /** When each session was changed last, as a running number; the oldest first. */
  const used = new Map<string, number>()
  let clock = 0
  for await (const [key, name] of state.entries('used/')) {
    clock = Number(key.slice('used/'.length))
    if (typeof name === 'string') used.set(name, clock)
  }

  return {
    async load(roomId, personId) {
      const name = `${roomId}/${personId}`
      const value = ((await state.get(`session/${name}`)) as Session | undefined) ?? initial()
      const before = toJson(value)
      return {
        value,
        save(now) {
          const json = toJson(now)
          if (json === undefined || encodeUtf8(json).length > MAX_SESSION_BYTES) throw tooLarge()
          return json === before ? [] : keep(name, now)
        }
      }
    },
    forget(roomId) {
      const changes: Change[] = []
      for (const [name, at] of used) if (name.startsWith(`${roomId}/`)) drop(name, at, changes)
      return changes
    }
  }

  function keep(name: string, session: Session): Change[] {
    const changes: Change[] = [[`session/${name}`, session]]
    touch(name, changes)
    for (const [oldest, at] of used) {
      if (used.size <= MAX_SESSIONS) break
      drop(oldest, at, changes)
    }
    return changes
  }

  function drop(name: string, at: number, changes: Change[]): void {
    changes.push([`session/${name}`, undefined], [usedKey(at), undefined])
    used.delete(name)
  }

  function touch(name: string, changes: Change[]): void {
    const before = used.get(name)
    if (before !== undefined) changes.push([usedKey(before), undefined])
    used.delete(name)
    used.set(name, ++clock)
    changes.push([usedKey(clock), name])
  }
}

/** As long as a safe integer gets, so that keys are ordered as their numbers are. */
function usedKey(at: number): string {
  return `used/${String(at).padStart(16, '0')}`
}

function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined
  } catch {
    // Circular, or with what JSON does not have: told to the author by who asked.
    return undefined
  }
}

function tooLarge(): BotError {
  return new BotError('BOT_SESSION_TOO_LARGE', `A session is JSON of at most ${MAX_SESSION_BYTES} bytes.`, {
    hint: 'Keep less in it, or keep it elsewhere. What it was before is kept.'
  })
}

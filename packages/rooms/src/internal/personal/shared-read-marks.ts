import { decodeKey, encodeZ32, isCoveyError } from '@covey/core'
import type { OpenRoom } from '../open-room.js'
import type { Place } from '../shelf/place.js'
import type { PersonalState } from './personal-state.js'

const PREFIX = 'read/'
/** A mark that moves while somebody scrolls is told when it rests. */
const REST_MS = 1_000

/** Has the devices of a person know how far the person has read: of what they say of a room, the farthest counts. */
export interface SharedReadMarks {
  /** Tells the others of the marks of a room that was opened. */
  watch(opened: OpenRoom): void
  /** To be called when the others may have said something, or a room has more messages. */
  changed(): Promise<void>
  /** Tells what was to be told. */
  close(): Promise<void>
}

export interface SharedReadMarksInit {
  readonly state: PersonalState
  /** This device, by id. */
  readonly device: string
  /** The rooms, by id. Of one that is asleep, it is seen to when it is opened. */
  readonly places: ReadonlyMap<string, Place>
  readonly onerror: (error: unknown) => void
}

export function createSharedReadMarks({ state, device, places, onerror }: SharedReadMarksInit): SharedReadMarks {
  /** What is to be told of a room, and when. */
  const resting = new Map<string, { readonly timer: ReturnType<typeof setTimeout>; readonly message: Uint8Array }>()
  /** What of the others has been taken over, by whom and room. */
  const taken = new Map<string, string>()

  function others(): { name: string; room: string; message: string }[] {
    return state.entries(PREFIX).flatMap(([name, value]) => {
      const [room, from] = name.split('/')
      return room && from !== device && value.length === 32 ? [{ name, room, message: encodeZ32(value) }] : []
    })
  }

  function tell(room: string, message: Uint8Array): void {
    clearTimeout(resting.get(room)?.timer)
    const timer = setTimeout(() => void say(room).catch(report), REST_MS)
    resting.set(room, { timer, message })
  }

  async function say(room: string): Promise<void> {
    const { timer, message } = resting.get(room)!
    clearTimeout(timer)
    resting.delete(room)
    // What was taken over from another device is known to all.
    const id = encodeZ32(message)
    if (others().some((other) => other.room === room && other.message === id)) return
    await state.set(`${PREFIX}${room}/${device}`, message)
  }

  const report = (error: unknown): void => {
    if (!isCoveyError(error, 'ROOM_CLOSED')) onerror(error)
  }

  return {
    watch(opened) {
      opened.onread((message) => tell(opened.room.id, message))
    },
    async changed() {
      for (const { name, room, message } of others()) {
        const place = places.get(room)
        if (place?.opened === undefined || place.opened.base.closing || taken.get(name) === message) continue
        await place.use(async (opened) => {
          // It may come later, or never.
          if ((await opened.view.message(decodeKey(message))) === null) return
          await opened.room.markRead(message)
          taken.set(name, message)
        })
      }
    },
    async close() {
      for (const room of resting.keys()) await say(room).catch(report)
    }
  }
}

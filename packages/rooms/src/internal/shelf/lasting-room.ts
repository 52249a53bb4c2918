import { assertInteger, createEvents, type EventEmitter } from '@covey/core'
import type { Collection, CollectionOptions } from '../../collection.js'
import { RoomError } from '../../errors.js'
import type { Room, RoomEvents } from '../../room.js'
import type { RoomTimeline } from '../../timeline.js'
import { assertRangeOptions, assertWatchOptions } from '../collection.js'
import type { OpenRoom } from '../open-room.js'
import { assertCollection } from '../room-collections.js'
import { assertMessagesOptions } from '../room-messages.js'
import { assertTimelineOptions } from '../room-timeline.js'
import type { Place } from './place.js'

/** What is handed to the open room as it is. */
const CALLS = [
  'info', 'members', 'send', 'forward', 'edit', 'edits', 'delete', 'react', 'unreact', 'vote', 'closePoll', 'pin', 'unpin', 'pins',
  'search', 'markRead', 'unread', 'receipts', 'readBy', 'message', 'settled', 'createInvite', 'invites', 'revokeInvite', 'joinRequests', 'approve', 'decline',
  'presence', 'typing', 'pace', 'health', 'leave', 'setRole', 'mute', 'unmute', 'remove', 'unban', 'transferOwnership', 'rename', 'setRules',
  'setIndexers', 'setMirrors', 'report', 'reports', 'resolveReport', 'auditLog', 'exportBundle', 'bundleSummary'
] as const satisfies readonly (keyof Room)[]

type Call = (typeof CALLS)[number]

/** What is told of a room: whether an open room alone can tell it, as it comes with no news that would open it. */
const HEARD = { update: false, settle: false, presence: true, typing: true, flood: false, health: true, error: false } satisfies Record<Exclude<keyof RoomEvents, 'close'>, boolean>
const EVENTS = Object.keys(HEARD) as (keyof typeof HEARD)[]

/** A room as an app has it: the same, however often it is opened and closed beneath. */
export interface LastingRoom {
  readonly room: Room
  /** Tells from now on what is told of a room that was opened. */
  follow(opened: OpenRoom): void
  /** Tells why it did not open. */
  failed(error: RoomError): void
  /** Tells that it is closed for good. */
  closed(): Promise<void>
}

export function createLastingRoom(place: Place): LastingRoom {
  const events = createEvents<RoomEvents>()

  /** Keeps it open for as long as it is iterated. */
  async function* iterate<Item>(of: (room: Room) => AsyncIterable<Item>): AsyncGenerator<Item, void, undefined> {
    const { opened, release } = await place.hold()
    try {
      yield* of(opened.room)
    } finally {
      release()
    }
  }

  function iterable<Item>(of: (room: Room) => AsyncIterable<Item>): AsyncIterable<Item> {
    return { [Symbol.asyncIterator]: () => iterate(of) }
  }

  function timeline(options: Parameters<Room['timeline']>[0] = {}): RoomTimeline {
    assertTimelineOptions(options)
    let more = 0
    const shown = new Set<RoomTimeline>()
    async function* show(room: Room): ReturnType<typeof iterate<TimelineItem>> {
      const inner = room.timeline(options)
      if (more > 0) inner.showMore(more)
      shown.add(inner)
      try {
        yield* inner
      } finally {
        shown.delete(inner)
      }
    }
    return {
      showMore(count) {
        assertInteger(count, 'count', { min: 1 })
        more += count
        for (const inner of shown) inner.showMore(count)
      },
      ...iterable(show)
    }
  }

  function collection<Value>(name: string, options: CollectionOptions<Value>): Collection<Value> {
    assertCollection(name, options)
    const use = <Result>(work: (collection: Collection<Value>) => Promise<Result>): Promise<Result> =>
      place.use(({ room }) => work(room.collection(name, options)))
    return {
      name,
      rules: () => use((inner) => inner.rules()),
      setWrite: (...args) => use((inner) => inner.setWrite(...args)),
      get: (...args) => use((inner) => inner.get(...args)),
      put: (...args) => use((inner) => inner.put(...args)),
      del: (...args) => use((inner) => inner.del(...args)),
      range(range = {}) {
        assertRangeOptions(range)
        return iterable((room) => room.collection(name, options).range(range))
      },
      watch(watch = {}) {
        assertWatchOptions(watch)
        return iterable((room) => room.collection(name, options).watch(watch))
      }
    }
  }

  const { on, once } = keepOpenWhileHeard(events, place)
  const close = (): Promise<void> => place.close()
  const room: Room = {
    id: place.id,
    ...forwards(place),
    messages(options = {}) {
      assertMessagesOptions(options)
      return iterable((inner) => inner.messages(options))
    },
    timeline,
    collection,
    on,
    once,
    close,
    [Symbol.asyncDispose]: close
  }

  return {
    room,
    follow({ room: inner }) {
      for (const event of EVENTS) inner.on(event, (payload) => events.emit(event, payload as never))
    },
    failed(error) {
      if (error.code !== 'ROOM_CLOSED') void events.emit('error', error)
    },
    closed: () => events.emit('close', undefined)
  }
}

type TimelineItem = RoomTimeline extends AsyncIterable<infer Item> ? Item : never

function forwards(place: Place): Pick<Room, Call> {
  const calls = CALLS.map((name) => {
    const call = (...args: unknown[]): Promise<unknown> => place.use(({ room }) => (room[name] as (...args: unknown[]) => Promise<unknown>)(...args))
    return [name, call]
  })
  // By `CALLS`, each is there.
  return Object.fromEntries(calls) as Pick<Room, Call>
}

/** What an open room alone can tell keeps it open. All else wakes it. */
function keepOpenWhileHeard(events: EventEmitter<RoomEvents>, place: Place): Pick<Room, 'on' | 'once'> {
  const isHeardOpen = (event: keyof RoomEvents): boolean => event !== 'close' && HEARD[event]

  function keepOpen(): () => void {
    const holding = place.hold()
    holding.catch((cause: unknown) => {
      if (cause instanceof RoomError && cause.code === 'ROOM_CLOSED') return
      void events.emit('error', cause instanceof RoomError ? cause : new RoomError('ROOM_BROKEN', 'The room could not be opened.', { cause }))
    })
    return () => void holding.then(({ release }) => release(), () => undefined)
  }

  return {
    on(event, handler) {
      const stop = events.on(event, handler)
      if (!isHeardOpen(event)) return stop
      const release = keepOpen()
      return () => {
        release()
        stop()
      }
    },
    async once(event, options) {
      const heard = events.once(event, options)
      if (!isHeardOpen(event)) return heard
      const release = keepOpen()
      return heard.finally(release)
    }
  }
}

import { RoomError } from '../../errors.js'
import type { OpenRoom } from '../open-room.js'
import type { RoomNote } from '../records.js'

/** A room of the list: open, or asleep. */
export interface Place {
  readonly id: string
  readonly key: Uint8Array
  readonly discoveryKey: Uint8Array
  /** What is open, and stays so for now. */
  readonly opened: OpenRoom | undefined
  /** What is known of it while it is asleep; nothing, where it was open when a process was killed. */
  readonly note: RoomNote | undefined
  /** Whether somebody needs it to be open. */
  readonly isHeld: boolean
  /** When something was asked of it last, or it has changed. */
  readonly touchedAt: number
  /** Between 0 and 1, and another whenever it is opened: what devices do of themselves, they do not do at the same moment. */
  readonly spread: number
  /** Does some work on the open room, at once where it is open; it stays open for as long. @throws {RoomError} ROOM_CLOSED */
  use<Value>(work: (opened: OpenRoom) => Promise<Value>): Promise<Value>
  /** Opens it, and keeps it open until `release` is called. @throws {RoomError} ROOM_CLOSED */
  hold(): Promise<{ readonly opened: OpenRoom; readonly release: () => void }>
  /** Keeps it open, where it is; returns what lets it go. */
  pin(): () => void
  touch(): void
  /** Gives it what was opened already, as it was made or joined. */
  take(opened: OpenRoom): void
  /** Puts it to sleep, unless somebody needs it. */
  rest(): Promise<void>
  /** Takes it out of the list. Idempotent. */
  close(): Promise<void>
}

export interface PlaceInit {
  readonly id: string
  readonly key: Uint8Array
  readonly discoveryKey: Uint8Array
  /** Of a room that is asleep. */
  readonly note?: RoomNote | undefined
  readonly open: () => Promise<OpenRoom>
  /** Closes what is open. Gives what is known of it from then on. */
  readonly sleep: (opened: OpenRoom) => Promise<RoomNote | undefined>
  /** Called with each room that is opened, before anybody else has it. */
  readonly onopen: (opened: OpenRoom) => void
  /** Called when it is to be closed: from now on nobody has it. */
  readonly onrest: (opened: OpenRoom) => void
  /** Called when it has fallen asleep. */
  readonly onslept: () => void
  /** Called when somebody has let it go, or it has fallen asleep. */
  readonly onfree: () => void
  readonly onclose: () => Promise<void>
}

export function createPlace(init: PlaceInit): Place {
  const { id, key, discoveryKey } = init
  let { note } = init
  let opened: OpenRoom | undefined
  /** What all wait for who come before it is open, in their order; it stays for as long as the room is open. */
  let ready: Promise<OpenRoom> | undefined
  let resting: Promise<void> | undefined
  let closing: Promise<void> | undefined
  let holds = 0
  let waiting = 0
  let touchedAt = Date.now()
  let spread = Math.random()

  async function open(): Promise<OpenRoom> {
    await resting
    assertOpen()
    const room = await init.open()
    take(room)
    return room
  }

  function take(room: OpenRoom): void {
    opened = room
    note = undefined
    touchedAt = Date.now()
    spread = Math.random()
    room.room.on('close', async () => {
      if (opened !== room) return
      // Whoever closes it from within means it for good.
      opened = undefined
      init.onrest(room)
      await close()
    })
    init.onopen(room)
  }

  function whenOpen(): Promise<OpenRoom> {
    const asked = (ready ??= open())
    asked.catch(() => {
      if (ready === asked) ready = undefined
    })
    return asked
  }

  function assertOpen(): void {
    if (closing !== undefined) throw new RoomError('ROOM_CLOSED', 'The room is closed.', { hint: 'Open the peer again.' })
  }

  async function later<Value>(work: (room: OpenRoom) => Promise<Value>): Promise<Value> {
    waiting++
    const room = await whenOpen().finally(() => waiting--)
    assertOpen()
    return work(room)
  }

  function pin(): () => void {
    let isReleased = false
    holds++
    touchedAt = Date.now()
    return () => {
      if (isReleased) return
      isReleased = true
      touchedAt = Date.now()
      if (--holds === 0) init.onfree()
    }
  }

  async function use<Value>(work: (room: OpenRoom) => Promise<Value>): Promise<Value> {
    assertOpen()
    const release = pin()
    try {
      // Calls keep their order: who comes while others wait for it to open waits with them.
      return await (opened !== undefined && waiting === 0 ? work(opened) : later(work))
    } catch (error) {
      // What is closed beneath it fails in its own words.
      assertOpen()
      throw error
    } finally {
      release()
    }
  }

  const close = (): Promise<void> =>
    (closing ??= (async () => {
      // What of it failed, who opened it was told.
      await ready?.catch(() => undefined)
      await resting
      const room = opened
      opened = undefined
      if (room !== undefined) {
        init.onrest(room)
        await init.sleep(room)
      }
      await init.onclose()
    })())

  return {
    id,
    key,
    discoveryKey,
    get opened() {
      return opened
    },
    get note() {
      return note
    },
    get isHeld() {
      return holds > 0
    },
    get touchedAt() {
      return touchedAt
    },
    get spread() {
      return spread
    },
    use,
    async hold() {
      assertOpen()
      const release = pin()
      try {
        return { opened: await later(async (room) => room), release }
      } catch (error) {
        release()
        throw error
      }
    },
    pin,
    touch: () => void (touchedAt = Date.now()),
    take(room) {
      ready = Promise.resolve(room)
      take(room)
    },
    rest() {
      if (opened === undefined || holds > 0 || closing !== undefined) return resting ?? Promise.resolve()
      const room = opened
      opened = undefined
      ready = undefined
      init.onrest(room)
      resting = (async () => {
        note = await init.sleep(room)
      })().finally(() => {
        resting = undefined
        init.onslept()
        init.onfree()
      })
      return resting
    },
    close
  }
}

import { assertFunction, assertInteger, assertOptions, assertSignal, assertString, createEvents, decodeKey, equalBytes, onAbort, raceSignal, throwIfAborted } from '@covey/core'
import { DEFAULT_LINK_MS, MAX_LINK_MS } from './constants.js'
import type { CreateLinkOptions, Devices, DevicesEvents } from './devices.js'
import { RoomError } from './errors.js'
import { createLinkHost } from './internal/linking/host.js'
import type { OpenRoom } from './internal/open-room.js'
import { findPersonalRoom, foundPersonalRoom, startPersonalRoom, type PersonalRoom } from './internal/personal/personal-room.js'
import { coresIn, registerCores } from './internal/room-cores.js'
import { partsOfRooms } from './internal/rooms-parts.js'
import type { CallOptions, Room } from './room.js'
import type { Rooms } from './rooms.js'

/** What {@link createDevices} needs. */
export interface DevicesInit {
  readonly rooms: Rooms
  /** Called with the room that the devices share, when there is one: it is in no list. */
  readonly onroom?: (room: Room) => void
}

/** Opens what the devices of a person share. Close it before the rooms. */
export async function createDevices(init: DevicesInit): Promise<Devices> {
  assertOptions(init, 'init', ['rooms', 'onroom'])
  if (init.onroom !== undefined) assertFunction(init.onroom, 'init.onroom')
  const parts = partsOfRooms(init.rooms)
  const { node, stack } = parts
  const { identity } = stack
  const events = createEvents<DevicesEvents>()
  const waiting = new Set<() => void>()
  let founding: Promise<PersonalRoom> | undefined
  let closing: Promise<void> | undefined

  const onerror = (cause: unknown): void => {
    if (closing !== undefined) return
    const message = 'The devices of this person could not be kept alike.'
    void events.emit('error', cause instanceof RoomError ? cause : new RoomError('ROOM_BROKEN', message, { cause }))
  }
  const wakeAll = (): void => waiting.forEach((wake) => wake())
  const onchange = (): void => {
    wakeAll()
    void events.emit('change', undefined)
  }
  const onunlinked = (): void => {
    wakeAll()
    void events.emit('unlinked', undefined)
  }
  const host = createLinkHost({
    node,
    identity: identity.identity.publicKey,
    meetingPlace: stack.meetingPlace ?? null,
    grant,
    onrequest: (request) => void events.emit('request', request),
    onend: (id) => void events.emit('requestEnd', { id }),
    onerror
  })

  function begin(opened: OpenRoom): PersonalRoom {
    registerCores(opened.room, coresIn(opened))
    init.onroom?.(opened.room)
    return startPersonalRoom(opened, { parts, onchange, onunlinked, onerror })
  }

  const found = await findPersonalRoom(parts)
  let personal = found && begin(found)

  /** The room of the person's devices, which is made for the second of them. */
  async function demandPersonal(): Promise<PersonalRoom> {
    founding ??= foundPersonalRoom(parts).then(begin)
    founding.catch(() => (founding = undefined))
    personal = await founding
    return personal
  }

  async function grant(request: Uint8Array, device: string) {
    // First: a device that cannot certify has nothing to share.
    const certificate = identity.certifyDevice(request)
    const { opened, expect, settled } = personal ?? (await demandPersonal())
    await expect(device, request)
    // What is in the room then, the new device sees as soon as it is in.
    await settled()
    const { key, encryptionKey } = opened.base
    return { certificate, key: key!, encryptionKey: encryptionKey!, name: identity.identity.name }
  }

  function assertOpen(): void {
    if (closing === undefined) return
    throw new RoomError('ROOM_CLOSED', 'The devices of this peer are closed.', { hint: 'Open a new peer.' })
  }

  /** Does as it is told, for as long as the caller waits; what was handed over goes on. */
  async function call<Value>(options: CallOptions, work: () => Promise<Value>): Promise<Value> {
    assertSignal(options.signal, 'options.signal')
    throwIfAborted(options.signal)
    assertOpen()
    const working = work().catch((error: unknown) => {
      // What is closed beneath a call fails in its own words.
      assertOpen()
      throw error
    })
    return raceSignal(working, options.signal)
  }

  async function unlink(device: Uint8Array, id: string): Promise<void> {
    if (equalBytes(device, identity.device.publicKey)) throw new TypeError('deviceId must be of another device than this one')
    const known = (await personal?.devices()) ?? []
    if (known.some((each) => each.id === id)) return personal!.unlink(device)
    throw new RoomError('DEVICE_NOT_FOUND', 'There is no such device of this person.', { hint: 'list() gives those there are.' })
  }

  async function synced(signal: AbortSignal | undefined): Promise<void> {
    let wake = (): void => undefined
    const woken = (): void => wake()
    const stop = onAbort(signal, woken)
    waiting.add(woken)
    try {
      for (;;) {
        throwIfAborted(signal)
        assertOpen()
        const next = new Promise<void>((resolve) => (wake = resolve))
        if (personal?.isUnlinked()) throw unlinkedError()
        if (personal === undefined || (await personal.isSynced())) return
        await next
      }
    } finally {
      waiting.delete(woken)
      stop()
    }
  }

  const close = (): Promise<void> =>
    (closing ??= (async () => {
      wakeAll()
      await host.close()
      await founding?.catch(() => undefined)
      await personal?.close()
    })())

  return {
    async list() {
      assertOpen()
      const self = { id: identity.device.id, name: identity.device.name, isThis: true }
      return [self, ...((await personal?.devices()) ?? []).filter(({ isThis }) => !isThis)]
    },
    async createLink(options: CreateLinkOptions = {}) {
      assertOptions(options, 'options', ['expiresInMs', 'signal'])
      const { expiresInMs = DEFAULT_LINK_MS } = options
      assertInteger(expiresInMs, 'options.expiresInMs', { min: 1, max: MAX_LINK_MS })
      return call(options, async () => host.createLink(expiresInMs))
    },
    requests: host.requests,
    get isUnlinked() {
      return personal?.isUnlinked() ?? false
    },
    async confirm(requestId, options = {}) {
      assertString(requestId, 'requestId')
      assertOptions(options, 'options', ['signal'])
      await call(options, () => host.confirm(requestId))
    },
    async decline(requestId, options = {}) {
      assertString(requestId, 'requestId')
      assertOptions(options, 'options', ['signal'])
      await call(options, () => host.decline(requestId))
    },
    async unlink(deviceId, options = {}) {
      const device = decodeKey(deviceId, 'deviceId')
      assertOptions(options, 'options', ['signal'])
      await call(options, () => unlink(device, deviceId))
    },
    async synced(options = {}) {
      assertOptions(options, 'options', ['signal'])
      await call(options, () => synced(options.signal))
    },
    on: events.on.bind(events),
    once: events.once.bind(events),
    close,
    [Symbol.asyncDispose]: close
  }
}

function unlinkedError(): RoomError {
  return new RoomError('DEVICE_UNLINKED', 'Another device has unlinked this one.', { hint: 'Remove its folder, and link it anew.' })
}

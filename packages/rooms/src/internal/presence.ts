import { encodeZ32, type EventEmitter } from '@covey/core'
import { isAtLeast, roleOf } from '../roles.js'
import type { MemberPresence, RoomEvents } from '../room.js'
import type { RoomRules } from '../rules.js'
import { createRateLimit, type RateLimit } from './guards/rate-limit.js'
import type { DeviceRow, RoomView } from './view.js'

/** In how large a room, by devices, members tell each other: in a larger one they would do little else. */
const MAX_DEVICES = 256
/** How often a device says that it is there, and for how long that counts: two may be lost. */
const BEAT_MS = 30_000
const HERE_MS = 75_000
/** How long typing counts, and how soon it is said again while it goes on. */
const TYPING_MS = 8_000
const REPEAT_MS = 3_000
/** What is taken of a device: more than an honest one says, who types and stops again. */
const HEARD_RATE = { burst: 8, perSecond: 1 }

/** On the fast lane: `version | state`. It is not passed on, and the session proves who says it. */
const VERSION = 2
const State = { away: 0, here: 1, typing: 2 } as const
type State = (typeof State)[keyof typeof State]

export interface PresenceInit {
  /** The key of this device's identity. */
  readonly self: Uint8Array
  readonly view: RoomView
  readonly emit: EventEmitter<RoomEvents>['emit']
  /** Whether this peer says where it is, and shows where others are. */
  readonly isWanted: boolean
}

/** Who is there, and who types: nothing of it is kept, and nothing depends on it. */
export interface Presence {
  all(): MemberPresence[]
  /** Tells that this device's person types, or has stopped. */
  type(isTyping: boolean): void
  /** Takes what says it to the devices that are there, or to one of them; says at once that this one is. */
  attach(say: (bytes: Uint8Array, peer?: string) => void): void
  /** Who is in the room, and what it asks. */
  settle(devices: readonly DeviceRow[], rules: Pick<RoomRules, 'presence'>): void
  /** A device can be told from now on. */
  met(peer: string): void
  lost(peer: string): void
  /** @param peer the id of the device, as the session has proven it. */
  hear(peer: string, bytes: Uint8Array): Promise<void>
  close(): void
}

/** A device that is there, until it has not said so for long. */
interface Present {
  readonly member: string
  readonly timer: ReturnType<typeof setTimeout>
  readonly typing: ReturnType<typeof setTimeout> | undefined
}

export function isPresence(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION
}

export function createPresence({ self, view, emit, isWanted }: PresenceInit): Presence {
  const own = encodeZ32(self)
  const present = new Map<string, Present>()
  const rates = new Map<string, RateLimit>()
  /** The identities of the other devices, of other people. */
  let people = new Map<string, Uint8Array>()
  let isOn = false
  let isClosed = false
  let say: (bytes: Uint8Array, peer?: string) => void = () => undefined
  /** What was said last, and may be said again. */
  let state: State = State.here
  let repeat: ReturnType<typeof setTimeout> | undefined
  let idle: ReturnType<typeof setTimeout> | undefined
  const beat = isWanted ? setInterval(() => tell(state), BEAT_MS) : undefined

  function tell(next: State, peer?: string): void {
    if (isOn) say(Uint8Array.of(VERSION, next), peer)
  }

  function of(member: string): MemberPresence | undefined {
    const devices = [...present.values()].filter((device) => device.member === member)
    return devices.length === 0 ? undefined : { memberId: member, isTyping: devices.some(({ typing }) => typing !== undefined) }
  }

  function set(peer: string, member: string, next: State): void {
    const before = of(member)
    const known = present.get(peer)
    clearTimeout(known?.timer)
    clearTimeout(known?.typing)
    if (next === State.away) present.delete(peer)
    else {
      const timer = setTimeout(() => set(peer, member, State.away), HERE_MS)
      const typing = next === State.typing ? setTimeout(() => set(peer, member, State.here), TYPING_MS) : undefined
      present.set(peer, { member, timer, typing })
    }
    const after = of(member)
    if ((before === undefined) !== (after === undefined)) void emit('presence', { memberId: member, isHere: after !== undefined })
    if ((before?.isTyping ?? false) !== (after?.isTyping ?? false)) void emit('typing', { memberId: member, isTyping: after?.isTyping ?? false })
  }

  function forget(peer: string): void {
    const known = present.get(peer)
    if (known !== undefined) set(peer, known.member, State.away)
  }

  async function mayType(identity: Uint8Array): Promise<boolean> {
    const member = await view.member(identity)
    const role = member === null || member.muted ? undefined : roleOf(member.role)
    return role !== undefined && isAtLeast(role, 'member')
  }

  return {
    all: () => [...new Set([...present.values()].map(({ member }) => member))].map((member) => of(member)!),
    type(isTyping) {
      if (isClosed) return
      clearTimeout(idle)
      // Who stops without a word is not said to type by the next beat; the others see to it themselves.
      idle = isTyping ? setTimeout(() => (state = State.here), TYPING_MS) : undefined
      const next = isTyping ? State.typing : State.here
      if (next === state && (next === State.here || repeat !== undefined)) return
      state = next
      clearTimeout(repeat)
      repeat = isTyping ? setTimeout(() => (repeat = undefined), REPEAT_MS) : undefined
      tell(state)
    },
    attach(next) {
      say = next
      tell(state)
    },
    settle(devices, rules) {
      const others = devices.filter(({ removed }) => !removed)
      people = new Map(others.map(({ device, identity }) => [encodeZ32(device), identity]))
      for (const [peer, identity] of people) if (encodeZ32(identity) === own) people.delete(peer)
      const wasOn = isOn
      isOn = !isClosed && isWanted && rules.presence && others.length <= MAX_DEVICES
      for (const peer of present.keys()) if (!isOn || !people.has(peer)) forget(peer)
      for (const peer of rates.keys()) if (!people.has(peer)) rates.delete(peer)
      if (isOn && !wasOn) tell(state)
    },
    met: (peer) => tell(state, peer),
    lost: forget,
    async hear(peer, bytes) {
      const identity = people.get(peer)
      const next = bytes[1]
      if (!isOn || identity === undefined || bytes.length !== 2 || next === undefined || next > State.typing) return
      const rate = rates.get(peer) ?? createRateLimit(HEARD_RATE)
      rates.set(peer, rate)
      if (!rate.take()) return
      const isHeard = next !== State.typing || (await mayType(identity))
      if (isOn && people.has(peer)) set(peer, encodeZ32(identity), isHeard ? (next as State) : State.here)
    },
    close() {
      isClosed = true
      isOn = false
      clearInterval(beat)
      clearTimeout(repeat)
      clearTimeout(idle)
      for (const { timer, typing } of present.values()) for (const each of [timer, typing]) clearTimeout(each)
      present.clear()
    }
  }
}

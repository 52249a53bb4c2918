import type { Durability, DurableOptions, Room } from 'covey'

/** The calls of a room that are made from another process: what they take and give is plain data. */
export const ROOM_CALLS = [
  'createInvite',
  'delete',
  'durability',
  'health',
  'info',
  'invites',
  'leave',
  'members',
  'mute',
  'remove',
  'rename',
  'revokeInvite',
  'send',
  'setIndexers',
  'setMirrors',
  'setRole',
  'setRules',
  'settled',
  'transferOwnership'
] as const satisfies readonly (keyof Room)[]

export type RoomCall = (typeof ROOM_CALLS)[number]

/** A room of a person in another process. */
export type RemoteRoom = Pick<Room, RoomCall>

/** Who a device is. */
export interface Self {
  readonly person: string
  readonly device: string
}

/** What a peer was told beside its answers. */
export interface Heard {
  /** The ids of mirrors that were found to lie. */
  readonly lied: readonly string[]
  /** By which mirrors, and why, something is not held. */
  readonly refused: readonly { readonly mirror: string; readonly code: string }[]
  /** What broke, in the words of the error events. */
  readonly errors: readonly string[]
}

/** What the process of a person is asked. The room is the only one that the person has. */
export interface ScenarioCalls {
  open: {
    given: {
      readonly storage: string
      readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
      readonly name: string
      readonly mirrors: readonly string[]
    }
    answer: Self
  }
  create: { given: null; answer: null }
  join: { given: { readonly link: string; readonly forMs: number }; answer: null }
  room: { given: { readonly call: RoomCall; readonly args: readonly unknown[] }; answer: unknown }
  /** Null where it has not come about after so long. */
  durable: { given: DurableOptions & { readonly forMs: number }; answer: Durability | null }
  /** Waits for messages; those that are not there after so long. */
  await: { given: { readonly texts: readonly string[]; readonly forMs: number }; answer: readonly string[] }
  /** The last messages, in the room's order. */
  texts: { given: { readonly limit: number }; answer: readonly string[] }
  /** The mirrors that can be asked now. */
  reached: { given: null; answer: readonly string[] }
  heard: { given: null; answer: Heard }
}

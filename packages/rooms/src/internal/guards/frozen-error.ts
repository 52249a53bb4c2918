import { encodeZ32 } from '@covey/core'
import { RoomError } from '../../errors.js'
import type { Split } from './guard-view.js'
import type { FrozenWriter } from './guard-writer.js'

/** What the members of a room are told of a writer that is not read on. */
export function frozenError({ key, index, reason }: FrozenWriter): RoomError {
  if (reason === 'forked') return forkedError(key)
  const message = `The writer ${encodeZ32(key)} is not read from its block ${index} on: ${reason}.`
  return new RoomError('WRITER_FROZEN', message, {
    hint: 'Its device runs broken or hostile software. Everyone else goes on; an admin can remove it.'
  })
}

function forkedError(key: Uint8Array): RoomError {
  return new RoomError('WRITER_FROZEN', `The writer ${encodeZ32(key)} signed two pasts, and is not read on.`, {
    hint: 'Its device runs hostile software, or an old copy of its folder. The room removes it; it can join anew.'
  })
}

/** What is told to a device that runs from an old copy of its folder. */
export function ownForkError(cause: unknown): RoomError {
  return new RoomError('WRITER_FROZEN', 'This device signed two pasts, and writes no more to the room.', {
    cause,
    hint: 'It runs from an old copy of its folder. Start with an empty one, and join by a new invite.'
  })
}

/** What is told where the view differed from what the indexers signed. */
export function splitError({ view, length }: Split): RoomError {
  return new RoomError('ROOM_SPLIT', `The view here differed from the signed one (${view}, ${length}).`, {
    retryable: true,
    hint: 'The room goes to what is signed. Messages may change their place, or leave.'
  })
}

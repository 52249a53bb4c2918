import { encodeZ32 } from '@covey/core'
import { RoomError } from '../../errors.js'
import type { FrozenWriter } from './guard-writer.js'

/** What the members of a room are told of a writer that is not read on. */
export function frozenError({ key, index, reason }: FrozenWriter): RoomError {
  const message = `The writer ${encodeZ32(key)} is not read from its block ${index} on: ${reason}.`
  return new RoomError('WRITER_FROZEN', message, {
    hint: 'Its device runs broken or hostile software. Everyone else goes on; an admin can remove it.'
  })
}

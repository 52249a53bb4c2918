import { isOfDisk } from '@covey/transport/internal'
import { RoomError } from '../errors.js'

/** Why a room cannot go on, where its log ended by itself. */
export function brokenError(cause: unknown): RoomError {
  if (isOfDisk(cause)) {
    return new RoomError('ROOM_STORAGE_FAILED', 'The disk did not take what the room had to write.', {
      cause,
      hint: 'Make room on the disk, then close the peer and open it again; what was sent is safe.'
    })
  }
  return new RoomError('ROOM_BROKEN', 'The log of the room cannot be read on.', {
    cause,
    hint: 'Close the peer and open it again; what was sent is safe.'
  })
}

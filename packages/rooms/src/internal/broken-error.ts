import { RoomError } from '../errors.js'

/** What a database that cannot write says of it: rocksdb-native 3.18.1, lib/batch.js:306. */
const NOT_WRITTEN = 'Batch was not applied'
const DISK_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG'])

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

/** Whether the disk is at fault, and nobody's data. */
export function isOfDisk(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return DISK_CODES.has((error as { code?: unknown }).code) || error.message === NOT_WRITTEN || isOfDisk(error.cause)
}

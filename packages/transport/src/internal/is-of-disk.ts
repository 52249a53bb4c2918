/** What a database that cannot write says of it: rocksdb-native 3.18.1, lib/batch.js:306. */
const NOT_WRITTEN = 'Batch was not applied'
const DISK_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EFBIG'])

/** Whether the disk is at fault, and nobody's data. */
export function isOfDisk(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return DISK_CODES.has((error as { code?: unknown }).code) || error.message === NOT_WRITTEN || isOfDisk(error.cause)
}

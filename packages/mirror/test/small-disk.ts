import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

/** The database alone takes 75 MB at once. */
const DISK_MB = 160
const CHUNK_BYTES = 65_536

/** A disk that can be filled. */
export interface SmallDisk {
  /** Leaves so many bytes, and no more. */
  fill(leave: number): void
  /** Takes away what it was filled with. */
  empty(): void
  /** Makes it large. */
  grow(): void
  unmount(): void
}

/** Puts a disk of its own at an empty folder; or says why there can be none. */
export function mountSmallDisk(folder: string): SmallDisk | string {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'covey-small-disk', folder], { stdio: 'pipe' })
  } catch (error) {
    return `Skipped: no small disk can be mounted here. ${(error as Error).message.trim()}`
  }
  const ballast = join(folder, 'ballast')
  const free = (): number => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  return {
    fill(leave) {
      for (let more = free() - leave; more > 0; more = free() - leave) appendFileSync(ballast, Buffer.alloc(Math.min(more, CHUNK_BYTES)))
    },
    empty: () => rmSync(ballast),
    grow: () => void execFileSync('mount', ['-o', 'remount,size=1g', folder]),
    unmount: () => void execFileSync('umount', ['-l', folder])
  }
}

import { statfs } from '#fs'

export interface DiskWatchInit {
  /** Where it is looked. */
  readonly folder: string
  /** With less than so much there is no room. */
  readonly minFreeBytes: number
  /** It is full from now on, or has room again. */
  readonly onchange: (isFull: boolean) => void
  readonly onerror: (error: unknown) => void
}

/** Sees whether a disk has room. */
export interface DiskWatch {
  /** Resolves when it was looked at once; tells of changes from then on. */
  start(): Promise<void>
  /** It did not take something, whatever it says of itself. */
  failed(): void
  close(): void
}

/** What is fetched meanwhile is less than what is left free by default. */
const LOOK_MS = 1_000
/** RocksDB writes again about so long after there is room. */
const FAILED_MS = 6_000

export function createDiskWatch({ folder, minFreeBytes, onchange, onerror }: DiskWatchInit): DiskWatch {
  let isFull = false
  let isStarted = false
  /** Whether it could not be looked at, which is told once. */
  let isBlind = false
  let failedAt = -Infinity
  let timer: ReturnType<typeof setTimeout> | undefined
  let isClosed = false

  function set(isFullNow: boolean): void {
    if (isFullNow === isFull || !isStarted || isClosed) return
    isFull = isFullNow
    onchange(isFull)
  }

  async function look(): Promise<void> {
    // Who cannot tell whether there is room goes by what fails.
    let hasRoom = true
    try {
      const { bavail, bsize } = await statfs(folder)
      hasRoom = bavail * bsize >= minFreeBytes
      isBlind = false
    } catch (error) {
      if (!isBlind) onerror(error)
      isBlind = true
    }
    set(!hasRoom || performance.now() - failedAt < FAILED_MS)
    if (!isClosed) timer = setTimeout(() => void look(), LOOK_MS)
  }

  return {
    async start() {
      isStarted = true
      await look()
    },
    failed() {
      failedAt = performance.now()
      set(true)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    }
  }
}

import type { OpenRoom } from './open-room.js'
import type { RoomView } from './view.js'

/** How many devices are looked at for news when another is met. */
const MAX_HINTS = 64

/**
 * Looks for news of everybody: an admission by somebody whose last writing the signed view does not
 * have would else be seen only when they write again.
 */
export async function hintDevices({ base, view }: Pick<OpenRoom, 'base' | 'view'>): Promise<undefined> {
  const writers = await presentWriters(view)
  if (!base.closing) base.hintWakeup(writers.map((key) => ({ key, length: -1 })))
  return undefined
}

/** Not all: a newcomer has each row from somebody else, and there may be thousands. */
async function presentWriters(view: RoomView): Promise<Uint8Array[]> {
  const present: Uint8Array[] = []
  let last: Uint8Array | undefined
  for (;;) {
    const rows = await view.devicesAfter(last, MAX_HINTS)
    present.push(...rows.filter(({ removed }) => !removed).map(({ writer }) => writer))
    if (present.length >= MAX_HINTS || rows.length < MAX_HINTS) return present.slice(0, MAX_HINTS)
    last = rows.at(-1)!.writer
  }
}

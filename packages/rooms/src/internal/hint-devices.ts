import type { OpenRoom } from './open-room.js'

/** How many devices are looked at for news when another is met. */
const MAX_HINTS = 64

/**
 * Looks for news of everybody: an admission by somebody whose last writing the signed view does not
 * have would else be seen only when they write again.
 */
export async function hintDevices({ base, view }: Pick<OpenRoom, 'base' | 'view'>): Promise<undefined> {
  const devices = (await view.all('devices')).filter((row) => !row.removed).slice(0, MAX_HINTS)
  if (!base.closing) base.hintWakeup(devices.map(({ writer }) => ({ key: writer, length: -1 })))
  return undefined
}

import type { UpstreamAutobase } from './autobase-internals.js'

/** How long until an append that could not be made is tried again. */
const TRY_AGAIN_MS = 20

/**
 * Has an append that has to wait let others run meanwhile.
 *
 * The defect, in autobase 7.28.1: an append is tried again at once and without end (index.js:1052), for as long as what this
 * device wrote before waits for what it builds on, as where a room has gone forward to before that and somebody is
 * away. Nothing of it reads from the disk or the network: so no timer, no message and no `close` of the process runs any more.
 */
export function guardAppend<View>(base: UpstreamAutobase<View>): void {
  const bump = base._bump
  let waiting: Promise<void> | undefined
  /** Whether nothing of what is to be appended was, since so much of it had been. */
  const isStuck = (appended: number): boolean => base._appending !== null && base._appended === appended && !base._interrupting

  async function wait(appended: number): Promise<void> {
    while (isStuck(appended)) {
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS))
      await bump()
    }
  }

  base._bump = async () => {
    const appended = base._appended
    await bump()
    // Until it is made: upstream gives up after 16 tries where it could be at that moment, and says that it was.
    if (isStuck(appended)) await (waiting ??= wait(appended).finally(() => (waiting = undefined)))
  }
}

// oxlint-disable-next-line typescript/triple-slash-reference -- other packages compile this file without the rest of this folder
/// <reference path="./runtime.d.ts" />
import process from '#process'

/** Calls `end` at the first Ctrl-C or SIGTERM; a second one ends the process as it always does. */
export function onEndSignal(end: () => void): () => void {
  const stop = (): void => {
    process.removeListener('SIGINT', first)
    process.removeListener('SIGTERM', first)
  }
  const first = (): void => {
    stop()
    end()
  }
  process.on('SIGINT', first)
  process.on('SIGTERM', first)
  return stop
}

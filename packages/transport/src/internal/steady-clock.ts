let lastMs = Date.now()
let setBackMs = 0

/**
 * Milliseconds since some moment, for lengths of time. Unlike the clock they never go back: whoever waits for a while does
 * not wait for longer because the clock was set back meanwhile.
 */
export function steadyNow(): number {
  const nowMs = Date.now()
  if (nowMs < lastMs) setBackMs += lastMs - nowMs
  lastMs = nowMs
  return nowMs + setBackMs
}

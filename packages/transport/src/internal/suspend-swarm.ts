import type Hyperswarm from 'hyperswarm'

/**
 * How long taking back what was announced may take. A phone gives an app some seconds before it is stopped, and
 * where there is no network, the DHT would try for longer.
 */
const UNANNOUNCE_TIMEOUT_MS = 1_500

/**
 * Has a swarm leave, and cuts it short when that takes too long: the DHT would try to take back what was announced for
 * several seconds, and cannot at all while it is suspended.
 */
export async function leaveInTime(swarm: Hyperswarm, leave: () => Promise<unknown>): Promise<void> {
  let cut: Promise<void> | undefined
  const timer = setTimeout(() => (cut = swarm.dht.destroy({ force: true })), swarm.suspended ? 0 : UNANNOUNCE_TIMEOUT_MS)
  try {
    await leave()
  } finally {
    clearTimeout(timer)
    await cut
  }
}

/** Leaves the DHT and closes all sockets: nothing can be sent any more. */
export async function suspendSwarm(swarm: Hyperswarm): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  // What is under way fails when the sockets are closed, and hyperswarm waits for no success.
  const cutShort = new Promise<void>((resolve, reject) => {
    timer = setTimeout(() => void swarm.dht.suspend().then(resolve, reject), UNANNOUNCE_TIMEOUT_MS)
  })
  try {
    await Promise.race([swarm.suspend(), cutShort.then(() => new Promise<never>(() => undefined))])
  } finally {
    clearTimeout(timer)
  }
}

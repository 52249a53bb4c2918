import type Hyperswarm from 'hyperswarm'

/**
 * How long taking back what was announced may take. A phone gives an app some seconds before it is stopped, and
 * where there is no network, the DHT would try for longer.
 */
const UNANNOUNCE_TIMEOUT_MS = 1_500

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

import type HyperDHT from 'hyperdht'
import type Hyperswarm from 'hyperswarm'
import type { JoinOptions, PeerDiscoverySession } from 'hyperswarm'

/**
 * How long taking back what was announced may take. A phone gives an app some seconds before it is stopped, and
 * where there is no network, the DHT would try for longer.
 */
const UNANNOUNCE_TIMEOUT_MS = 1_500
/** What was cut short may begin something else, which fails the next time. */
const CUT_INTERVAL_MS = 50

/** Leaves the DHT and closes all sockets: nothing can be sent any more. */
export function suspendSwarm(swarm: Hyperswarm): Promise<void> {
  return orCutShort(swarm.dht, swarm.suspend())
}

/** The same for good. */
export function closeSwarm(swarm: Hyperswarm): Promise<void> {
  return orCutShort(swarm.dht, swarm.destroy())
}

/** Joins a topic so that leaving it is waited for no longer than there is hope that the DHT hears of it. */
export function joinSwarm(swarm: Hyperswarm, topic: Uint8Array, options?: JoinOptions): PeerDiscoverySession {
  const session = swarm.join(topic, options)
  const destroy = session.destroy.bind(session)
  session.destroy = async () => {
    const { late, stop } = after(patienceMs(swarm.dht))
    await Promise.race([destroy(), late]).finally(stop)
  }
  return session
}

/** What is under way fails when the sockets are closed, and hyperswarm waits for no success. */
async function orCutShort(dht: HyperDHT, work: Promise<void>): Promise<void> {
  const { late, stop } = after(patienceMs(dht))
  let timer: ReturnType<typeof setInterval> | undefined
  const cut = late.then(() => new Promise<never>((_, reject) => {
    timer = setInterval(() => void dht.io.suspend().catch(reject), CUT_INTERVAL_MS)
  }))
  await Promise.race([work, cut]).finally(() => {
    stop()
    clearInterval(timer)
  })
}

/** Who knows no node of the DHT is announced at none, and who is suspended has left. */
function patienceMs(dht: HyperDHT): number {
  return dht.suspended || dht.toArray({ limit: 1 }).length === 0 ? 0 : UNANNOUNCE_TIMEOUT_MS
}

function after(ms: number): { late: Promise<void>; stop: () => void } {
  let timer: ReturnType<typeof setTimeout>
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  return { late, stop: () => clearTimeout(timer) }
}

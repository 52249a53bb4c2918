import type { Program, Running } from './laboratory.js'

const TIMEOUT_MS = 60_000

/** Milliseconds from knowing the network to each first byte, and to each direct path, between one behind a random NAT and so many others. */
export async function fanout(lab: Running, script: string, relay: string, count: number): Promise<Record<'first' | 'direct', (number | null)[]>> {
  const sites = ['symm', ...Array.from({ length: count }, () => 'portrest')].map((type) => lab.net.site(type))
  const start = (host: object, config: object): Promise<Program> => lab.peer(script, host, { relay, topic: '00'.repeat(32), opts: { by: 'key' }, ...config })
  const others = await Promise.all(sites.slice(1).map(({ hosts }) => start(hosts[0], { role: 'listen' })))
  const address = (await Promise.all(others.map((other) => other.wait('ready', TIMEOUT_MS)))).map((ready) => ready!.address).join(',')
  const one = await start(sites[0]!.hosts[0], { role: 'connect', address })
  const { t: since } = (await one.wait('booted', TIMEOUT_MS))!
  const until = async (other: Program, test: (event: { ev: string; remote: string | null }) => boolean): Promise<number | null> => {
    const event = await other.wait(test, TIMEOUT_MS, 0)
    return event === null ? null : Math.round(event.t - since)
  }
  try {
    return {
      first: await Promise.all(others.map((other) => until(other, ({ ev }) => ev === 'data'))),
      direct: await Promise.all(others.map((other) => until(other, ({ ev, remote }) => ['stream', 'path'].includes(ev) && ['direct', 'lan'].includes(lab.kind(remote)))))
    }
  } finally {
    await Promise.all([one, ...others].map((program) => program.kill()))
    for (const site of sites) lab.net.rmSite(site)
  }
}

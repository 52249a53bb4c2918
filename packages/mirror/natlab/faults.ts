import type { Running, Site } from './laboratory.js'

/** Makes ready, before two are connected, what happens to the client's network; `happen` resolves when that is whole again. */
type Fault = (lab: Running, site: Site) => { readonly other?: Site; happen(): Promise<void> }

const CUT_MS = 30_000

const roamTo = (type: string): Fault => (lab, site) => {
  const roaming = lab.net.prepareRoam(site, type)
  return { other: roaming.other, happen: async () => lab.net.roam(site, roaming) }
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  cut: (lab, site) => ({
    async happen() {
      lab.net.cut(site)
      await new Promise((resolve) => setTimeout(resolve, CUT_MS))
      lab.net.uncut(site)
    }
  }),
  flush: (lab, site) => ({ happen: async () => lab.net.flush(site) }),
  address: (lab, site) => ({ happen: async () => lab.net.newWanIp(site) }),
  'roam-portrest': roamTo('portrest'),
  'roam-symm': roamTo('symm'),
  'roam-blocked': roamTo('blocked')
}

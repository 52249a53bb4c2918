import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { COVEY, STOCK, type Lab, type Laboratory, type LabPeer } from './laboratory.js'
import type { AloneRow } from './results.js'

/** How long the uplink is gone, where two are connected: longer than any time-out of the stack, or for the tests. */
const CUT_MS = 45_000
const BRIEF_CUT_MS = 10_000
const MEET_TIMEOUT_MS = 20_000
const PING_INTERVAL_MS = 100
const BOOT_TIMEOUT_MS = 40_000

interface Attempt {
  readonly kind: string | null
  readonly ms: number | null
  readonly gapMs: number | null
}

const NOTHING: Attempt = { kind: null, ms: null, gapMs: null }

/** Two devices behind one NAT: without an uplink from the start, and with one that is cut while they talk. */
export async function proveAlone(laboratory: Laboratory, attempts: number, isBrief = false): Promise<AloneRow[]> {
  const stock = join(laboratory.folder, STOCK)
  const { Lab } = await laboratory.parts()
  const lab = new Lab({ rtt: 40 })
  const rows: AloneRow[] = []
  const add = async (key: string, make: (lab: Lab) => Promise<Attempt>): Promise<void> => {
    const made: Attempt[] = []
    for (let i = 0; i < attempts; i++) made.push(await make(lab))
    const row = rowOf(key, made)
    console.log(row)
    rows.push(row)
  }
  try {
    await lab.up()
    await add('covey, no uplink, by topic', (l) => meet(l, COVEY, { alone: true }))
    await add('covey, no uplink, by key', (l) => meet(l, COVEY, { alone: true, by: 'key' }))
    await add('covey, uplink cut', (l) => cut(l, COVEY, isBrief ? BRIEF_CUT_MS : CUT_MS))
    if (isBrief) return rows
    await add('covey with `lan: false`, no uplink', (l) => meet(l, COVEY, { alone: true, lan: false }))
    await add('hyperswarm, uplink cut', (l) => cut(l, stock, CUT_MS))
  } finally {
    await lab.down()
  }
  return rows
}

async function meet(lab: Lab, script: string, opts: object): Promise<Attempt> {
  const site = lab.net.site('portrest', { hosts: 2 })
  lab.net.cut(site)
  const peers: LabPeer[] = []
  try {
    const [listener, caller] = await start(lab, script, site.hosts, opts, peers)
    const data = await caller.wait('data', MEET_TIMEOUT_MS)
    if (data === null) return NOTHING
    const booted = [listener, caller].map(({ events }) => events.find(({ ev }) => ev === 'booted')!.t)
    return { kind: kindOf(lab, caller), ms: Math.round(data.t - Math.max(...booted)), gapMs: null }
  } finally {
    await Promise.all(peers.map((peer) => peer.kill()))
    lab.net.rmSite(site)
  }
}

async function cut(lab: Lab, script: string, cutMs: number): Promise<Attempt> {
  const site = lab.net.site('portrest', { hosts: 2 })
  const peers: LabPeer[] = []
  try {
    const [, caller] = await start(lab, script, site.hosts, {}, peers)
    if ((await caller.wait('data', MEET_TIMEOUT_MS)) === null) return NOTHING
    caller.send({ cmd: 'ping', every: PING_INTERVAL_MS })
    if ((await caller.wait('pong', MEET_TIMEOUT_MS)) === null) return NOTHING
    lab.net.cut(site)
    const [from, to] = [Date.now(), Date.now() + cutMs]
    await sleep(cutMs)
    const pongs = caller.events.filter(({ ev, t }) => ev === 'pong' && t > from && t < to).map(({ t }) => t)
    const times = [from, ...pongs, to]
    const gapMs = Math.round(Math.max(...times.slice(1).map((time, i) => time - times[i]!)))
    // Whoever is silent at the end has not kept working.
    return to - times.at(-2)! > 2_000 ? NOTHING : { kind: kindOf(lab, caller), ms: null, gapMs }
  } finally {
    await Promise.all(peers.map((peer) => peer.kill()))
    lab.net.rmSite(site)
  }
}

async function start(lab: Lab, script: string, hosts: readonly object[], opts: object, peers: LabPeer[]): Promise<[LabPeer, LabPeer]> {
  const topic = randomBytes(32).toString('hex')
  const listener = await lab.peer(script, hosts[0]!, { role: 'listen', topic, opts })
  peers.push(listener)
  const ready = await listener.wait('ready', BOOT_TIMEOUT_MS)
  if (ready === null) throw new Error('A peer of the laboratory did not start.')
  const caller = await lab.peer(script, hosts[1]!, { role: 'connect', topic, address: ready.address, opts })
  peers.push(caller)
  await caller.wait('booted', BOOT_TIMEOUT_MS)
  return [listener, caller]
}

function kindOf(lab: Lab, { events }: LabPeer): string | null {
  const remote = events.findLast(({ ev }) => ev === 'stream' || ev === 'path')?.remote
  return remote === undefined ? null : lab.kind(remote)
}

function rowOf(key: string, made: readonly Attempt[]): AloneRow {
  const ok = made.filter(({ kind }) => kind !== null)
  const times = ok.flatMap(({ ms }) => (ms === null ? [] : [ms])).toSorted((a, b) => a - b)
  const gaps = ok.flatMap(({ gapMs }) => (gapMs === null ? [] : [gapMs]))
  return {
    key,
    ok: ok.length,
    n: made.length,
    ms: times[Math.floor(times.length / 2)] ?? null,
    kinds: [...new Set(ok.map(({ kind }) => kind!))],
    gapMs: gaps.length === 0 ? null : Math.max(...gaps)
  }
}

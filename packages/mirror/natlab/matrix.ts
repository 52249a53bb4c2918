/**
 * Every pair of networks of the laboratory, with a relay: the time to the first byte, beside stock Hyperswarm, and to the direct
 * path; what happens to them, and how much they carry.
 * `NATLAB=<folder> node --import tsx -C @covey/source packages/mirror/natlab/matrix.ts [--types a,b] [--attempts n] [--stock]`
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { fanout } from './fanout.js'
import { FAULTS } from './faults.js'
import type { Laboratory, Program, Said } from './laboratory.js'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const { NATLAB } = process.env
if (NATLAB === undefined) throw new Error('NATLAB must name the folder of the laboratory')
const { Lab, attempt, cleanStale, median, pool, sleep } = (await import(pathToFileURL(join(NATLAB, 'lib/lab.mjs')).href)) as Laboratory
const TYPES = 'open,fw,fullcone,addrrest,portrest,symm,cgnat,cgsymm,blocked'
const { values } = parseArgs({
  options: {
    types: { type: 'string', default: TYPES },
    only: { type: 'string', default: '' },
    attempts: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '2' },
    rtt: { type: 'string', default: '40' },
    watch: { type: 'string', default: '0' },
    bulk: { type: 'string', default: '0' },
    checked: { type: 'string', default: '0' },
    faults: { type: 'string', default: '' },
    fanout: { type: 'string', default: '0' },
    stock: { type: 'boolean', default: false },
    out: { type: 'string' }
  }
})
const types = values.types.split(',')
const faults = values.faults === '' ? [null] : values.faults.split(',')
const script = here('../../transport/natlab/covey')
/** Devices that one behind a random NAT meets, as in the laboratory's own suite. */
const FANOUT = 4
/** Without a relay, as it is: what it cannot punch is not waited for. */
const stock = join(NATLAB, 'peers/hyperswarm.mjs')
/** Slower than stock by more than this is to be told. */
const TOLERANCE = 1.2
/** Two have the path that they keep. */
const SETTLED_MS = 3_500
const UNDER_WAY_MS = 300
const RECOVERY_TIMEOUT_MS = 60_000
const peers = join(tmpdir(), `covey-natlab-relay-${process.pid}`)
process.env['NATLAB_PEERS'] = peers

interface Cell {
  pair: string
  firstMs: (number | null)[]
  stockMs: (number | null)[]
  upgradeMs: (number | null)[]
  gapMs: number[]
  /** What happened to the client's network, and how long after it data flows again. */
  fault: string | null
  afterMs: (number | null)[]
  bulk: object[]
  checked: object[]
  fails: unknown[]
}

cleanStale()
mkdirSync(peers, { recursive: true })
const lab = new Lab({ rtt: Number(values.rtt), spread: 40, pathTtl: 30, dhtNodes: 24 })
const cells: Cell[] = []
try {
  await lab.up()
  const site = lab.net.site('open')
  const proc = await lab.peer(here('relay'), site.hosts[0], {})
  const ready = await proc.wait((event) => event.ev === 'ready' || event.ev === 'exit', 60_000)
  if (ready?.ev !== 'ready') throw new Error(`The relay did not start: ${proc.stderr}`)
  lab.relays.push({ type: 'open', site, proc, ip: ready.host, key: ready.line })
  for (let i = 0; i < Number(values.fanout); i++) console.log(`| ${JSON.stringify(await fanout(lab, script, ready.line, FANOUT))} |`)
  const pairs = types.flatMap((client) => types.map((server) => ({ client, server })))
  const chosen = pairs.filter(({ client, server }) => Number(values.fanout) === 0 && new RegExp(values.only).test(`${client} > ${server}`))
  await pool(
    faults.flatMap((fault) => chosen.map(({ client, server }) => () => measure(client, server, fault, ready.line, proc))),
    Number(values.lanes)
  )
} finally {
  await lab.down()
  rmSync(peers, { recursive: true, force: true })
}
for (const fault of cells.length > 0 ? faults : []) {
  if (fault !== null) console.log(`\n${fault}`)
  for (const client of types) {
    const row = types.map((server) => cells.filter((cell) => cell.pair === `${client} > ${server}` && cell.fault === fault).map(textOf).join(''))
    console.log(`| ${client} | ${row.join(' | ')} |`)
  }
}
const all = cells.flatMap(({ firstMs }) => firstMs)
const first = all.filter((ms): ms is number => ms !== null)
for (const { pair, ...cell } of cells) {
  const [ours, theirs] = [present(cell.firstMs), present(cell.stockMs)]
  if (ours.length * theirs.length === 0 || median(ours) <= TOLERANCE * median(theirs)) continue
  console.log(`Slower than stock: ${pair}, ${median(ours)} ms, and stock ${median(theirs)} ms`)
}
console.log(`${first.length} of ${all.length} connected; first byte median ${median(first)} ms, slowest ${Math.max(...first)} ms`)
if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(cells, null, 1))

function present(times: readonly (number | null)[]): number[] {
  return times.filter((ms) => ms !== null)
}

function textOf({ fault, firstMs, stockMs, upgradeMs, afterMs }: Cell): string {
  if (fault !== null) return `${present(afterMs).length}/${firstMs.length} ${present(afterMs).map((ms) => (ms / 1000).toFixed(2)).join(' ')}`
  const [first, upgrade] = [present(firstMs), present(upgradeMs)]
  const beside = present(stockMs)
  const theirs = beside.length > 0 ? ` (${(median(beside) / 1000).toFixed(2)}${beside.length < stockMs.length ? ` ${beside.length}/${stockMs.length}` : ''})` : ''
  return `${first.length}/${firstMs.length} ${(median(first) / 1000).toFixed(2)}${theirs}${upgrade.length > 0 ? ` ↑${(median(upgrade) / 1000).toFixed(1)}` : ''}`
}

async function measure(client: string, server: string, fault: string | null, relay: string, proc: Program): Promise<void> {
  const cell: Cell = { pair: `${client} > ${server}`, fault, firstMs: [], stockMs: [], upgradeMs: [], gapMs: [], afterMs: [], bulk: [], checked: [], fails: [] }
  for (let i = 0; i < Number(values.attempts); i++) {
    if (values.stock && isPunchable(client, server)) cell.stockMs.push(await stockFirst(client, server))
    const [a, b] = [lab.net.site(client), lab.net.site(server)]
    const prepared = fault === null ? null : FAULTS[fault]!(lab, a)
    // Stock meets in a topic, which takes a DHT.
    const opts = { by: values.stock && ![client, server].includes('blocked') ? 'topic' : 'key' }
    const run = await attempt(lab, { script, client: a.hosts[0], server: b.hosts[0], relay, sOpts: opts, cOpts: opts, limit: 30_000, keep: true })
    cell.firstMs.push(run.ok ? run.ms : null)
    if (!run.ok) cell.fails.push({ fails: run.fails, crash: run.crash, events: run.client?.events.slice(-5), stderr: run.client?.stderr })
    if (run.ok && run.client !== undefined) {
      // At once, so that the path changes below it.
      if (Number(values.checked) > 0) cell.checked.push(await checked(run.client, Number(values.checked)))
      if (Number(values.watch) > 0 && isPunchable(client, server)) await watch(run.client, cell)
      if (prepared !== null) cell.afterMs.push(await recovery(run.client, prepared.happen))
      if (Number(values.bulk) > 0) cell.bulk.push(await bulk(run.client, proc, Number(values.bulk)))
    }
    await run.client?.kill()
    await run.server?.kill()
    for (const site of [a, b, prepared?.other]) if (site !== undefined) lab.net.rmSite(site)
  }
  cells.push(cell)
  console.error(cell.pair, JSON.stringify({ ...cell, pair: undefined }).slice(0, 600))
}

/** Whether there is a way between them without a relay. */
function isPunchable(client: string, server: string): boolean {
  const isRandom = (type: string): boolean => type === 'symm' || type === 'cgsymm'
  return client !== 'blocked' && server !== 'blocked' && !(isRandom(client) && isRandom(server))
}

async function stockFirst(client: string, server: string): Promise<number | null> {
  const [a, b] = [lab.net.site(client), lab.net.site(server)]
  const run = await attempt(lab, { script: stock, client: a.hosts[0], server: b.hosts[0], limit: 30_000 })
  for (const site of [a, b]) lab.net.rmSite(site)
  return run.ok ? run.ms : null
}

/** When the path becomes direct, and how long it is silent at most meanwhile. */
async function watch(client: Program, cell: Cell): Promise<void> {
  const since = client.events.find(({ ev }) => ev === 'booted')!.t
  const isDirect = (event: Said): boolean => ['stream', 'path'].includes(event.ev) && ['direct', 'lan'].includes(lab.kind(event.remote))
  client.send({ cmd: 'ping', every: 20 })
  const direct = await client.wait(isDirect, Number(values.watch))
  await sleep(1_000)
  client.send({ cmd: 'ping', every: 0 })
  const times = client.events.filter((event) => event.ev === 'pong').map((event) => event.t)
  cell.gapMs.push(Math.round(Math.max(0, ...times.slice(1).map((t, at) => t - times[at]!))))
  cell.upgradeMs.push(direct === null ? null : Math.round(direct.t - since))
}

/** Milliseconds from when the network is whole again until a ping is answered. */
async function recovery(client: Program, happen: () => Promise<void>): Promise<number | null> {
  client.send({ cmd: 'ping', every: 50 })
  await client.wait('pong', 5_000)
  await sleep(SETTLED_MS)
  await happen()
  const whole = performance.timeOrigin + performance.now()
  // What was under way when it happened may still arrive.
  const pong = await client.wait(({ ev, t }) => ev === 'pong' && t > whole + UNDER_WAY_MS, RECOVERY_TIMEOUT_MS)
  return pong === null ? null : Math.round(pong.t - whole)
}

/** A transfer whose content is compared, and where the path became direct in the meantime. */
async function checked(client: Program, bytes: number): Promise<object> {
  const startedAt = performance.timeOrigin + performance.now()
  client.send({ cmd: 'call', name: 'checked', arg: bytes })
  const done = await client.wait((event) => event.ev === 'called', 120_000)
  const paths = client.events.filter(({ ev }) => ev === 'peer-path').map(({ path, t }) => [path, Math.round(t - startedAt)])
  return { ...(done?.result ?? { failed: true }), paths }
}

async function bulk(client: Program, proc: Program, bytes: number): Promise<object> {
  await sleep(1_100)
  const cpuOf = (): number => {
    const { cpu } = proc.events.filter(({ ev }) => ev === 'stats').at(-1)!
    return (cpu.user + cpu.system) / 1e6
  }
  const before = cpuOf()
  const mark = client.mark
  client.send({ cmd: 'bulk', bytes })
  const done = await client.wait('bulk', 60_000, mark)
  await sleep(1_100)
  if (done === null) return { failed: true }
  return { mbPerSecond: +(done.bytes / 1e3 / done.ms).toFixed(1), relayCpuSecondsPerGb: +((cpuOf() - before) / (bytes / 1e9)).toFixed(2), receiverCpuSecondsPerGb: +(done.cpuMs / 1e3 / (bytes / 1e9)).toFixed(2) }
}

/**
 * Every pair of networks of the laboratory, with a relay: the time to the first byte, and to the direct path.
 * `NATLAB=<folder> node --import tsx -C @covey/source packages/mirror/natlab/matrix.ts [--types a,b] [--attempts n]`
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

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
    cut: { type: 'string', default: '0' },
    out: { type: 'string' }
  }
})
const types = values.types.split(',')
const peers = join(tmpdir(), `covey-natlab-relay-${process.pid}`)
process.env['NATLAB_PEERS'] = peers

/** What a program in the laboratory has said. */
interface Said {
  readonly ev: string
  /** Milliseconds. */
  readonly t: number
  readonly remote: string | null
  /** Of the relay: its address and line. */
  readonly host: string
  readonly line: string
  readonly cpu: { readonly user: number; readonly system: number }
  /** Of a path. */
  readonly path: string
  /** Of a transfer that was checked; null where there was no session. */
  readonly result: { readonly bytes: number; readonly ms: number; readonly isWhole: boolean } | null
  /** Of a transfer. */
  readonly bytes: number
  readonly ms: number
  readonly cpuMs: number
}

interface Program {
  readonly events: Said[]
  readonly stderr?: string
  readonly mark: number
  send(command: object): void
  wait(test: string | ((said: Said) => boolean), ms: number, from?: number): Promise<Said | null>
  kill(): Promise<void>
}

interface Site {
  readonly hosts: readonly [object]
}

interface Attempt {
  readonly ok: boolean
  readonly ms: number
  readonly fails: readonly string[]
  readonly crash: unknown
  readonly client?: Program
  readonly server?: Program
}

interface Running {
  readonly net: { cut(site: Site): void; uncut(site: Site): void; site(type: string): Site; flush(site: Site): void; rmSite(site: Site): void }
  readonly relays: object[]
  up(): Promise<void>
  down(): Promise<void>
  peer(script: string, host: object, config: object): Promise<Program>
  kind(remote: string | null): string
}

interface Laboratory {
  readonly Lab: new (options: object) => Running
  attempt(lab: Running, options: object): Promise<Attempt>
  cleanStale(): void
  median(values: number[]): number
  pool(jobs: (() => Promise<void>)[], lanes: number): Promise<void>
  sleep(ms: number): Promise<void>
}

interface Cell {
  pair: string
  firstMs: (number | null)[]
  upgradeMs: (number | null)[]
  gapMs: number[]
  /** After a cut of the client's line, until data flows again. */
  cutMs: (number | null)[]
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
  await pool(
    types.flatMap((client) => types.map((server) => () => measure(client, server, ready.line, proc))).filter((_, i) => {
      const pair = `${types[Math.floor(i / types.length)]} > ${types[i % types.length]}`
      return new RegExp(values.only).test(pair)
    }),
    Number(values.lanes)
  )
} finally {
  await lab.down()
  rmSync(peers, { recursive: true, force: true })
}
for (const client of types) {
  const row = types.map((server) => {
    const cell = cells.find(({ pair }) => pair === `${client} > ${server}`)
    if (cell === undefined) return ''
    const ok = cell.firstMs.filter((ms): ms is number => ms !== null)
    const up = cell.upgradeMs.filter((ms): ms is number => ms !== null)
    return `${ok.length}/${cell.firstMs.length} ${(median(ok) / 1000).toFixed(2)}${up.length > 0 ? ` ↑${(median(up) / 1000).toFixed(1)}` : ''}`
  })
  console.log(`| ${client} | ${row.join(' | ')} |`)
}
const all = cells.flatMap(({ firstMs }) => firstMs)
const first = all.filter((ms): ms is number => ms !== null)
console.log(`${first.length} of ${all.length} connected; first byte median ${median(first)} ms, slowest ${Math.max(...first)} ms`)
if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(cells, null, 1))

async function measure(client: string, server: string, relay: string, proc: Program): Promise<void> {
  const cell: Cell = { pair: `${client} > ${server}`, firstMs: [], upgradeMs: [], gapMs: [], cutMs: [], bulk: [], checked: [], fails: [] }
  const [a, b] = [lab.net.site(client), lab.net.site(server)]
  for (let i = 0; i < Number(values.attempts); i++) {
    const script = here('../../transport/natlab/covey')
    const opts = { by: 'key' }
    const run = await attempt(lab, { script, client: a.hosts[0], server: b.hosts[0], relay, sOpts: opts, cOpts: opts, limit: 30_000, keep: true })
    cell.firstMs.push(run.ok ? run.ms : null)
    if (!run.ok) cell.fails.push({ fails: run.fails, crash: run.crash, events: run.client?.events.slice(-5), stderr: run.client?.stderr })
    if (run.ok && run.client !== undefined) {
      // At once, so that the path changes below it.
      if (Number(values.checked) > 0) cell.checked.push(await checked(run.client, Number(values.checked)))
      const since = run.client.events.find(({ ev }) => ev === 'booted')!.t as number
      const isDirect = (event: Said): boolean => ['stream', 'path'].includes(event.ev) && ['direct', 'lan'].includes(lab.kind(event.remote))
      if (Number(values.watch) > 0) {
        run.client.send({ cmd: 'ping', every: 20 })
        const direct = await run.client.wait(isDirect, Number(values.watch))
        await sleep(1_000)
        run.client.send({ cmd: 'ping', every: 0 })
        const times = run.client.events.filter((event) => event.ev === 'pong').map((event) => event.t)
        cell.gapMs.push(Math.round(Math.max(0, ...times.slice(1).map((t, at) => t - times[at]!))))
        cell.upgradeMs.push(direct === null ? null : Math.round(direct.t - since))
      }
      if (Number(values.cut) > 0) cell.cutMs.push(await cut(run.client, a))
      if (Number(values.bulk) > 0) cell.bulk.push(await bulk(run.client, proc, Number(values.bulk)))
    }
    await run.client?.kill()
    await run.server?.kill()
    lab.net.flush(a)
    lab.net.flush(b)
  }
  lab.net.rmSite(a)
  lab.net.rmSite(b)
  cells.push(cell)
  console.error(cell.pair, JSON.stringify({ ...cell, pair: undefined }).slice(0, 600))
}

async function cut(client: Program, site: Site): Promise<number | null> {
  client.send({ cmd: 'ping', every: 50 })
  await client.wait('pong', 5_000)
  lab.net.cut(site)
  await sleep(Number(values.cut))
  lab.net.uncut(site)
  const back = performance.timeOrigin + performance.now()
  const pong = await client.wait('pong', 30_000, client.mark)
  return pong === null ? null : Math.round(pong.t - back)
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

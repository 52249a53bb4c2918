import { cpus, loadavg, totalmem } from 'node:os'
import type { Cell, Matrix, Results } from './results.js'

const SLOWER = 1.2
/** Below it a difference is that of the machine: the peers of the laboratory share its cores. */
const NOISE_MS = 100

/** The file `docs/benchmarks/nat.md`. */
export function report(results: Results, command: string): string {
  const parts = [
    '# Behind NATs',
    'How fast two devices meet, and how they get over what happens to a network, beside stock Hyperswarm in the same run. The\nnetworks are real NATs in network namespaces: `open`, `fw` (a firewall, no NAT), `fullcone`, `addrrest`, `portrest`, `symm` (a\nrandom port for each destination), `cgnat` and `cgsymm` (a carrier NAT above that of the home), `blocked` (no UDP). The round\ntrip is 40 ms.',
    `\`${command}\`, on ${machine()}. Both peers, the nodes of the DHT and other\nwork share the cores: compare with stock, not with a clock. ${load()}`,
    ...matrixParts(results.matrix),
    ...faultParts(results),
    ...raceParts(results),
    ...fanoutParts(results),
    ...lanParts(results),
    ...aloneParts(results),
    ...throughputParts(results)
  ]
  return `${parts.join('\n\n')}\n`
}

/** Of the matrix, what should not be: pairs that stock connects and we do not. */
export function regressions({ covey = {}, hyperswarm = {} }: Matrix): string[] {
  return Object.entries(hyperswarm)
    .filter(([pair, stock]) => stock.ok > 0 && (covey[pair]?.ok ?? 0) === 0)
    .map(([pair, stock]) => `${pair}: none connects, and ${stock.ok} of ${stock.n} with stock`)
}

function matrixParts(matrix: Matrix | undefined): string[] {
  if (matrix === undefined) return []
  const cells = matrix['covey'] ?? {}
  const types = [...new Set(Object.keys(cells).map((pair) => pair.split(' > ')[0]!))]
  const slower = slowerPairs(matrix)
  return [
    '## Every pair of networks',
    'Seconds from knowing the DHT to the first byte from the other side, the median of those that connected, through a topic\nthat the other side has joined before; **covey** over stock. Rows: who joins last. `rnd`: through random ports.',
    table(['', ...types], types.map((client) => [client, ...types.map((server) => pairOf(matrix, `${client} > ${server}`))])),
    `Slower than ${SLOWER} × stock and ${NOISE_MS} ms, where stock connects: ${slower.length === 0 ? 'none' : slower.join(', ')}.`
  ]
}

function pairOf(matrix: Matrix, pair: string): string {
  return [matrix['covey']?.[pair], matrix['hyperswarm']?.[pair]].map((cell, i) => cellOf(cell, i === 0)).join('<br>')
}

function cellOf(cell: Cell | undefined, isOurs: boolean): string {
  if (cell === undefined) return ''
  if (cell.ms === null) return '–'
  const seconds = isOurs ? `**${sec(cell.ms)}**` : sec(cell.ms)
  const notes = [cell.ok < cell.n && `${cell.ok}/${cell.n}`, cell.kinds.includes('relayed') && 'relay', cell.hows.includes('random') && 'rnd']
  return [seconds, ...notes.filter((note) => note !== false)].join(' ')
}

function slowerPairs({ covey = {}, hyperswarm = {} }: Matrix): string[] {
  return Object.entries(covey).flatMap(([pair, { ms }]) => {
    const stock = hyperswarm[pair]?.ms ?? null
    return ms !== null && stock !== null && ms > SLOWER * stock && ms - stock > NOISE_MS ? [`${pair} (${sec(ms)} against ${sec(stock)})`] : []
  })
}

function faultParts({ faults }: Results): string[] {
  if (faults === undefined) return []
  const stock = new Map(faults.filter(({ key }) => key.startsWith('hyperswarm ')).map((row) => [row.key.slice('hyperswarm '.length), row]))
  const rows = faults.filter(({ key }) => key.startsWith('covey ')).map((row) => {
    const name = row.key.slice('covey '.length)
    const other = stock.get(name)
    const after = (of: typeof row | undefined): string => (of === undefined ? '' : of.ok === 0 ? `none of ${of.n}` : `${sec(of.afterMs)} (${sec(of.maxAfterMs)})`)
    return [name, row.pair, after(row), `${row.same} of ${row.n}`, after(other)]
  })
  return [
    '## What happens to a network',
    'Seconds from when the network is whole again to the next byte: the median, and in brackets the longest. A stream of ours is\nthe same one where the session has lasted.',
    table(['', 'networks', 'covey', 'on the same stream', 'stock'], rows)
  ]
}

function raceParts({ race }: Results): string[] {
  if (race === undefined) return []
  const rows = Object.entries(race).flatMap(([peer, of]) =>
    of.filter(({ extra }) => Object.keys(extra).length === 0).map(({ delta, ok, n, ms, runs }) => {
      const times = runs.filter((time) => time !== null)
      return [peer, `${delta} ms`, `${ok} of ${n}`, sec(ms), sec(times.length === 0 ? null : Math.max(...times)), `${times.filter((time) => time <= 2_000).length}`]
    })
  )
  return ['## Joining a topic at the same moment', table(['', 'apart', 'met', 'median, s', 'longest, s', 'within 2 s'], rows)]
}

function fanoutParts({ fanout }: Results): string[] {
  if (fanout === undefined) return []
  const rows = fanout.map(({ peer, variant, times, direct }) => [peer, variant || 'as it is', times.map(sec).join(', '), direct.map(sec).join(', ')])
  return ['## One device behind a random NAT, and four others', table(['', '', 'first byte from each, s', 'direct, s'], rows)]
}

function lanParts({ lan }: Results): string[] {
  if (lan === undefined) return []
  return ['## Behind one NAT', table(['', 'connected', 'how', 'median, s'], lan.map(({ key, ok, n, kinds, ms }) => [key, `${ok} of ${n}`, kinds.join(', '), sec(ms)]))]
}

function aloneParts({ alone }: Results): string[] {
  if (alone === undefined) return []
  const rows = alone.map(({ key, ok, n, kinds, ms, gapMs }) => [key, `${ok} of ${n}`, kinds.join(', '), sec(ms), sec(gapMs)])
  return [
    '## In one network, without internet',
    'Two devices behind one NAT whose uplink is cut: before they start, or for 45 s while they talk.',
    table(['', 'connected', 'how', 'from start to the first byte, median, s', 'longest silence after the cut, s'], rows)
  ]
}

function throughputParts({ throughput }: Results): string[] {
  if (throughput === undefined) return []
  const rows = throughput.map(({ peer, rtt, loss, pair, path, MBs, rxCpuMsPerMB, txCpuMsPerMB }) =>
    [peer, pair, path ?? '', `${rtt} ms`, `${loss * 100} %`, MBs, rxCpuMsPerMB, txCpuMsPerMB].map((value) => String(value ?? '–'))
  )
  return ['## One stream', table(['', 'networks', 'path', 'round trip', 'loss', 'MB/s', 'CPU of the receiver, ms/MB', 'of the sender'], rows)]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function sec(ms: number | null): string {
  return ms === null ? '–' : (ms / 1_000).toFixed(ms < 9_950 ? 2 : 1)
}

function load(): string {
  return `The load average of the last minutes was ${loadavg().map((value) => value.toFixed(0)).join(', ')}.`
}

function machine(): string {
  const cores = cpus()
  return `${cores.length} cores of ${cores[0]?.model.trim() ?? 'an unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`
}

import type { HolderStats } from './holding/holder.js'
import type { RelayStats } from './switchboard.js'

/** Of each number its name, its kind, what it is, and where it comes from. */
export type Metrics<Stats> = readonly (readonly [name: string, kind: 'counter' | 'gauge', help: string, field: keyof Stats & string])[]

export const RELAY_METRICS: Metrics<RelayStats> = [
  ['covey_relay_clients', 'gauge', 'Devices that are connected.', 'clients'],
  ['covey_relay_circuits', 'gauge', 'Pairs of devices that talk.', 'circuits'],
  ['covey_relay_buffered_bytes', 'gauge', 'Bytes that wait for slow devices.', 'bufferedBytes'],
  ['covey_relay_forwarded_bytes_total', 'counter', 'Bytes that were forwarded.', 'forwardedBytes'],
  ['covey_relay_forwarded_datagrams_total', 'counter', 'Datagrams that were forwarded.', 'forwardedDatagrams'],
  ['covey_relay_circuits_opened_total', 'counter', 'Circuits that were opened.', 'openedCircuits'],
  ['covey_relay_circuits_absent_total', 'counter', 'Circuits to devices that were not there.', 'absentCircuits'],
  ['covey_relay_limited_total', 'counter', 'Connections, circuits and datagrams that a limit has cost.', 'limited'],
  ['covey_relay_violations_total', 'counter', 'Connections that did not keep to the protocol.', 'violations']
]

export const MIRROR_METRICS: Metrics<HolderStats> = [
  ['covey_mirror_clients', 'gauge', 'Devices that are connected and have asked for something.', 'clients'],
  ['covey_mirror_cores', 'gauge', 'Cores that are held.', 'cores'],
  ['covey_mirror_open_cores', 'gauge', 'Cores that devices which are connected asked for.', 'openCores'],
  ['covey_mirror_bytes', 'gauge', 'Bytes of the blocks that are held, and 512 for each.', 'bytes']
]

/** The text format of Prometheus. */
export function formatMetrics<Stats extends object>(metrics: Metrics<Stats>, stats: Stats): string {
  const lines = metrics.map(([name, kind, help, field]) => `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name} ${String(stats[field])}\n`)
  return lines.join('')
}

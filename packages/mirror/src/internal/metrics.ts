import type { RelayStats } from './switchboard.js'

const METRICS: readonly (readonly [name: string, kind: 'counter' | 'gauge', help: string, field: keyof RelayStats])[] = [
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

/** The text format of Prometheus. */
export function formatMetrics(stats: RelayStats): string {
  const lines = METRICS.map(([name, kind, help, field]) => `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name} ${stats[field]}\n`)
  return lines.join('')
}

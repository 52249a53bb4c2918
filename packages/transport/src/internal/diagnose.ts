import type HyperDHT from 'hyperdht'
import { raceSignal } from '@covey/core'
import type { Diagnosis, RelayDiagnosis } from '../diagnosis.js'
import type { Relays } from './relay/relays.js'

/** Nodes that are asked at once: a random NAT shows by two, and some are gone. */
const MAX_ASKED = 8
/** How long an answer may take before it counts as none. */
const ANSWER_TIMEOUT_MS = 3_000
/** Clocks that differ by less harm nothing: only invites that run out are judged by them. */
const TOLERATED_CLOCK_MS = 60_000

interface Answer {
  readonly host: string
  readonly port: number
  readonly roundTripMs: number
}

/** Asks nodes of the DHT at which address they hear this device, and the relays whether they are there. */
export async function diagnose(dht: HyperDHT, relays: Relays, signal: AbortSignal | undefined): Promise<Diagnosis> {
  const [{ asked, answers }, measures] = await raceSignal(Promise.all([askNodes(dht), relays.measure(ANSWER_TIMEOUT_MS)]), signal)
  const ahead = measures.flatMap(({ clockAheadMs }) => (clockAheadMs === null ? [] : [clockAheadMs]))
  const found = {
    nat: natOf(answers, dht.localAddress()?.host),
    publicAddress: answers[0] === undefined ? null : { host: answers[0].host, port: answers[0].port },
    udp: { asked, answered: answers.length, roundTripMs: median(answers.map(({ roundTripMs }) => roundTripMs)) },
    relays: measures.map(({ id, isReachable, roundTripMs }): RelayDiagnosis => ({ id, isReachable, roundTripMs })),
    clockAheadMs: median(ahead)
  }
  return { summary: summaryOf(found), ...found }
}

async function askNodes(dht: HyperDHT): Promise<{ asked: number; answers: Answer[] }> {
  // A node that has just started learns first whom it can ask; one that is cut off, never.
  await within(ANSWER_TIMEOUT_MS, dht.fullyBootstrapped()).catch(() => undefined)
  const known = dht.toArray()
  const nodes = (known.length > 0 ? known : dht.bootstrapNodes).slice(0, MAX_ASKED)
  const asking = nodes.map(async (node): Promise<Answer[]> => {
    const startedAt = performance.now()
    try {
      const { to } = await within(ANSWER_TIMEOUT_MS, dht.ping(node, { retry: false }))
      return [{ host: to.host, port: to.port, roundTripMs: Math.round(performance.now() - startedAt) }]
    } catch {
      // That is the finding: it is counted.
      return []
    }
  })
  return { asked: nodes.length, answers: (await Promise.all(asking)).flat() }
}

function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('No answer in time.')), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function natOf(answers: readonly Answer[], local: string | undefined): Diagnosis['nat'] {
  const [first] = answers
  if (first === undefined) return 'unknown'
  if (first.host === local) return 'none'
  if (answers.some(({ host, port }) => host !== first.host || port !== first.port)) return 'random'
  return answers.length > 1 ? 'consistent' : 'unknown'
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}

function summaryOf({ nat, udp, relays, clockAheadMs }: Omit<Diagnosis, 'summary'>): string {
  const reachable = relays.filter(({ isReachable }) => isReachable).length
  const sentences = [directly(nat, udp.answered, reachable)]
  if (relays.length > 0 && reachable < relays.length) sentences.push(`${relays.length - reachable} of ${relays.length} relays do not answer.`)
  if (clockAheadMs !== null && Math.abs(clockAheadMs) > TOLERATED_CLOCK_MS) {
    const minutes = Math.round(Math.abs(clockAheadMs) / 60_000)
    sentences.push(`The clock of this device is ${minutes} min ${clockAheadMs > 0 ? 'fast' : 'slow'}: invites may seem to have run out, or not to.`)
  }
  return sentences.join(' ')
}

function directly(nat: Diagnosis['nat'], answered: number, relays: number): string {
  if (answered === 0) {
    if (relays > 0) return 'Nothing answers over UDP, so this network seems to block it: peers are reached through a relay only.'
    return 'Nothing answers, over UDP or by a relay: this device is offline, or its network lets nothing through.'
  }
  if (nat === 'unknown') return 'UDP works, but too little answers to tell how this network hands out ports.'
  if (nat !== 'random') return 'Peers can be reached directly.'
  const others = relays > 0 ? 'through a relay, at once' : 'not at all, as long as there is no relay'
  return `This network takes another port for each destination: most peers are reached directly, after some seconds; those in a network like it ${others}.`
}

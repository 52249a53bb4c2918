import type { HealthState, RoomHealth } from '../health.js'

export type HealthFindings = Omit<RoomHealth, 'state' | 'sentence'>

export function stateOf({ spareIndexers, behind, frozen, isSplit, mirrors }: HealthFindings): HealthState {
  if (isSplit || frozen.length > 0) return 'damaged'
  const isWaiting = spareIndexers < 0 || behind.length > 0 || mirrors.some(({ missingBlocks }) => missingBlocks !== 0)
  return isWaiting ? 'waiting' : 'good'
}

/** What a person should know, the worst first. */
export function describeHealth(health: HealthFindings): string {
  const { frozen, isSplit, behind, mirrors, equivocations } = health
  const late = mirrors.filter(({ missingBlocks }) => (missingBlocks ?? 0) > 0).length
  const away = mirrors.filter(({ missingBlocks }) => missingBlocks === undefined).length
  const parts = [
    isSplit && 'what is shown here is not what the indexers signed, and is being brought to it',
    frozen.length > 0 && `${devices(frozen.length)} wrote what breaks the log, and ${are(frozen.length)} not read on`,
    describeIndexers(health),
    behind.length > 0 && `${devices(behind.length)} ${are(behind.length)} not read to the end yet`,
    away > 0 && `${away} of ${count(mirrors.length, 'mirror')} ${are(away)} out of reach`,
    late > 0 && `${late} of ${count(mirrors.length, 'mirror')} ${late === 1 ? 'lacks' : 'lack'} what was written last`,
    equivocations.length > 0 && `${devices(equivocations.length)} signed two pasts, and ${are(equivocations.length)} removed`
  ]
  const text = parts.filter((part) => part !== false).join('; ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function describeIndexers({ indexers, quorum, spareIndexers, unsignedMessages }: HealthFindings): string {
  const online = indexers.filter(({ isOnline }) => isOnline).length
  const of = indexers.length === 1 ? 'the indexer is' : `${online} of ${indexers.length} indexers ${are(online)}`
  if (spareIndexers < 0) {
    const missing = -spareIndexers
    const back = indexers.length === 1 ? 'it comes back' : missing === 1 ? 'one comes back' : `${missing} come back`
    const away = indexers.length === 1 ? `${of} away` : `${of} online, and ${quorum} are needed`
    return `${away}: the room goes on, and nothing is settled until ${back} (${count(unsignedMessages, 'message')} ${unsignedMessages === 1 ? 'waits' : 'wait'})`
  }
  if (indexers.length === 1) return 'the indexer is online; while it sleeps, nothing is settled'
  if (spareIndexers === 0) return `${of} online, and none of these may sleep`
  return `${of} online, and ${spareIndexers} may sleep`
}

function devices(number: number): string {
  return count(number, 'device')
}

function count(number: number, noun: string): string {
  return number === 1 ? `1 ${noun}` : `${number} ${noun}s`
}

function are(number: number): string {
  return number === 1 ? 'is' : 'are'
}

import { setTimeout as delay } from 'node:timers/promises'
import type { Person } from './person.js'
import type { Report } from './protocol.js'

/** How long those who are connected may take to come to one view. */
const SETTLE_TIMEOUT_MS = 60_000
const KEYS_TIMEOUT_MS = 15_000
/** Each look is at all rows of all views. */
const POLL_MS = 150
const MAX_SHOWN_ROWS = 20

/** Lets all of them be quiet, and waits until they have one view. */
export async function settle(people: readonly Person[]): Promise<void> {
  for (const person of people) await person.call('tempo', { pauseMs: null })
  const end = Date.now() + SETTLE_TIMEOUT_MS
  for (;;) {
    const digests = await Promise.all(people.map((person) => person.call('digest', {})))
    if (new Set(digests.map(({ hash }) => hash)).size === 1) return
    if (Date.now() > end) throw new Error(`No one view after ${SETTLE_TIMEOUT_MS} ms:\n  ${await difference(people)}`)
    await delay(POLL_MS)
  }
}

/** What each of them is at, and what its view has that the first one's has not, and the other way round. */
async function difference(people: readonly Person[]): Promise<string> {
  const views = await Promise.all(people.map((person) => person.call('rows', {})))
  const told = people.map(async (person, i) => {
    const [first, own] = [new Set(views[0]), new Set(views[i])]
    const more = [...own].filter((row) => !first.has(row)).map((row) => `+ ${row}`)
    const less = [...first].filter((row) => !own.has(row)).map((row) => `- ${row}`)
    return [`${person.name}, ${own.size} rows, ${await person.state()}`, ...[...more, ...less].slice(0, MAX_SHOWN_ROWS)].join('\n    ')
  })
  return (await Promise.all(told)).join('\n  ')
}

/** What all of them say, and that it is what was acknowledged, once each. */
export async function checkReports(people: readonly Person[], history: 'full' | 'since-join'): Promise<void> {
  const reports = await readable(people, history)
  for (const [i, { messages, live, invites, errors }] of reports.entries()) {
    const { name } = people[i]!
    const ids = messages.map(({ id }) => id)
    if (errors.length > 0) throw new Error(`${name} told of errors: ${errors.join('\n')}`)
    same(`the order of ${name}`, ids, reports[0]!.messages.map(({ id }) => id))
    same(`the members of ${name}`, reports[i]!.members, reports[0]!.members)
    once(`${name} has twice`, ids)
    once(`${name} was given twice`, live)
    same(`what ${name} was given live`, [...live].toSorted(), [...ids].toSorted())
    for (const person of people) checkSender(name, person, messages)
    const lost = [...people[0]!.invites].filter((id) => !invites.includes(id))
    if (lost.length > 0) throw new Error(`${name} lacks the invites ${lost.join(', ')}`)
  }
}

/** Of what one of them has sent: all that was acknowledged, nothing twice, in its order. */
function checkSender(reader: string, sender: Person, messages: Report['messages']): void {
  const own = messages.filter(({ author }) => author === sender.identity)
  const texts = new Map(own.map(({ id, text, kind }) => [id, kind === 'text' ? text : undefined]))
  const lost = sender.sent.filter(({ id, text }) => !texts.has(id) || (texts.get(id) ?? text) !== text)
  if (lost.length > 0) {
    throw new Error(`${reader} lacks ${lost.length} of ${sender.sent.length} acknowledged messages of ${sender.name}: ${lost.map(({ text }) => `'${text}'`).join(', ')}`)
  }
  const read = own.filter(({ kind }) => kind === 'text').map(({ text }) => text)
  once(`${reader} reads twice`, read)
  const numbers = read.map((text) => text.split(' ').slice(1).map(Number))
  const isInOrder = numbers.every(([life, n], i) => i === 0 || life! > numbers[i - 1]![0]! || (life === numbers[i - 1]![0] && n! > numbers[i - 1]![1]!))
  if (!isInOrder) throw new Error(`${reader} has the messages of ${sender.name} in another order: ${read.join(', ')}`)
}

/** The reports, when everybody can read what they may: missing keys are asked for. */
async function readable(people: readonly Person[], history: 'full' | 'since-join'): Promise<Report[]> {
  const end = Date.now() + KEYS_TIMEOUT_MS
  for (;;) {
    const reports = await Promise.all(people.map((person) => person.call('report', {})))
    const unread = reports.flatMap(({ messages }, i) => {
      const wanted = history === 'full' || i === 0 ? messages : messages.filter(({ author }) => author === people[i]!.identity)
      return wanted.filter(({ kind }) => kind !== 'text').map(({ id, kind }) => `${people[i]!.name} ${id} ${kind}`)
    })
    if (unread.length === 0) {
      // Asking for keys writes to the room.
      await settle(people)
      return Promise.all(people.map((person) => person.call('report', {})))
    }
    if (Date.now() > end) throw new Error(`${unread.length} messages stay unread: ${unread.slice(0, 20).join(', ')}`)
    await delay(POLL_MS)
  }
}

function once(what: string, items: readonly string[]): void {
  const twice = items.filter((item, i) => items.indexOf(item) !== i)
  if (twice.length > 0) throw new Error(`${what}: ${twice.join(', ')}`)
}

function same(what: string, some: readonly string[], others: readonly string[]): void {
  if (some.join('\n') === others.join('\n')) return
  const extra = some.filter((item) => !others.includes(item))
  const missing = others.filter((item) => !some.includes(item))
  throw new Error(`Not the same: ${what}. Beyond: ${extra.join(', ') || 'nothing'}; missing: ${missing.join(', ') || 'nothing'}`)
}

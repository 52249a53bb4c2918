import type { Message } from '../message.js'
import type { TimelineChange } from '../timeline.js'

/** The fewest steps from some messages to others; each id is in either of them once at most. */
export function diffMessages(before: readonly Message[], after: readonly Message[]): TimelineChange[] {
  const changes: TimelineChange[] = []
  const wanted = new Set(after.map(({ id }) => id))
  const old = new Map(before.map((message) => [message.id, message]))
  before.forEach(({ id }, index) => {
    if (!wanted.has(id)) changes.unshift({ type: 'remove', index })
  })
  const list = before.map(({ id }) => id).filter((id) => wanted.has(id))
  const staying = stayingIn(list, after)

  /** Where the next message belongs: after the one before it, wherever those that have yet to move are. */
  let next = 0
  for (const message of after) {
    const { id } = message
    if (!old.has(id)) {
      changes.push({ type: 'insert', index: next, message })
      list.splice(next, 0, id)
    } else {
      const from = list.indexOf(id, staying.has(id) ? next : 0)
      if (!staying.has(id)) {
        list.splice(from, 1)
        if (from < next) next--
        if (from !== next) changes.push({ type: 'move', from, to: next })
        list.splice(next, 0, id)
      } else {
        next = from
      }
    }
    next++
  }
  after.forEach((message, index) => {
    if (old.has(message.id) && old.get(message.id) !== message) changes.push({ type: 'update', index, message })
  })
  return changes
}

/**
 * As many as possible that need not move: a longest run that is in the same order in both.
 *
 * @see {@link https://en.wikipedia.org/wiki/Longest_increasing_subsequence}
 */
function stayingIn(list: readonly string[], after: readonly Message[]): Set<string> {
  const places = new Map(list.map((id, i) => [id, i]))
  /** Of the runs of each length the one with the lowest end. */
  const ends: { readonly id: string; readonly place: number; readonly before: object | undefined }[] = []
  for (const { id } of after) {
    const place = places.get(id)
    if (place === undefined) continue
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (ends[middle]!.place < place) low = middle + 1
      else high = middle
    }
    ends[low] = { id, place, before: ends[low - 1] }
  }
  const staying = new Set<string>()
  for (let run = ends.at(-1); run !== undefined; run = run.before as typeof run) staying.add(run.id)
  return staying
}

/** The messages of `after`, as the objects of `before` where nothing about them is different. */
export function reuseMessages(before: readonly Message[], after: readonly Message[]): readonly Message[] {
  const old = new Map(before.map((message) => [message.id, message]))
  const reused = after.map((message) => {
    const known = old.get(message.id)
    return known !== undefined && isSame(known, message) ? known : Object.freeze(message)
  })
  return Object.freeze(reused)
}

/** Of plain data. */
function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other
  const [fields, others] = [Object.entries(one), Object.keys(other)]
  return fields.length === others.length && fields.every(([name, field]) => isSame(field, (other as Record<string, unknown>)[name]))
}

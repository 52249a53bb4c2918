import { expect, test } from 'vitest'
import type { Action } from '../src/internal/authority/action.js'
import { createResolver, resolve, type Entry } from '../src/internal/authority/resolve.js'
import { mapKey } from '../src/internal/map-key.js'
import { roleNumber, type Role } from '../src/roles.js'

// What the work is, in entries that are gone through: a bound in time would be one of the machine's.

const encoder = new TextEncoder()
const keyOf = (name: string): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => encoder.encode(name)[i] ?? 0)

/** A history of people with one device each, by name. */
function createHistory() {
  const entries: Entry[] = []
  const lengths = new Map<string, number>()
  const claimant = (name: string) => ({ identity: keyOf(name), device: keyOf(name), box: keyOf(name), epoch: 0, isDirect: false })
  function add(name: string, action: Action): void {
    const length = (lengths.get(name) ?? 0) + 1
    lengths.set(name, length)
    const bytes = encoder.encode(`${name}/${length}`)
    const author = { writer: keyOf(name), position: entries.length, isFounder: name === 'owner', sentAt: 0, bytes }
    entries.push({ author, length, action })
  }
  add('owner', { type: 'create', claimant: claimant('owner'), history: 1 })
  return {
    entries,
    admit: (by: string, name: string, role: Role) =>
      add(by, { type: 'admit', claimant: claimant(name), writer: keyOf(name), role: roleNumber(role) }),
    setRole: (by: string, name: string, role: Role) =>
      add(by, { type: 'setRole', identity: keyOf(name), role: roleNumber(role), seen: [] }),
    remove: (by: string, name: string) => add(by, { type: 'remove', identity: keyOf(name), ban: false, seen: [] }),
    mute: (by: string, name: string) => add(by, { type: 'mute', identity: keyOf(name), muted: true })
  }
}

/** An admin demotes somebody again and again, who once did what the owner then built upon. */
function refusedCuts(count: number): readonly Entry[] {
  const history = createHistory()
  history.admit('owner', 'mallory', 'admin')
  history.admit('owner', 'friend', 'moderator')
  history.setRole('owner', 'friend', 'admin')
  history.admit('friend', 'guest', 'member')
  history.setRole('owner', 'guest', 'admin')
  history.setRole('owner', 'friend', 'moderator')
  for (let i = 0; i < count; i++) {
    history.setRole('mallory', 'friend', 'member')
    history.setRole('mallory', 'friend', 'moderator')
  }
  return history.entries
}

/** An admin removes many, each of whom had done something that the admin says not to have seen. */
function cutsInForce(count: number): readonly Entry[] {
  const history = createHistory()
  history.admit('owner', 'mallory', 'admin')
  for (let i = 0; i < count; i++) history.admit('mallory', `victim ${i}`, 'moderator')
  history.admit('mallory', 'somebody', 'member')
  for (let i = 0; i < count; i++) history.mute(`victim ${i}`, 'somebody')
  for (let i = 0; i < count; i++) history.remove('mallory', `victim ${i}`)
  return history.entries
}

/** Op by op, as a room does. */
async function work(entries: readonly Entry[]): Promise<number> {
  let steps = 0
  const resolver = createResolver(() => void steps++)
  for (let length = 1; length <= entries.length; length++) await resolver.resolve(entries.slice(0, length))
  return steps
}

test.for([
  ['cuts that come to nothing', refusedCuts],
  ['cuts in force', cutsInForce]
] as const)('%s: each op goes through the history a few times at most', async ([, make]) => {
  const entries = make(100)
  // The ops, and how long the history is at each.
  const passes = (entries.length * entries.length) / 2
  expect(await work(entries)).toBeLessThan(4 * passes)
})

test('a resolver that has been told more, or something else, answers as a new one', async () => {
  const [one, other] = [refusedCuts(6), cutsInForce(6)]
  const resolver = createResolver()
  for (const entries of [one, one.slice(0, 7), other, other.slice(0, 12), one, other.slice(0, 5), other]) {
    expect(rows(await resolver.resolve(entries))).toEqual(rows(await resolve(entries)))
  }
})

function rows(state: Awaited<ReturnType<typeof resolve>>) {
  return [...state.rows('members').values()].map(({ identity, role }) => `${mapKey(identity)} ${role}`)
}

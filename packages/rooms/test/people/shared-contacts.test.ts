import fc from 'fast-check'
import { expect, onTestFinished, test, vi } from 'vitest'
import { encodeZ32 } from '@covey/core'
import { createMemorySecretStore, openIdentity, type LocalIdentity } from '@covey/identity'
import { randomBytes } from '../../src/internal/crypto.js'
import { createContacts, type LocalContacts } from '../../src/internal/people/contacts.js'
import { counts, MAX_CHANGED_AT, readShared } from '../../src/internal/people/shared-entry.js'
import { foldEntries } from '../../src/internal/personal/personal-state.js'
import { createSharedContacts } from '../../src/internal/personal/shared-contacts.js'
import { encodeStruct } from '../../src/internal/structs.js'
import { toHex } from '../support.js'
import { memoryStore } from './memory-store.js'

type Entry = { readonly name: string; readonly value: Uint8Array }

const PEOPLE = [1, 2].map((byte) => encodeZ32(new Uint8Array(32).fill(byte)))

async function self(): Promise<LocalIdentity> {
  const identity = await openIdentity({ storage: createMemorySecretStore() })
  onTestFinished(() => identity.close())
  return identity
}

/** A device of a person, and what it has heard of the devices' room, in the order in which it has it. */
function createDevice(identity: LocalIdentity) {
  const contacts = createContacts(memoryStore().store, identity)
  let heard: Entry[] = []
  const said: Entry[] = []
  const state = {
    get: (name: string) => foldEntries(heard).get(name),
    entries: (prefix: string) => [...foldEntries(heard)].filter(([name]) => name.startsWith(prefix)).map(([name, value]): [string, Uint8Array] => [name.slice(prefix.length), value]),
    async set(name: string, value: Uint8Array | null) {
      said.push({ name, value: value! })
    }
  }
  const shared = createSharedContacts(state, contacts)
  return { contacts, said, shared, hear: (entries: Entry[]) => void (heard = entries) }
}

function shown(contacts: LocalContacts): unknown {
  return { contacts: contacts.list(), blocked: contacts.blocked() }
}

const STEP = fc.record({
  device: fc.nat(2),
  person: fc.nat(1),
  /** By which the clock of the device is off. */
  clock: fc.constantFrom(-5_000, 0, 3_000),
  act: fc.oneof(fc.constantFrom('a', 'b').map((name) => ({ add: name })), fc.constantFrom('remove', 'block', 'unblock', 'sync'))
})

test('whatever devices do apart, and in whatever order they hear of it, all come to the same', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const identity = await self()
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 24 }), fc.infiniteStream(fc.nat(1_000)), async (steps, random) => {
      const devices = [0, 1, 2].map(() => createDevice(identity))
      const shuffled = (entries: Entry[]): Entry[] => {
        const keyed = entries.map((entry) => ({ entry, key: random.next().value as number }))
        return keyed.toSorted((a, b) => a.key - b.key).map(({ entry }) => entry)
      }
      const all = (): Entry[] => devices.flatMap(({ said }) => said)
      let now = 1_700_000_000_000
      for (const { device, person, clock, act } of steps) {
        vi.setSystemTime((now += 1_000) + clock)
        const { contacts, hear, shared } = devices[device]!
        const id = PEOPLE[person]!
        if (act === 'sync') hear(shuffled(all()))
        else if (typeof act === 'object') await contacts.add(id, { name: act.add })
        else if (act === 'remove') await contacts.remove(id)
        else if (act === 'block') await contacts.block(id)
        else await contacts.unblock(id)
        await shared.changed()
      }
      // As long as somebody has something to say.
      for (let before = -1; before !== all().length; ) {
        before = all().length
        for (const { hear, shared } of devices) {
          hear(shuffled(all()))
          await shared.changed()
        }
      }
      const [first, ...others] = devices.map(({ contacts }) => shown(contacts))
      for (const other of others) expect(other).toEqual(first)
      // And nobody says anything twice.
      for (const { said } of devices) expect(new Set(said.map(({ name, value }) => `${name} ${toHex(value)}`)).size).toBe(said.length)
    }),
    { numRuns: 200 }
  )
})

test('of two changes that knew nothing of each other the later one counts; who knows of one makes theirs later', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const identity = await self()
  const [laptop, phone] = [createDevice(identity), createDevice(identity)]
  const [bob] = PEOPLE as [string]
  const exchange = async (): Promise<void> => {
    for (const { hear, shared } of [laptop, phone, laptop, phone]) {
      await shared.changed()
      // The phone's words are last in the order.
      hear([...laptop.said, ...phone.said])
      await shared.changed()
    }
  }
  vi.setSystemTime(2_000)
  await laptop.contacts.add(bob, { name: 'later' })
  await laptop.contacts.block(bob)
  vi.setSystemTime(1_000)
  await phone.contacts.add(bob, { name: 'earlier' })
  await exchange()
  for (const { contacts } of [laptop, phone]) {
    expect(contacts.list()).toMatchObject([{ id: bob, name: 'later' }])
    expect(contacts.isBlocked(bob)).toBe(true)
  }
  // The phone's clock is behind: it knows of the laptop's.
  await phone.contacts.remove(bob)
  await phone.contacts.unblock(bob)
  await exchange()
  for (const { contacts } of [laptop, phone]) expect(shown(contacts)).toEqual({ contacts: [], blocked: [] })
  // And back.
  await laptop.contacts.add(bob, { name: 'again' })
  await exchange()
  expect(phone.contacts.get(bob)).toMatchObject({ name: 'again' })
})

test('no device can leave somebody whom the others cannot block', async () => {
  const { contacts, hear, shared } = createDevice(await self())
  const [bob] = PEOPLE as [string]
  hear([{ name: `block/${bob}`, value: encodeStruct('block', { blockedAt: 1, changedAt: 8.64e15, removed: true }) }])
  await shared.changed()
  expect(contacts.isBlocked(bob)).toBe(false)
  await contacts.block(bob)
  expect(contacts.isBlocked(bob)).toBe(true)
  // The other device has it so as well, in whatever order it hears of the two.
  const [unblocked, blocked] = [{ blockedAt: 1, changedAt: 8.64e15, removed: true }, { blockedAt: 2, changedAt: MAX_CHANGED_AT }].map((entry) => encodeStruct('block', entry)) as [Uint8Array, Uint8Array]
  expect([counts(`block/${bob}`, blocked, unblocked), counts(`block/${bob}`, unblocked, blocked)]).toEqual([true, false])
})

test('what is no entry of somebody changes nothing, whichever of one’s devices says it', async () => {
  const identity = await self()
  const { contacts, hear, shared, said } = createDevice(identity)
  const [bob] = PEOPLE as [string]
  await contacts.add(bob, { name: 'Bob' })
  const before = shown(contacts)
  const contact = encodeStruct('contact', { addedAt: 1, name: 'x', changedAt: 8.64e15 })
  const block = encodeStruct('block', { blockedAt: 1 })
  hear([
    { name: `contact/${bob}`, value: randomBytes(3) },
    { name: `contact/${bob}`, value: encodeStruct('contact', { addedAt: 1, changedAt: 8.64e15 + 2 }) },
    { name: 'contact/', value: contact },
    { name: 'contact/x', value: contact },
    { name: `contact/${bob}/x`, value: contact },
    { name: `block/${identity.identity.id}`, value: block },
    { name: `contact/${identity.identity.id}`, value: contact }
  ])
  await shared.changed()
  expect(shown(contacts)).toEqual(before)
  expect(said).toMatchObject([{ name: `contact/${bob}` }])
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 48 }), fc.uint8Array({ maxLength: 48 }), (one, other) => {
      const name = `contact/${bob}`
      const isSame = Buffer.from(one).equals(Buffer.from(other))
      const both = [one, other].every((value) => readShared(name, value) !== undefined)
      if (isSame) expect(counts(name, one, other) && both).toBe(false)
      else if (both) expect(counts(name, one, other)).toBe(!counts(name, other, one))
      expect(counts('room/x', one, other)).toBe(false)
    })
  )
})

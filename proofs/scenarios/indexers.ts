import type { Person } from './person.js'
import { assertSound, check, eventually, letIn, meet, texts, type Play } from './play.js'

/** How many of the last messages a newcomer reads. */
const LAST = 50

/** Two of three indexers are gone, for ever as it seems: the room goes on, and when they come back after all, all agree. */
export async function indexersGone({ random, person }: Play): Promise<void> {
  const [alice, bob, carol, dave] = (await Promise.all(['Alice', 'Bob', 'Carol', 'Dave'].map((name) => person(name)))) as [Person, Person, Person, Person]
  await meet(alice, bob, carol, dave)
  for (const admin of [bob, carol]) await alice.room.setRole(admin.person, 'admin')
  // Who indexes has written something.
  for (const each of [bob, carol]) await each.say([`${each.name} is here`])
  await alice.reads(['Bob is here', 'Carol is here'])
  await alice.room.setIndexers([alice, bob, carol].map(({ device }) => device))
  for (const each of [alice, bob, carol, dave]) {
    await eventually(() => each.room.health(), ({ indexers, spareIndexers }) => indexers.length === 3 && spareIndexers === 1, `${each.name} does not see three indexers:`)
  }

  await Promise.all([alice.kill(), bob.kill()])
  const unsettled = [...texts('c', 30 + random.below(20)), ...texts('d', 30 + random.below(20))]
  await Promise.all([carol.say(unsettled.filter((text) => text.startsWith('c'))), dave.say(unsettled.filter((text) => text.startsWith('d')))])
  for (const each of [carol, dave]) await each.reads(unsettled)
  await Promise.all([carol.kill(), dave.kill()])
  await Promise.all([carol.wake(), dave.wake()])
  for (const each of [carol, dave]) await each.reads(unsettled)
  for (const each of [carol, dave]) await eventually(() => each.room.health(), ({ state, spareIndexers, unsignedMessages }) => state === 'waiting' && spareIndexers === -1 && unsignedMessages >= unsettled.length, `${each.name} does not see what is missing:`)

  const erin = await person('Erin')
  await letIn(carol, erin)
  const [last] = await eventually(async () => Promise.all([erin.texts(LAST), carol.texts(LAST)]), ([hers, known]) => hers.join() === known.join(), 'A newcomer does not read the last messages:')
  check(last.length === LAST, 'There are fewer.', last.length)
  await erin.say(['I am new'])
  await dave.say(['I am not'])
  for (const each of [carol, dave, erin]) await each.reads(['I am new', 'I am not'])
  await Promise.all([carol.kill(), dave.kill()])

  // Back after all, and first without those who went on.
  await alice.wake()
  await alice.say(['I was away'])
  await Promise.all([bob, carol, dave].map((each) => each.wake()))
  const everybody = [alice, bob, carol, dave, erin]
  await agree(everybody, [...unsettled, 'I am new', 'I am not', 'I was away', 'hello', 'Bob is here', 'Carol is here'])
}

/** All have the same, each once, in one order, and all of it is settled. */
async function agree(people: readonly Person[], said: readonly string[]): Promise<void> {
  await Promise.all(people.map((each) => each.reads(said)))
  for (const each of people) await eventually(() => each.room.health(), ({ unsignedMessages }) => unsignedMessages === 0, `For ${each.name} not all is settled:`)
  const [first, ...others] = await Promise.all(people.map((each) => each.texts()))
  check(first!.toSorted().join() === said.toSorted().join(), 'Something is there twice.', first)
  for (const [i, other] of others.entries()) check(other.join() === first!.join(), `${people[i + 1]!.name} has another order.`, { first, other })
  await assertSound(...people)
}

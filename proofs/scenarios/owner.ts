import { CallError } from '../called-process.js'
import type { Person } from './person.js'
import { assertSound, check, eventually, letIn, meet, type Play } from './play.js'

/** @throws unless it is refused, because somebody may not. */
async function refused(what: string, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(() => 'done', (error: unknown) => (error instanceof CallError ? error.code : error))
  check(outcome === 'ROOM_FORBIDDEN', `To ${what} is not refused:`, String(outcome))
}

/** Is gone for good, and leaves an invite that the others know of. */
async function leave(owner: Person, others: readonly Person[]): Promise<string> {
  const before = await Promise.all(others.map((each) => each.room.invites()))
  const link = await owner.room.createInvite()
  for (const [i, each] of others.entries()) {
    await eventually(() => each.room.invites(), (invites) => invites.length > before[i]!.length, `${each.name} does not know of the invite:`)
  }
  await owner.lose()
  return link
}

/** People talk and restart, nothing is settled, and who has an invite of the owner's from before comes in, while the last of them is there. */
async function goesOn(person: Play['person'], link: string, people: readonly Person[]): Promise<Person> {
  const words = people.map(({ name }) => `${name} goes on`)
  for (const each of people) await each.say([`${each.name} goes on`])
  await Promise.all(
    people.map(async (each) => {
      await each.reads(words)
      await each.kill()
    })
  )
  // One is enough, of whatever role.
  const [last] = people.slice(-1)
  await last!.wake()
  const newcomer = await person('Newcomer')
  await newcomer.join(link)
  await newcomer.reads(words)
  await newcomer.say(['I am new'])
  await Promise.all(people.slice(0, -1).map((each) => each.wake()))
  for (const each of people) {
    await each.reads([...words, 'I am new'])
    await eventually(() => each.room.health(), ({ state, spareIndexers }) => state === 'waiting' && spareIndexers === -1, `${each.name} does not see that the indexer is away:`)
  }
  return newcomer
}

/** What only an owner may, nobody may any more. */
async function nobodyIsOwner(owner: string, people: readonly Person[]): Promise<void> {
  for (const each of people) {
    await refused('give the room away', each.room.transferOwnership(each.person))
    await refused('remove the owner', each.room.remove(owner))
    await refused('change the role of the owner', each.room.setRole(owner, 'member'))
  }
}

/** The sole owner is gone for ever, and there are three admins. */
export async function ownerGoneWithAdmins({ person, mirror }: Play): Promise<void> {
  const one = await mirror('one')
  const [alice, bob, carol, dave] = (await Promise.all(['Alice', 'Bob', 'Carol', 'Dave'].map((name) => person(name)))) as [Person, Person, Person, Person]
  const admins = [bob, carol, dave]
  await meet(alice, ...admins)
  for (const admin of admins) {
    await alice.room.setRole(admin.person, 'admin')
    await eventually(() => admin.room.info(), ({ role }) => role === 'admin', `${admin.name} is no admin:`)
  }
  const link = await leave(alice, admins)
  const owner = alice.person

  const erin = await goesOn(person, link, admins)
  await nobodyIsOwner(owner, admins)
  const frank = await person('Frank')
  await letIn(bob, frank)
  await frank.reads(['I am new'])

  // Roles below their own, and what comes with them.
  await bob.room.setRole(erin.person, 'moderator')
  await eventually(() => erin.room.info(), ({ role }) => role === 'moderator', 'Erin is no moderator:')
  await refused('make an admin', bob.room.setRole(erin.person, 'admin'))
  await refused('remove an admin', bob.room.remove(carol.person))
  await erin.room.mute(frank.person)
  await isMuted(frank)
  const { id } = await carol.room.send('to be deleted')
  await dave.reads(['to be deleted'])
  await erin.room.delete(id)
  await eventually(() => dave.texts(1), ([text]) => text === '', 'It is not deleted:')
  await carol.room.remove(frank.person)
  await isOut(frank, erin)

  // The room itself.
  await bob.room.rename('Tea without Alice')
  await eventually(() => erin.room.info(), ({ name }) => name === 'Tea without Alice', 'The room has its old name:')
  await bob.room.setRules({ slowModeMs: 1_000 })
  await eventually(() => erin.room.info(), ({ rules }) => rules.slowModeMs === 1_000, 'The room has its old rules:')
  await bob.room.setMirrors([one.link])
  await eventually(() => carol.reached(), (ids) => ids.length === 1, 'The mirror of the room is not met:')
  await carol.say(['held by a mirror'])
  check((await carol.durable()) !== null, 'The mirror of the room holds nothing.')

  // Others are named to index, and nobody is there who could settle that.
  const { signedMessages } = await carol.room.health()
  await refused('leave the owner out of the indexers', bob.room.setIndexers(admins.map(({ device }) => device)))
  await bob.room.setIndexers([alice, bob, carol].map(({ device }) => device))
  await erin.say(['after the naming'])
  for (const each of admins) {
    await each.reads(['after the naming'])
    const health = await each.room.health()
    check(health.state === 'waiting' && health.signedMessages === signedMessages, `${each.name} sees that something is settled:`, health)
  }
  await assertSound(...admins, erin)
}

async function isMuted(person: Person): Promise<void> {
  const send = (): Promise<string | undefined> => person.room.send('muted').then(() => 'sent', ({ code }: CallError) => code)
  await eventually(send, (outcome) => outcome === 'ROOM_FORBIDDEN', `${person.name} is not muted:`)
}

async function isOut(person: Person, seenBy: Person): Promise<void> {
  await eventually(() => seenBy.room.members(), (members) => members.every(({ id }) => id !== person.person), `${person.name} is in still:`)
}

/** The sole owner is gone for ever, and there is no admin: a moderator, and members. */
export async function ownerGoneAlone({ person }: Play): Promise<void> {
  const [alice, bob, carol] = (await Promise.all(['Alice', 'Bob', 'Carol'].map((name) => person(name)))) as [Person, Person, Person]
  await meet(alice, bob, carol)
  await alice.room.setRole(bob.person, 'moderator')
  await eventually(() => bob.room.info(), ({ role }) => role === 'moderator', 'Bob is no moderator:')
  const link = await leave(alice, [bob, carol])
  const owner = alice.person

  const erin = await goesOn(person, link, [bob, carol])
  await nobodyIsOwner(owner, [bob, carol])
  for (const each of [bob, carol]) {
    await refused('change a role', each.room.setRole(erin.person, 'moderator'))
    await refused('rename the room', each.room.rename('Another'))
    await refused('change its rules', each.room.setRules({ broadcast: true }))
    await refused('name mirrors', each.room.setMirrors([]))
    await refused('name indexers', each.room.setIndexers([each.device]))
  }
  await refused('invite', carol.room.createInvite())
  await refused('mute', carol.room.mute(erin.person))
  await refused('remove', carol.room.remove(erin.person))
  const { id } = await erin.room.send('to be deleted')
  for (const each of [bob, carol]) await each.reads(['to be deleted'])
  await refused('delete what another says', carol.room.delete(id))
  await bob.room.delete(id)
  await eventually(() => carol.texts(1), ([text]) => text === '', 'It is not deleted:')

  // A moderator lets people in, and sends them away.
  const frank = await person('Frank')
  await letIn(bob, frank)
  await frank.reads(['I am new'])
  await bob.room.mute(erin.person)
  await isMuted(erin)
  await bob.room.remove(erin.person)
  await isOut(erin, carol)
  await carol.room.leave()
  await isOut(carol, bob)
  await assertSound(bob, frank)
}

import { join } from 'node:path'
import type { NetworkAddress } from 'covey'
import { claimSame, describeMembers, essence, type Essence } from './claims.js'
import { startPerson, type Person } from './person.js'

export interface StoryInit {
  /** Where the people's folders are made. */
  readonly folder: string
  readonly bootstrap: readonly NetworkAddress[]
  /** Is told each step once it has happened and was checked. */
  readonly tell: (step: string) => void
  /** Default {@link startPerson}. */
  readonly start?: typeof startPerson
}

/**
 * Two people meet, talk, leave and come back.
 *
 * @throws {ClaimFailed} as soon as something is not as it is told
 */
export async function playStory({ folder, bootstrap, tell, start = startPerson }: StoryInit): Promise<void> {
  const startAs = (name: string): Promise<Person> =>
    start({ name, storage: join(folder, name.toLowerCase()), bootstrap })

  let [alice, bob] = await Promise.all([startAs('Alice'), startAs('Bob')])
  tell(`Alice and Bob start, as processes ${alice.processId} and ${bob.processId}.`)
  const bobsIdentity = await bob.ask('identity')

  await alice.ask('create', 'Tea')
  await alice.ask('listen')
  const invite = await alice.ask('invite')
  tell(`Alice makes the room “Tea” and an invite: ${abbreviate(invite)}`)
  await bob.ask('join', invite)
  await bob.ask('listen')
  const members = describeMembers(await bob.ask('members'))
  claimSame('The members that Bob sees', members, 'Alice (owner), Bob (member)')
  tell(`Bob joins by it. Members: ${members}.`)

  await say(alice, bob, 'Hello Bob, the kettle is on. ☕')
  await say(bob, alice, 'Lovely! With milk, please.')
  await say(alice, bob, 'One lump or two?')
  const before = await sameHistory(alice, bob, 3)
  tell('Both have the same 3 messages, in the same order.')

  await bob.end()
  tell('Bob’s process ends.')
  const text = 'The tea is ready.'
  const missed = await alice.ask('send', text)
  await alice.end()
  tell(`Alice: “${text}” Nobody is there to read it, and her process ends too.`)

  bob = await startAs('Bob')
  claimSame('Bob’s identity', await bob.ask('identity'), bobsIdentity)
  claimSame('What Bob finds on his disk', (await bob.ask('history')).map(essence), before)
  tell('Bob starts anew, alone: the same person, with all 3 messages from his own disk.')
  await bob.ask('listen', before.at(-1)!.id)
  alice = await startAs('Alice')
  claimSame('What Bob missed', essence(await bob.nextMessage()), essence(missed))
  tell(`Alice starts anew, and Bob reads what he missed: “${text}”`)
  await alice.ask('listen', missed.id)
  await say(bob, alice, 'On my way!')
  await sameHistory(alice, bob, 5)
  tell('Both have the same 5 messages, in the same order.')
  await Promise.all([alice.end(), bob.end()])

  async function say(speaker: Person, listener: Person, text: string): Promise<void> {
    const startedAt = performance.now()
    const [sent, heard] = await Promise.all([speaker.ask('send', text), listener.nextMessage()])
    const tookMs = Math.ceil(performance.now() - startedAt)
    claimSame(`What ${speaker.name} sent`, { text: sent.text, by: sent.authorName }, { text, by: speaker.name })
    claimSame(`What ${listener.name} heard`, essence(heard), essence(sent))
    tell(`${speaker.name}: “${text}” ${listener.name} reads it within ${tookMs} ms.`)
  }
}

async function sameHistory(one: Person, other: Person, count: number): Promise<Essence[]> {
  const history = (await one.ask('history')).map(essence)
  claimSame(`The number of messages that ${one.name} has`, history.length, count)
  claimSame(`What ${other.name} has`, (await other.ask('history')).map(essence), history)
  return history
}

function abbreviate(invite: string): string {
  return `${invite.slice(0, 20)}…${invite.slice(-6)}`
}

import { createPeer, localNetwork } from 'covey'
import { decodeInvite } from '../../packages/rooms/src/invite.js'
import { partsOfRooms } from '../../packages/rooms/src/internal/rooms-parts.js'
import { readMessages } from './read.js'
import { admit, createMember, speak, type Member } from './simulate.js'

/** A room that is to be made. */
export interface Wanted {
  readonly storage: string
  readonly bootstrap: Parameters<typeof localNetwork>[0]
  /** Simulated ones. The owner is one more. */
  readonly members: number
  /** How many messages there are to be at least: what the members do not say, the owner has said before them. */
  readonly messages: number
}

/** The room that was made: the link by which others join, and how long the work took. */
export interface Built {
  readonly invite: string
  readonly admittedMs: number
  readonly spokenMs: number
}

/** So many are heard at once; more hints than a room keeps would be dropped. */
const ROUND = 100
/** So many are sent at once. */
const TALK = 1_000

const { storage, bootstrap, members: count, messages } = JSON.parse(process.argv[2]!) as Wanted
const peer = await createPeer({ storage, name: 'Alice', network: localNetwork(bootstrap) })
const room = await peer.rooms.create({ name: 'Tea' })
const invite = await room.createInvite()
const link = decodeInvite(invite)
const { open, stack } = partsOfRooms(peer.rooms)
const opened = open.get(room.id)!

const before = Math.max(0, messages - count)
for (let from = 0; from < before; from += TALK) {
  await Promise.all(Array.from({ length: Math.min(TALK, before - from) }, (_, i) => room.send(textOf(from + i))))
}
const startedAt = performance.now()
const members: Member[] = []
for (let i = 0; i < count; i++) {
  const member = await createMember(stack.corestore, `Member ${i}`)
  await admit(opened, link, member)
  members.push(member)
}
const admittedAt = performance.now()

// Each has read what the ones before them say, and they hear of it all in rounds.
for (let from = 0; from < count; from += ROUND) {
  const round = members.slice(from, from + ROUND)
  let heads = opened.base.heads()
  for (const [i, member] of round.entries()) heads = await speak(opened, stack.corestore, member, heads, textOf(before + from + i))
  opened.base.hintWakeup(round.map(({ core: { key } }) => ({ key, length: 2 })))
  await opened.until(async () => (await opened.view.meta()).messages === before + from + round.length || undefined)
}
const spokenAt = performance.now()

await readMessages(room, messages)
const [{ skipped }, all] = [await opened.view.meta(), await room.members()]
const named = all.filter(({ name }) => name !== '').length
if (skipped > 0 || all.length !== count + 1 || named !== all.length) {
  throw new Error(`The room has ${all.length} members, ${named} with a name, and ${skipped} ops that count for nothing.`)
}
await peer.close()
for (const { identity } of members) await identity.close()
const built: Built = { invite, admittedMs: admittedAt - startedAt, spokenMs: spokenAt - admittedAt }
await new Promise<void>((resolve) => process.send!(built, undefined, {}, () => resolve()))
process.exit(0)

function textOf(i: number): string {
  return `message ${i}`.padEnd(81, '.')
}

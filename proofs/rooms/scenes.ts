import { decodeOp } from '../../packages/rooms/src/internal/op.js'
import { createPrng } from '../model/prng.js'
import { cheat, giveKey } from './cheat.js'
import { hex, type Member } from './member.js'
import { checkMessages, inRoom, join, lacking, send, settle, type Play } from './prove.js'
import type { World } from './world.js'

/** What random rooms come upon too rarely: each script is for one rule, and fails without it. */
const SCRIPTS = {
  /** Somebody carries on other keys than there were: who comes then asks for the true ones. */
  async 'false-parents'(play) {
    const [owner, liar] = await roomOf(play, 2)
    await send(play, owner!)
    await settle(play, play.members)
    play.told.push('m1 cheats: other-parents')
    await cheat(liar!, 'other-parents')
    await settle(play, play.members)
    await send(play, owner!)
    await join(play, owner!, 2)
    await settle(play, play.members)
    await checkMessages(play, true)
  },

  /** Who comes after a change of keys reads what was before, also where nobody is left to ask. */
  async 'alone-with-the-past'(play) {
    const [owner, removed] = await roomOf(play, 2)
    await send(play, owner!)
    await remove(play, owner!, removed!)
    await send(play, owner!)
    await join(play, owner!, 2)
    const newcomer = play.members[2]!
    await settle(play, [owner!, newcomer])
    await part(play)
    const missing = await lacking(newcomer, play.sent, true)
    if (missing.length > 0) throw new Error(`m2 lacks: ${missing.join(', ')}`)
  },

  /** Who made a key knows it, whoever it was given to: it is not used once they are out. */
  async 'key-of-the-removed'(play) {
    const [owner, removed] = await roomOf(play, 3)
    play.told.push('m1 cheats: not-to-itself')
    await cheat(removed!, 'not-to-itself')
    await settle(play, play.members)
    await remove(play, owner!, removed!)
    await send(play, owner!)
    await settle(play, play.members)
    const [row] = (await owner!.view.messages(0, Infinity)).slice(-1)
    const epoch = await owner!.view.epoch(decodeOp(row!.op)!.header.epoch!)
    if (hex(epoch!.writer) === removed!.writer) throw new Error('What follows the removal is sealed with a key of the removed.')
    await checkMessages(play, true)
  },

  /** A key that one of the members gives to somebody who is out is not used any more. */
  async 'granted-to-the-removed'(play) {
    const [owner, removed, giver] = await roomOf(play, 3)
    await remove(play, owner!, removed!)
    await send(play, owner!)
    await settle(play, play.members)
    play.told.push('m2 grants m1 the key')
    await giveKey(giver!, removed!)
    await settle(play, play.members)
    await send(play, owner!)
    await settle(play, play.members)
    if ((await removed!.room.message(play.sent.at(-1)!.id))?.kind === 'text') throw new Error('m1 reads what follows.')
  },

  /** Who does not know that somebody has gone gives them a key, of which who knows it has not heard. */
  async 'given-to-the-gone'(play) {
    const [owner, author, other] = await roomOf(play, 3)
    await send(play, owner!)
    await settle(play, play.members)
    await group(play, [author!, other!])
    play.told.push('m2 leaves')
    await other!.room.leave()
    await settle(play, [author!, other!])
    await send(play, author!)
    await settle(play, [author!, other!])
    await join(play, owner!, 3)
    const gone = play.members[3]!
    await settle(play, [owner!, gone])
    await group(play, [author!, gone])
    await settle(play, [author!, gone])
    play.told.push('m3 leaves')
    await gone.room.leave()
    await settle(play, [author!, gone])
    await group(play, [owner!, other!])
    await settle(play, [owner!, other!])
    await send(play, owner!)
    await settle(play, [owner!, other!])
    await part(play)
    await send(play, author!)
    for (const one of play.members) one.group = 0
    await settle(play, play.members)
    await checkMessages(play, true)
  },

  /** Who writes under a key does not lose it with its maker, whom somebody removes who knows of neither. */
  async 'removed-maker-of-a-key'(play) {
    const [owner, admin, member, other] = await roomOf(play, 4)
    await owner!.room.setRole(idOf(admin!), 'admin')
    await settle(play, play.members)
    await part(play)
    member!.group = admin!.group
    await remove(play, admin!, other!)
    await settle(play, [admin!, member!])
    await send(play, member!)
    await member!.log.settled()
    const [message] = (await member!.view.messages(0, Infinity)).slice(-1)
    const epoch = decodeOp(message!.op)!.header.epoch!
    if (hex((await member!.view.epoch(epoch))!.writer) !== admin!.writer) throw new Error('m1 made no key.')
    await remove(play, owner!, admin!)
    for (const one of play.members) one.group = 0
    await settle(play, play.members)
    await checkMessages(play, true)
    if (hex((await owner!.view.epoch(epoch))!.writer) !== member!.writer) throw new Error('m2 did not bring the key back.')
  },

  /** Who made a key is out, and who has written under it has left: who lacks it finds it, and brings it back. */
  async 'key-of-two-who-are-gone'(play) {
    const [owner, admin, member, other] = await roomOf(play, 4)
    await owner!.room.setRole(idOf(admin!), 'admin')
    await settle(play, play.members)
    await part(play)
    member!.group = admin!.group
    await remove(play, admin!, other!)
    await settle(play, [admin!, member!])
    await send(play, member!)
    play.told.push('m2 leaves')
    await member!.room.leave()
    await settle(play, [admin!, member!])
    await remove(play, owner!, admin!)
    for (const one of play.members) one.group = 0
    await settle(play, play.members)
    await checkMessages(play, true)
  },

  /** What the removed did meanwhile is void, whatever the order says; the owner, who signs it, comes late. */
  async 'removed-while-removing'(play) {
    const [owner, moderator, member, admin] = await roomOf(play, 4)
    await owner!.room.setRole(idOf(moderator!), 'moderator')
    await owner!.room.setRole(idOf(admin!), 'admin')
    await settle(play, play.members)
    await part(play)
    await remove(play, moderator!, member!)
    await remove(play, admin!, moderator!)
    admin!.group = moderator!.group
    await settle(play, [moderator!, admin!])
    for (const one of play.members) one.group = 0
    await settle(play, play.members)
    const device = await owner!.view.device(member!.base.local.key)
    if (device?.removed) throw new Error('m2 was removed by somebody who was out.')
  }
} satisfies Record<string, (play: Play) => Promise<void>>

export type SceneName = keyof typeof SCRIPTS
export const SCENES = Object.keys(SCRIPTS) as readonly SceneName[]

export function proveScene(name: SceneName, seed: number, world: World): Promise<void> {
  return inRoom(createPrng(seed), world, 'full', SCRIPTS[name])
}

/** The owner, and so many others, who all know each other. */
async function roomOf(play: Play, people: number): Promise<readonly Member[]> {
  for (let i = 1; i < people; i++) await join(play, play.members[0]!, i)
  await settle(play, play.members)
  return play.members
}

/** Connects those, and parts all others. */
async function group({ members, links, told }: Play, together: readonly Member[]): Promise<void> {
  for (const [i, member] of members.entries()) member.group = together.includes(member) ? members.length : i
  told.push(`together: ${together.map(({ name }) => name).join(' ')}`)
  await links.arrange(members)
}

async function part({ members, links, told }: Play): Promise<void> {
  for (const [i, member] of members.entries()) member.group = i
  told.push('all part')
  await links.arrange(members)
}

async function remove({ told }: Play, by: Member, whom: Member): Promise<void> {
  told.push(`${by.name} removes ${whom.name}`)
  await by.room.remove(idOf(whom))
}

function idOf({ machine }: Member): string {
  return machine.identity.identity.id
}

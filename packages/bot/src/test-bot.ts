import { assertOptions, assertString, createEvents, type CoveyError } from '@covey/core'
import { createPeer, type Message, type Peer, type Role, type Room } from 'covey'
import type { Bot, Handled } from './bot.js'

/** Who talks to a bot. */
export interface BotChatInit {
  /** What the person goes by. Default `Tester`. */
  readonly name?: string
  /** What the person may do. Default `member`. */
  readonly role?: Exclude<Role, 'owner'>
}

/** A person in a bot's own room, with a peer of their own. */
export interface BotChat {
  /**
   * Sends a text, waits until the bot has handled it, and gives the texts of its replies as they arrived here.
   * Starts the bot, and joins, if need be. It waits as long as the bot takes: a test has a time-out of its own.
   */
  say(text: string): Promise<string[]>
  /** The room, as the person has it. */
  room(): Promise<Room>
  /** Closes the person's peer, and not the bot. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Lets a person talk to a bot in a test, over the network that the bot was made with. Each call is another person.
 *
 * @throws {TypeError} when an option is malformed or unknown, and for a bot that was given no `network`: a test
 *   does not talk on the public one
 * @example
 * ```ts
 * import type { Bot } from '@covey/bot'
 * import { testBot } from '@covey/bot/testing'
 *
 * async function test(bot: Bot<Record<string, unknown>>) {
 *   await using alice = testBot(bot, { name: 'Alice', role: 'moderator' })
 *   if (!(await alice.say('/help'))[0]?.includes('/ping')) throw new Error('no ping')
 * }
 * console.log(test.name)
 * ```
 */
export function testBot<Session>(bot: Bot<Session>, init: BotChatInit = {}): BotChat {
  assertOptions(init, 'init', ['name', 'role'])
  const { name = 'Tester', role = 'member' } = init
  const { network } = bot
  if (network === undefined) throw new TypeError('bot must be made with a network: localNetwork(…)')
  assertString(name, 'init.name', { minLength: 1 })
  const handled = new Map<string, Handled>()
  const changes = createEvents<{ handled: undefined; error: CoveyError }>()
  const stopListening = bot.events.on('handled', (one) => {
    handled.set(one.messageId, one)
    void changes.emit('handled', undefined)
  })
  let entering: Promise<{ peer: Peer; room: Room }> | undefined

  async function enter(): Promise<{ peer: Peer; room: Room }> {
    await bot.start({ handleSignals: false, print: () => undefined })
    const own = bot.room
    if (own === undefined) throw new TypeError('bot has no room of its own: it was started with invite: false')
    const peer = await createPeer({ name, ...(network && { network }) })
    try {
      return { peer, room: await peer.rooms.join(await own.createInvite({ role, uses: 1 })) }
    } catch (error) {
      await peer.close()
      throw error
    }
  }
  const entered = (): Promise<{ peer: Peer; room: Room }> => (entering ??= enter())

  async function outcomeOf(messageId: string): Promise<Handled> {
    for (;;) {
      const next = changes.once('handled')
      const found = handled.get(messageId)
      if (found !== undefined) return found
      await next
    }
  }

  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      stopListening()
      await (await entering)?.peer.close()
    })())

  return {
    async say(text) {
      const { room } = await entered()
      const { id } = await room.send(text)
      const { replies } = await outcomeOf(id)
      return Promise.all(replies.map(async (reply) => (await arrival(room, reply)).text))
    },
    room: async () => (await entered()).room,
    close,
    [Symbol.asyncDispose]: close
  }
}

async function arrival(room: Room, id: string): Promise<Message> {
  for await (const message of room.messages({ live: true })) if (message.id === id) return message
  throw new Error('the room ended')
}

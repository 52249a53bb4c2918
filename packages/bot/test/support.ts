import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createBot, type Bot, type BotInit, type Handled } from '@covey/bot'
import { testBot, type BotChat, type BotChatInit } from '@covey/bot/testing'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { createPeer, localNetwork, type Message, type Network, type Peer, type Room } from 'covey'

export interface TestNetwork {
  readonly network: Network
}

/** A local DHT for all tests of a file. */
export function useLocalNetwork(): TestNetwork {
  let local: LocalNetwork | undefined
  beforeAll(async () => void (local = await createLocalNetwork()))
  afterAll(() => local?.close())
  return {
    get network() {
      return localNetwork(local!.bootstrap)
    }
  }
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'covey-bot-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A bot that is closed at the end of the test; what it reports fails the test, unless the test listens. */
export async function makeBot<Session = Record<string, unknown>>(
  { network }: TestNetwork,
  init: Partial<BotInit<Session>> = {}
): Promise<Bot<Session>> {
  const bot = await createBot<Session>({ network, name: 'echo', ...init })
  onTestFinished(() => bot.close())
  return bot
}

/** Somebody who talks to a bot, until the end of the test. */
export function talkTo<Session>(bot: Bot<Session>, init?: BotChatInit): BotChat {
  const chat = testBot(bot, init)
  onTestFinished(() => chat.close())
  return chat
}

export async function makePeer({ network }: TestNetwork, name: string): Promise<Peer> {
  const peer = await createPeer({ network, name })
  onTestFinished(() => peer.close())
  return peer
}

/** Starts without a word, and without ears for signals. */
export const QUIET = { print: (): void => undefined, handleSignals: false }

/** The codes of what a bot reports from now on, and its errors. */
export function errorsOf<Session>(bot: Bot<Session>): { readonly codes: string[]; readonly all: Error[] } {
  const errors = { codes: [] as string[], all: [] as Error[] }
  bot.events.on('error', (error) => {
    errors.codes.push(error.code)
    errors.all.push(error)
  })
  return errors
}

/** Resolves when the bot has handled so many messages from now on. */
export function handles<Session>(bot: Bot<Session>, count: number): Promise<Handled[]> {
  const all: Handled[] = []
  return new Promise((resolve) => {
    const stop = bot.events.on('handled', (handled) => {
      all.push(handled)
      if (all.length < count) return
      stop()
      resolve(all)
    })
  })
}

/** Everything in a room, when `check` says that it is enough. */
export async function messagesUntil(room: Room, check: (messages: readonly Message[]) => boolean): Promise<Message[]> {
  const messages: Message[] = []
  // Those that are sent, so that an iteration without `live` gives them too.
  for await (const message of room.messages({ live: true, pending: false })) {
    messages.push(message)
    if (check(messages)) return messages
  }
  throw new Error('the room ended')
}

export async function textsOf(room: Room): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of room.messages()) texts.push(text)
  return texts
}

/** The code that a call fails with, or `null` when it succeeds. */
export async function codeOf(call: () => unknown): Promise<string | null> {
  try {
    await call()
    return null
  } catch (error) {
    if (error instanceof TypeError) return 'TypeError'
    return (error as { code?: string }).code ?? String(error)
  }
}

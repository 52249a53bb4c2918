import type Corestore from 'corestore'
import { assertInteger, assertOptions, createEvents, encodeZ32, isCoveyError, raceSignal, type EventSource } from '@covey/core'
import type { Contact, Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { MirrorError } from './errors.js'
import { answerChallenge } from './internal/holding/challenge.js'
import { holdingChannel, listen, MAX_NAMED, type HoldingMessage, type RefusalCode } from './internal/holding/channel.js'
import { Holdings } from './internal/holding/holdings.js'
import { MirrorSet } from './internal/holding/mirror-set.js'
import { createOutbox } from './internal/holding/outbox.js'
import { createQuestions } from './internal/holding/questions.js'
import { decodeMirrorLink, type MirrorAddress } from './mirror-link.js'

/** What {@link createMirrorClient} needs. */
export interface MirrorClientInit {
  readonly node: Node
  /** The links of mirrors that hold what this device asks for, at most 8. */
  readonly mirrors: readonly string[]
  /** How many other mirrors, which holdings name, are used at a time, 0 to 64. Default {@link DEFAULT_MAX_NAMED_MIRRORS}. */
  readonly maxNamed?: number
}

/** Enough for the rooms that people have; and who is in many rooms of strangers has not all of their mirrors to deal with. */
export const DEFAULT_MAX_NAMED_MIRRORS = 16
const MAX_NAMED_MIRRORS = 64

/** What mirrors tell. */
export interface MirrorClientEvents {
  /** A mirror says that it has the first `length` blocks of a core on its disk. */
  held: { readonly mirror: string; readonly key: Uint8Array; readonly length: number }
  /** A mirror said that it has blocks, and when it was asked for one it had not. It is not believed any more. */
  lied: { readonly mirror: string; readonly key: Uint8Array; readonly index: number }
  /** A mirror can be asked from now on, or cannot be any more. */
  reach: { readonly mirror: string; readonly isConnected: boolean }
  /** A mirror does not hold a core, or no more of it. */
  refused: { readonly mirror: string; readonly key: Uint8Array; readonly code: RefusalCode }
  error: MirrorError
}

/** Cores that are held together, as those of a room are: by the device's own mirrors, and by others. */
export interface Holding {
  /** The mirrors that are to hold them, by id: the device's own, and of those that were named the ones that are used. */
  readonly mirrors: readonly string[]
  /** Has them hold cores, by key, from now on, whenever they are met. */
  hold(keys: Iterable<Uint8Array>): void
  /** Asks them to hold these no more, unless something else here wants them held; they may keep what they have. */
  release(keys: Iterable<Uint8Array>): void
  /**
   * Names mirrors beside the device's own, in place of those before; these are asked to hold none of it any more, and
   * may keep what they have. Of the links the first 8 count; and of all that holdings name, the client's `maxNamed`.
   *
   * @throws {CoveyError} LINK_… when a link is none of a mirror.
   */
  name(links: readonly string[]): void
  /** The mirrors keep what they hold, and are asked for nothing more. Idempotent. */
  close(): void
}

/** A device's side of its mirrors: has them hold cores, and asks for proof that they do. */
export interface MirrorClient extends EventSource<MirrorClientEvents> {
  /** The device's own mirrors, by id. */
  readonly mirrors: readonly string[]
  /** Those that holdings name beside them, and that are used, by id. */
  readonly named: readonly string[]
  /** The mirrors and other devices that can be asked for proof now, by id. */
  readonly peers: readonly string[]
  /** Has the device's own mirrors hold cores, by key, from now on, whenever they are met. */
  hold(keys: Iterable<Uint8Array>): void
  /** Begins to have cores held that belong together. */
  open(): Holding
  /** Tells of what failed in the background, by the event `error`. */
  report(cause: unknown): void
  /** How many of the first blocks of a core each mirror says to have, by the id of the mirror. */
  held(key: Uint8Array): ReadonlyMap<string, number>
  /**
   * Whether a mirror or device has the first blocks of a core, proven now: it is asked for the last of them, and for another
   * at random, the same one until it has it, where this device has that too; in words that only who has them can answer.
   * False too when it does not answer within 10 s.
   *
   * @param length at least 1; this device has the last of so many blocks.
   * @throws {MirrorError} MIRROR_FAILED when it has not.
   * @throws the signal's `reason` when it is aborted first.
   */
  prove(peer: string, key: Uint8Array, length: number, options?: { signal?: AbortSignal | undefined }): Promise<boolean>
  /**
   * Gets a block of a core from whoever has it, where this device has not. False when nobody gives it within 10 s.
   *
   * @throws the signal's `reason` when it is aborted first.
   */
  fetch(key: Uint8Array, index: number, options?: { signal?: AbortSignal | undefined }): Promise<boolean>
  /** Idempotent. The mirrors keep what they hold. */
  close(): Promise<void>
}

const MAX_MIRRORS = 8
/** Answers to challenges, mostly: each costs the reading of a block. */
const MAX_MESSAGES_PER_SECOND = 64

/**
 * @throws {CoveyError} LINK_… when a link is none of a mirror.
 * @throws {TypeError} that names the field.
 */
export function createMirrorClient(init: MirrorClientInit): MirrorClient {
  assertOptions(init, 'init', ['node', 'mirrors', 'maxNamed'])
  const { node, maxNamed = DEFAULT_MAX_NAMED_MIRRORS } = init
  assertInteger(maxNamed, 'init.maxNamed', { min: 0, max: MAX_NAMED_MIRRORS })
  if (!Array.isArray(init.mirrors) || init.mirrors.length > MAX_MIRRORS) {
    throw new TypeError(`init.mirrors must be a list of at most ${MAX_MIRRORS} links`)
  }
  const { corestore: store, hint } = partsOf(node)
  const corestore = store as Corestore
  const own = init.mirrors.map(decodeMirrorLink)
  const events = createEvents<MirrorClientEvents>()
  const onerror = (cause: unknown): void => {
    if (isClosed) return
    void events.emit('error', new MirrorError('MIRROR_FAILED', 'A mirror could not be asked or answered.', { cause, retryable: true }))
  }
  let isClosed = false

  const channel = node.channel(holdingChannel, { peers: 'any', maxMessagesPerSecond: MAX_MESSAGES_PER_SECOND })
  const outbox = createOutbox(channel, onerror)
  const mirrors = new MirrorSet({ own, maxNamed, self: node.id, meet })
  const holdings = new Holdings({ mirrors, hold: tell('hold'), release: tell('release') })
  const ownWish = holdings.open()
  const questions = createQuestions({
    corestore,
    channel,
    onwrong(mirror, key, index) {
      if (holdings.distrust(mirror, key, index)) void events.emit('lied', { mirror, key, index })
    }
  })

  function meet({ publicKey, meetingPlace }: MirrorAddress): Contact | undefined {
    if (meetingPlace.length > 0) hint(encodeZ32(publicKey), meetingPlace)
    try {
      return node.addContact(publicKey)
    } catch (error) {
      // A device of somebody whom this person wants nothing of.
      if (isCoveyError(error, 'PEER_BLOCKED')) return undefined
      throw error
    }
  }

  async function sendKeys(mirror: string, type: 'hold' | 'release', keys: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < keys.length; i += MAX_NAMED) await channel.send(mirror, { type, keys: keys.slice(i, i + MAX_NAMED) })
  }

  /** What each mirror is being told: one thing after the other, because what is said last counts. */
  const telling = new Map<string, Promise<void>>()

  function tell(type: 'hold' | 'release') {
    return (mirror: string, keys: readonly Uint8Array[]): void => {
      const before = telling.get(mirror) ?? Promise.resolve()
      const told = before.then(() => sendKeys(mirror, type, keys)).catch((error: unknown) => {
        // Who is not there is told when it is.
        if (!isCoveyError(error, 'CHANNEL_CLOSED')) onerror(error)
      }).finally(() => {
        if (telling.get(mirror) === told) telling.delete(mirror)
      })
      telling.set(mirror, told)
    }
  }

  const reach = (mirror: string, isConnected: boolean): void => {
    if (mirrors.has(mirror)) void events.emit('reach', { mirror, isConnected })
  }

  channel.on('open', ({ peer }) => {
    tell('hold')(peer, holdings.keysFor(peer))
    reach(peer, true)
  })
  channel.on('close', ({ peer }) => {
    outbox.drop(peer)
    holdings.forget(peer)
    questions.drop(peer)
    reach(peer, false)
  })

  function take(peer: string, message: HoldingMessage): Promise<void> | void {
    switch (message.type) {
      case 'challenge':
        return answerChallenge(corestore, message).then((hash) => outbox.answer(peer, message.id, hash))
      case 'answer':
        return questions.take(peer, message)
      case 'held':
        for (const { key, length } of message.held) {
          if (holdings.note(peer, key, length)) void events.emit('held', { mirror: peer, key, length })
        }
        return
      case 'refused':
        for (const key of message.keys) {
          if (holdings.isAsked(peer, key)) void events.emit('refused', { mirror: peer, key, code: message.code })
        }
        return
      case 'hold':
      case 'release':
      // This device is no mirror.
    }
  }
  listen(channel, onerror, take)

  return {
    mirrors: mirrors.own,
    get named() {
      return mirrors.named
    },
    get peers() {
      return channel.peers
    },
    hold: (keys) => holdings.add(ownWish, keys),
    open() {
      const wish = holdings.open()
      return {
        get mirrors() {
          return [...wish.mirrors]
        },
        hold: (keys) => holdings.add(wish, keys),
        release(keys) {
          if (!isClosed) holdings.remove(wish, keys)
        },
        name(links) {
          const named = links.map(decodeMirrorLink)
          // Who is closed dials nobody.
          if (!isClosed) holdings.name(wish, named)
        },
        close() {
          if (!isClosed) holdings.close(wish)
        }
      }
    },
    report: onerror,
    held: (key) => holdings.held(key),
    fetch: (key, index, options = {}) => questions.fetch(key, index, options.signal),
    prove: (peer, key, length, options = {}) => raceSignal(questions.prove(peer, key, length), options.signal),
    async close() {
      if (isClosed) return
      isClosed = true
      mirrors.close()
      await channel.close()
    },
    on: events.on.bind(events),
    once: events.once.bind(events)
  }
}

import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { assertOptions, createEvents, encodeZ32, equalBytes, isCoveyError, raceSignal, type EventSource } from '@covey/core'
import type { Contact, Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { MirrorError } from './errors.js'
import { answerChallenge, answerOf, makeChallenge, randomBelow, type Challenge } from './internal/holding/challenge.js'
import { holdingChannel, listen, MAX_NAMED, type HoldingMessage, type RefusalCode } from './internal/holding/channel.js'
import { createOutbox } from './internal/holding/outbox.js'
import { decodeMirrorLink } from './mirror-link.js'

/** What {@link createMirrorClient} needs. */
export interface MirrorClientInit {
  readonly node: Node
  /** The links of mirrors that hold what this device asks for, at most 8. */
  readonly mirrors: readonly string[]
}

/** What mirrors tell. */
export interface MirrorClientEvents {
  /** A mirror says that it has the first `length` blocks of a core on its disk. */
  held: { readonly mirror: string; readonly key: Uint8Array; readonly length: number }
  /** A mirror said that it has blocks, and when it was asked for one it had not. It is not believed any more. */
  lied: { readonly mirror: string; readonly key: Uint8Array; readonly index: number }
  /** A mirror does not hold a core, or no more of it. */
  refused: { readonly mirror: string; readonly key: Uint8Array; readonly code: RefusalCode }
  error: MirrorError
}

/** A device's side of its mirrors: has them hold cores, and asks for proof that they do. */
export interface MirrorClient extends EventSource<MirrorClientEvents> {
  /** The mirrors, by id. */
  readonly mirrors: readonly string[]
  /** The mirrors and other devices that can be asked for proof now, by id. */
  readonly peers: readonly string[]
  /** Has the mirrors hold cores, by key, from now on, whenever they are met. */
  hold(keys: Iterable<Uint8Array>): void
  /** Tells of what failed in the background, by the event `error`. */
  report(cause: unknown): void
  /** How many of the first blocks of a core each mirror says to have, by the id of the mirror. */
  held(key: Uint8Array): ReadonlyMap<string, number>
  /**
   * Whether a mirror or device has the first blocks of a core that this device has too, proven now: it is asked for the
   * last of them and for another, in words that only who has them can answer. False too when it does not answer
   * within 10 s.
   *
   * @param length at least 1, and no more than this device has.
   * @throws {MirrorError} MIRROR_FAILED when they are not on this device.
   * @throws the signal's `reason` when it is aborted first.
   */
  prove(peer: string, key: Uint8Array, length: number, options?: { signal?: AbortSignal | undefined }): Promise<boolean>
  /** Idempotent. The mirrors keep what they hold. */
  close(): Promise<void>
}

const MAX_MIRRORS = 8
const ANSWER_MS = 10_000
/** Answers to challenges, mostly: each costs the reading of a block. */
const MAX_MESSAGES_PER_SECOND = 64

/**
 * @throws {CoveyError} LINK_… when a link is none of a mirror.
 * @throws {TypeError} that names the field.
 */
export function createMirrorClient(init: MirrorClientInit): MirrorClient {
  assertOptions(init, 'init', ['node', 'mirrors'])
  const { node } = init
  if (!Array.isArray(init.mirrors) || init.mirrors.length > MAX_MIRRORS) {
    throw new TypeError(`init.mirrors must be a list of at most ${MAX_MIRRORS} links`)
  }
  const { corestore: store, hint } = partsOf(node)
  const corestore = store as Corestore
  const addresses = init.mirrors.map(decodeMirrorLink)
  const mirrors = new Set(addresses.map(({ publicKey }) => encodeZ32(publicKey)))
  const wanted = new Map<string, { readonly key: Uint8Array; readonly held: Map<string, number> }>()
  const asked = new Map<number, { readonly peer: string; readonly answered: (answer: { readonly hash: Uint8Array | undefined } | undefined) => void }>()
  const events = createEvents<MirrorClientEvents>()
  const onerror = (cause: unknown): void => {
    if (isClosed) return
    void events.emit('error', new MirrorError('MIRROR_FAILED', 'A mirror could not be asked or answered.', { cause, retryable: true }))
  }
  let isClosed = false
  let lastId = 0

  const channel = node.channel(holdingChannel, { peers: 'any', maxMessagesPerSecond: MAX_MESSAGES_PER_SECOND })
  const outbox = createOutbox(channel, onerror)
  const contacts: Contact[] = addresses.map(({ publicKey, meetingPlace }) => {
    if (meetingPlace.length > 0) hint(encodeZ32(publicKey), meetingPlace)
    return node.addContact(publicKey)
  })

  async function sendKeys(mirror: string, keys: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < keys.length; i += MAX_NAMED) await channel.send(mirror, { type: 'hold', keys: keys.slice(i, i + MAX_NAMED) })
  }

  function tell(mirror: string, keys: readonly Uint8Array[]): void {
    sendKeys(mirror, keys).catch((error: unknown) => {
      // It is told again when it is back.
      if (!isClosedError(error)) onerror(error)
    })
  }

  channel.on('open', ({ peer }) => {
    if (mirrors.has(peer)) tell(peer, [...wanted.values()].map(({ key }) => key))
  })
  channel.on('close', ({ peer }) => {
    outbox.drop(peer)
    // What it has when it is back it will say.
    for (const { held } of wanted.values()) held.delete(peer)
    for (const [id, { peer: answering, answered }] of asked) {
      if (answering !== peer) continue
      asked.delete(id)
      answered(undefined)
    }
  })

  function take(peer: string, message: HoldingMessage): Promise<void> | void {
    switch (message.type) {
      case 'challenge':
        return answerChallenge(corestore, message).then((hash) => outbox.answer(peer, message.id, hash))
      case 'answer': {
        const asking = asked.get(message.id)
        if (asking?.peer !== peer) return
        asked.delete(message.id)
        return asking.answered({ hash: message.hash })
      }
      case 'held':
        if (!mirrors.has(peer)) return
        for (const { key, length } of message.held) {
          const known = wanted.get(encodeZ32(key))
          if (known === undefined) continue
          known.held.set(peer, length)
          void events.emit('held', { mirror: peer, key, length })
        }
        return
      case 'refused':
        if (!mirrors.has(peer)) return
        for (const key of message.keys) void events.emit('refused', { mirror: peer, key, code: message.code })
        return
      case 'hold':
      // This device is no mirror.
    }
  }
  void listen(channel, onerror, take)

  /** Resolves with what a peer answers: nothing when it does not answer in time. */
  async function ask(peer: string, challenge: Challenge): Promise<{ readonly hash: Uint8Array | undefined } | undefined> {
    const id = ++lastId
    let timer: ReturnType<typeof setTimeout> | undefined
    const answered = new Promise<{ readonly hash: Uint8Array | undefined } | undefined>((resolve) => {
      asked.set(id, { peer, answered: resolve })
      timer = setTimeout(() => resolve(undefined), ANSWER_MS)
    })
    try {
      await channel.send(peer, { type: 'challenge', id, ...challenge })
      return await answered
    } catch (error) {
      if (isClosedError(error)) return undefined
      throw error
    } finally {
      clearTimeout(timer)
      asked.delete(id)
    }
  }

  async function proveBlock(peer: string, core: Hypercore, index: number): Promise<boolean> {
    const challenge = makeChallenge(core, index)
    const expected = await answerOf(core, challenge)
    if (expected === undefined) throw new MirrorError('MIRROR_FAILED', `Block ${index} is not on this device.`)
    const answer = await ask(peer, challenge)
    if (answer === undefined) return false
    if (answer.hash !== undefined && equalBytes(answer.hash, expected)) return true
    const { held } = wanted.get(encodeZ32(core.key!)) ?? {}
    if ((held?.get(peer) ?? 0) > index) {
      held!.delete(peer)
      void events.emit('lied', { mirror: peer, key: core.key!, index })
    }
    return false
  }

  async function prove(peer: string, key: Uint8Array, length: number): Promise<boolean> {
    // A session of its own: others decrypt what they read.
    const core = corestore.get({ key, active: false })
    try {
      await core.ready()
      const indexes = new Set([length - 1, randomBelow(length)])
      const proofs = await Promise.all([...indexes].map((index) => proveBlock(peer, core, index)))
      return proofs.every(Boolean)
    } finally {
      await core.close()
    }
  }

  return {
    mirrors: [...mirrors],
    get peers() {
      return channel.peers
    },
    hold(keys) {
      const added: Uint8Array[] = []
      for (const key of keys) {
        const id = encodeZ32(key)
        if (wanted.has(id)) continue
        wanted.set(id, { key, held: new Map() })
        added.push(key)
      }
      if (added.length === 0) return
      for (const mirror of channel.peers) if (mirrors.has(mirror)) tell(mirror, added)
    },
    report: onerror,
    held: (key) => wanted.get(encodeZ32(key))?.held ?? new Map(),
    prove: (peer, key, length, options = {}) => raceSignal(prove(peer, key, length), options.signal),
    async close() {
      if (isClosed) return
      isClosed = true
      for (const contact of contacts) contact.close()
      await channel.close()
    },
    on: events.on.bind(events),
    once: events.once.bind(events)
  }
}

/** Who is gone is told nothing. */
function isClosedError(error: unknown): boolean {
  return isCoveyError(error, 'CHANNEL_CLOSED')
}

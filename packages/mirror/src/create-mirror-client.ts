import type Corestore from 'corestore'
import { assertOptions, createEvents, encodeZ32, equalBytes, raceSignal, type EventSource } from '@covey/core'
import type { Contact, Node } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { MirrorError } from './errors.js'
import { answerChallenge, answerOf, makeChallenge } from './internal/holding/challenge.js'
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
  /** A mirror does not hold a core, or no more of it. */
  refused: { readonly mirror: string; readonly key: Uint8Array; readonly code: RefusalCode }
  error: MirrorError
}

/** A device's side of its mirrors: has them hold cores, and asks for proof that they do. */
export interface MirrorClient extends EventSource<MirrorClientEvents> {
  /** The mirrors, by id. */
  readonly mirrors: readonly string[]
  /** Of them, those that can be reached now. */
  readonly connected: readonly string[]
  /** Has the mirrors hold cores, by key, from now on, whenever they are met. */
  hold(keys: Iterable<Uint8Array>): void
  /** How many of the first blocks of a core each mirror says to have, by the id of the mirror. */
  held(key: Uint8Array): ReadonlyMap<string, number>
  /**
   * Whether a device or mirror has a block of a core that this device has too, proven now. False when it does not
   * answer within 10 s.
   *
   * @throws {MirrorError} MIRROR_FAILED when the block is not on this device.
   * @throws the signal's `reason` when it is aborted first.
   */
  challenge(peer: string, key: Uint8Array, index: number, options?: { signal?: AbortSignal | undefined }): Promise<boolean>
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
  const asked = new Map<number, { readonly peer: string; readonly answered: (hash: Uint8Array | undefined) => void }>()
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

  async function ask(mirror: string, keys: readonly Uint8Array[]): Promise<void> {
    for (let i = 0; i < keys.length; i += MAX_NAMED) await channel.send(mirror, { type: 'hold', keys: keys.slice(i, i + MAX_NAMED) })
  }

  function tell(mirror: string, keys: readonly Uint8Array[]): void {
    ask(mirror, keys).catch((error: unknown) => {
      // It is asked again when it is back.
      if ((error as { code?: string }).code !== 'CHANNEL_CLOSED') onerror(error)
    })
  }

  channel.on('open', ({ peer }) => {
    if (mirrors.has(peer)) tell(peer, [...wanted.values()].map(({ key }) => key))
  })
  channel.on('close', ({ peer }) => {
    outbox.drop(peer)
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
        return asking.answered(message.hash)
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
    }
  }
  void listen(channel, onerror, take)

  /** Resolves with what a peer answers, or without when it does not. */
  async function answer(peer: string, challenge: ReturnType<typeof makeChallenge>): Promise<Uint8Array | undefined> {
    const id = ++lastId
    let timer: ReturnType<typeof setTimeout> | undefined
    const answered = new Promise<Uint8Array | undefined>((resolve) => {
      asked.set(id, { peer, answered: resolve })
      timer = setTimeout(() => resolve(undefined), ANSWER_MS)
    })
    try {
      await channel.send(peer, { type: 'challenge', id, ...challenge })
      return await answered
    } catch (error) {
      if ((error as { code?: string }).code === 'CHANNEL_CLOSED') return undefined
      throw error
    } finally {
      clearTimeout(timer)
      asked.delete(id)
    }
  }

  async function challenge(peer: string, key: Uint8Array, index: number): Promise<boolean> {
    // A session of its own: others decrypt what they read.
    const core = corestore.get({ key, active: false })
    try {
      await core.ready()
      const question = makeChallenge(core, index)
      const expected = await answerOf(core, question)
      if (expected === undefined) throw new MirrorError('MIRROR_FAILED', `Block ${index} is not on this device.`)
      const hash = await answer(peer, question)
      return hash !== undefined && equalBytes(hash, expected)
    } finally {
      await core.close()
    }
  }

  return {
    mirrors: [...mirrors],
    get connected() {
      return channel.peers.filter((peer) => mirrors.has(peer))
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
    held: (key) => wanted.get(encodeZ32(key))?.held ?? new Map(),
    challenge: (peer, key, index, options = {}) => raceSignal(challenge(peer, key, index), options.signal),
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

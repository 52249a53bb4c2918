import type Corestore from 'corestore'
import type Hypercore from 'hypercore'
import { encodeZ32, equalBytes, isCoveyError, raceSignal } from '@covey/core'
import type { Channel } from '@covey/transport'
import { MirrorError } from '../../errors.js'
import { answerOf, makeChallenge, randomBelow, type Challenge } from './challenge.js'
import type { HoldingMessage } from './channel.js'

export interface QuestionsInit {
  readonly corestore: Corestore
  readonly channel: Channel<HoldingMessage>
  /** Somebody had an answer, and a wrong one. */
  readonly onwrong: (peer: string, key: Uint8Array, index: number) => void
}

/** What this device asks of those who say that they have blocks. */
export interface Questions {
  /** As `MirrorClient` has it. */
  prove(peer: string, key: Uint8Array, length: number): Promise<boolean>
  /** As `MirrorClient` has it. */
  fetch(key: Uint8Array, index: number, signal: AbortSignal | undefined): Promise<boolean>
  /** Takes an answer to a question, if it is one. */
  take(peer: string, answer: Extract<HoldingMessage, { type: 'answer' }>): void
  /** Waits for no answer of a peer that is gone. */
  drop(peer: string): void
}

const ANSWER_MS = 10_000
/** How many that were not proven are remembered, the last. */
const MAX_UNPROVEN = 4_096

interface Asked {
  readonly peer: string
  /** With nothing when none came. */
  readonly answered: (answer: { readonly hash?: Uint8Array | undefined } | undefined) => void
}

export function createQuestions({ corestore, channel, onwrong }: QuestionsInit): Questions {
  const asked = new Map<number, Asked>()
  /** Which block a peer was asked for in vain, by peer, core and length: of others it may have, sooner or later it would be asked for one. */
  const unproven = new Map<string, number>()
  let lastId = 0

  async function ask(peer: string, challenge: Challenge): Promise<{ readonly hash?: Uint8Array | undefined } | undefined> {
    const id = ++lastId
    let timer: ReturnType<typeof setTimeout> | undefined
    const answered = new Promise<{ readonly hash?: Uint8Array | undefined } | undefined>((resolve) => {
      asked.set(id, { peer, answered: resolve })
      timer = setTimeout(() => resolve(undefined), ANSWER_MS)
    })
    try {
      await channel.send(peer, { type: 'challenge', id, ...challenge })
      return await answered
    } catch (error) {
      // Who is gone answers nothing.
      if (isCoveyError(error, 'CHANNEL_CLOSED')) return undefined
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
    onwrong(peer, core.key!, index)
    return false
  }

  return {
    async prove(peer, key, length) {
      // A session of its own: others decrypt what they read.
      const core = corestore.get({ key, active: false })
      try {
        await core.ready()
        const question = `${peer} ${encodeZ32(key)} ${length}`
        const another = unproven.get(question) ?? randomBelow(length)
        unproven.set(question, another)
        if (unproven.size > MAX_UNPROVEN) unproven.delete(unproven.keys().next().value!)
        const indexes = new Set((await core.has(another)) ? [length - 1, another] : [length - 1])
        const proofs = await Promise.all([...indexes].map((index) => proveBlock(peer, core, index)))
        if (!proofs.every(Boolean)) return false
        unproven.delete(question)
        return true
      } finally {
        await core.close()
      }
    },
    async fetch(key, index, signal) {
      const core = corestore.get({ key })
      try {
        await core.ready()
        return (await raceSignal(core.get(index, { timeout: ANSWER_MS, raw: true }), signal)) !== null
      } catch (error) {
        if ((error as { code?: string }).code === 'REQUEST_TIMEOUT') return false
        throw error
      } finally {
        await core.close()
      }
    },
    take(peer, { id, hash }) {
      const asking = asked.get(id)
      if (asking?.peer !== peer) return
      asked.delete(id)
      asking.answered({ hash })
    },
    drop(peer) {
      for (const [id, { peer: answering, answered }] of asked) {
        if (answering !== peer) continue
        asked.delete(id)
        answered(undefined)
      }
    }
  }
}

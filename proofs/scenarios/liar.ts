// A mirror that lies, in a process of its own: as `covey-mirror` it prints its link, and is asked to hold cores.
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type Corestore from 'corestore'
import { encodeZ32 } from '@covey/core'
import { openIdentity } from '@covey/identity'
import { createNode, localNetwork, openStore, type Channel } from '@covey/transport'
import { partsOf } from '@covey/transport/internal'
import { answerChallenge } from '../../packages/mirror/src/internal/holding/challenge.js'
import { holdingChannel, listen, type HoldingMessage } from '../../packages/mirror/src/internal/holding/channel.js'
import { mirrorLink } from '../../packages/mirror/src/mirror-link.js'

export type Lie = keyof typeof LIES
type Message<Type extends HoldingMessage['type']> = Extract<HoldingMessage, { type: Type }>

/** How it is asked to hold cores, and to prove that it has blocks. */
interface Liar {
  hold(peer: string, keys: readonly Uint8Array[]): Promise<void>
  prove(challenge: Message<'challenge'>): Promise<Uint8Array | undefined>
}

const LIES = {
  /** Says to have more than there is, and has nothing. */
  claims: (channel) => ({
    hold: (peer, keys) => channel.send(peer, { type: 'held', held: keys.map((key) => ({ key, length: 1_000_000 })) }),
    prove: async () => randomBytes(32)
  }),
  /** Has it, and gives other blocks than those. */
  spoils: (channel, corestore) => {
    serveOtherBlocks()
    return { hold: holding(channel, corestore, true), prove: async () => randomBytes(32) }
  },
  /** Has what was there when it was asked, says so for ever, and proves that. */
  stale: (channel, corestore) => ({ hold: holding(channel, corestore, false), prove: (challenge) => answerChallenge(corestore, challenge) })
} satisfies Record<string, (channel: Channel<HoldingMessage>, corestore: Corestore) => Liar>

/** Fetches what it is asked to hold, from whoever gives it, and tells what it has: as it grows, or what there was at first. */
function holding(channel: Channel<HoldingMessage>, corestore: Corestore, isGrowing: boolean): Liar['hold'] {
  const lengths = new Map<string, number>()
  return async (peer, keys) => {
    for (const key of keys) {
      const core = corestore.get({ key })
      await core.ready()
      const fetch = (): void => void core.download({ start: 0, end: core.length })
      const tell = async (): Promise<void> => {
        const known = lengths.get(encodeZ32(key))
        if (core.contiguousLength === 0 || (known !== undefined && !isGrowing)) return
        lengths.set(encodeZ32(key), core.contiguousLength)
        // Who is gone is told nothing.
        await channel.send(peer, { type: 'held', held: [{ key, length: core.contiguousLength }] }).catch(() => undefined)
      }
      if (isGrowing) core.on('append', fetch)
      else core.once('append', fetch)
      core.on('download', () => void tell())
      fetch()
      const length = lengths.get(encodeZ32(key))
      if (length !== undefined) await channel.send(peer, { type: 'held', held: [{ key, length }] })
    }
  }
}

/** hypercore 11.37.1, lib/messages.js */
interface UpstreamData {
  encode(state: object, message: { readonly block: { readonly value: Uint8Array | null } | null }): void
}

function serveOtherBlocks(): void {
  const { data } = (createRequire(import.meta.resolve('corestore'))('hypercore/lib/messages.js') as { wire: { data: UpstreamData } }).wire
  const encode = data.encode.bind(data)
  data.encode = (state, message) => {
    const value = message.block?.value
    if (value) console.log('spoiled')
    encode(state, value ? { ...message, block: { ...message.block, value: value.map((byte) => byte ^ 1) } } : message)
  }
}

const [lie, storage, ...options] = process.argv.slice(2) as [Lie, string, ...string[]]
const store = await openStore(storage)
const identity = await openIdentity({ storage: `${storage}/identity` })
const node = createNode({ identity, store, network: localNetwork(options.filter((option) => option !== '--bootstrap')) })
const channel = node.channel(holdingChannel, { peers: 'any' })
const liar: Liar = LIES[lie](channel, partsOf(node).corestore as Corestore)
listen(channel, console.error, async (peer, message) => {
  if (message.type === 'hold') await liar.hold(peer, message.keys)
  if (message.type !== 'challenge') return
  const hash = await liar.prove(message)
  await channel.send(peer, { type: 'answer', id: message.id, hash })
})
console.log(`mirror ${mirrorLink(node.publicKey, null)}`)

import { mkdir } from 'node:fs/promises'
import type { Network } from 'covey'
import { Killed, startPeer, type PeerProcess } from './process.js'
import type { Calls, News } from './protocol.js'

/** A message whose `send` had resolved before the process that sent it was killed. */
export interface Sent {
  readonly id: string
  readonly text: string
}

/** Somebody with a folder, and mostly with a process that has it open. */
export interface Person {
  readonly name: string
  readonly sent: readonly Sent[]
  /** The ids of invites whose `createInvite` had resolved. */
  readonly invites: ReadonlySet<string>
  /** What only shows an error when it is looked for. */
  readonly failures: readonly string[]
  readonly identity: string
  readonly isAlive: boolean
  /** Whether its membership was acknowledged: from then on the folder has to have the room. */
  readonly isIn: boolean
  /** Opens the folder, and checks that it holds what it held. */
  start(): Promise<void>
  kill(): Promise<void>
  call<Call extends keyof Calls>(call: Call, given: Calls[Call]['given']): Promise<Calls[Call]['answer']>
  /** As `call`, but `undefined` when the process is killed meanwhile. */
  attempt<Call extends keyof Calls>(call: Call, given: Calls[Call]['given']): Promise<Calls[Call]['answer'] | undefined>
  /** What its process is at, in words. */
  state(): Promise<string>
  /** To be called when the room is known to be this person's. */
  entered(room: string): void
}

export function createPerson(name: string, folder: string, network: Network): Person {
  const sent: Sent[] = []
  const invites = new Set<string>()
  const failures: string[] = []
  let room: string | undefined
  let peer: PeerProcess | undefined
  let known: Calls['open']['answer'] | undefined
  let life = 0
  /** How many messages had been sent before the process began. */
  let before = 0

  function onnews(news: News): void {
    if (news.type === 'sent') sent.push({ id: news.id, text: news.text })
    if (news.type === 'invited') for (const id of news.ids) invites.add(id)
    if (news.type === 'failed') failures.push(`${name}, ${news.what}: ${news.message}`)
  }

  const person: Person = {
    name,
    sent,
    invites,
    failures,
    get identity() {
      return known!.identity
    },
    get isAlive() {
      return peer !== undefined
    },
    get isIn() {
      return room !== undefined
    },
    async start() {
      await mkdir(folder, { recursive: true })
      const lastLife = sent.slice(before)
      before = sent.length
      peer = startPeer(onnews, (error) => failures.push(`${name}: ${error.message}`))
      const opened = await peer.call('open', { folder, network, name, life: life++ })
      if (known !== undefined && (opened.identity !== known.identity || opened.device !== known.device)) {
        throw new Error(`${name} is another after the kill: ${JSON.stringify([known, opened])}`)
      }
      known = opened
      const found = await peer.call('find', {})
      if (room === undefined) {
        if (found.room !== null) room = found.room
        return
      }
      if (found.room !== room) throw new Error(`The folder of ${name} has lost the room ${room}, and has ${found.room}.`)
      const lacking = await peer.call('lacking', { ids: lastLife.map(({ id }) => id) })
      if (lacking.length > 0) throw new Error(`${name} has lost ${lacking.length} of its ${lastLife.length} latest messages.`)
    },
    async kill() {
      const killed = peer
      peer = undefined
      await killed?.kill()
    },
    call(call, given) {
      if (peer === undefined) return Promise.reject(new Killed())
      return peer.call(call, given)
    },
    async attempt(call, given) {
      try {
        return await person.call(call, given)
      } catch (error) {
        if (error instanceof Killed) return undefined
        throw error
      }
    },
    state: async () => peer?.state() ?? 'no process',
    entered(id) {
      room = id
    }
  }
  return person
}

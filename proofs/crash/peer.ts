// A process of its own, because what is tried is that it may be killed at any moment.
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import type HyperDBClass from 'hyperdb'
import { createPeer, type Peer, type Role, type Room } from 'covey'
import { createPrng } from '../model/prng.js'
import type { Ask, Calls, News, Report, Told } from './protocol.js'

const LACKING_TIMEOUT_MS = 10_000
const MAX_BURST = 4
const POLL_MS = 20

// White box: the database of every view that is opened, which no app can get at.
const HyperDB = createRequire(new URL('../../packages/rooms/src/index.ts', import.meta.url))('hyperdb') as typeof HyperDBClass
const views: HyperDBClass[] = []

interface ViewCore {
  readonly length: number
  readonly contiguousLength: number
  readonly signedLength: number
  readonly peers: readonly { readonly remoteLength: number; readonly remoteContiguousLength: number }[]
}

const bee = HyperDB.bee
HyperDB.bee = (...args) => {
  const view = bee.apply(HyperDB, args)
  views.push(view)
  return view
}

let peer: Peer
let room: Room
let label = ''
let pauseMs: number | null = null
let wake = (): void => undefined
const live: string[] = []
const errors: string[] = []

function tell(told: Told): void {
  process.send!(told)
}

function news(what: News): void {
  tell({ news: what })
}

function describe(error: unknown): string {
  const { code, cause } = error as { code?: string; cause?: unknown }
  const own = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `${code ?? ''} ${own}${cause === undefined ? '' : `\n  caused by ${describe(cause)}`}`
}

function failed(what: string): (error: unknown) => void {
  return (error) => news({ type: 'failed', what, message: describe(error) })
}

/** From now on in this room: sends, as the tempo says, and reads along. */
function enter(entered: Room): string {
  room = entered
  room.on('error', (error) => errors.push(describe(error)))
  chatter().catch(failed('sending'))
  readAlong().catch(failed('reading'))
  return room.id
}

async function chatter(): Promise<void> {
  const random = createPrng(Number.parseInt(createHash('sha256').update(label).digest('hex').slice(0, 8), 16))
  for (let next = 0; ; ) {
    while (pauseMs === null) await new Promise<void>((resolve) => (wake = resolve))
    const burst = Array.from({ length: 1 + random.below(MAX_BURST) }, () => `${label} ${next++}`)
    // Together, so that a kill also falls into the commit of several.
    await Promise.all(
      burst.map(async (text) => {
        const { id } = await room.send(text)
        news({ type: 'sent', id, text })
      })
    )
    if (pauseMs !== null && pauseMs > 0) await delay(random.below(2 * pauseMs))
  }
}

/** As a display does: what is withdrawn is taken away, and should it come after all, it comes as another. */
async function readAlong(): Promise<void> {
  room.on('settle', ({ id, state }) => {
    if (state === 'withdrawn' && live.includes(id)) live.splice(live.indexOf(id), 1)
  })
  for await (const { id } of room.messages({ live: true })) live.push(id)
}

async function inviteOn(): Promise<void> {
  for (;;) {
    await room.createInvite({ uses: 1 })
    news({ type: 'invited', ids: (await room.invites()).map(({ id }) => id) })
  }
}

async function roleOn(members: readonly string[], seed: number): Promise<void> {
  const random = createPrng(seed)
  for (;;) {
    const role = random.pick<Exclude<Role, 'owner'>>(['member', 'moderator', 'admin'])
    await room.setRole(random.pick(members), role)
  }
}

async function lacking(ids: readonly string[]): Promise<string[]> {
  const end = Date.now() + LACKING_TIMEOUT_MS
  for (;;) {
    const found = await Promise.all(ids.map((id) => room.message(id)))
    const missing = ids.filter((_, i) => found[i] === undefined)
    if (missing.length === 0 || Date.now() > end) return missing
    await delay(POLL_MS)
  }
}

/** The view that the room itself reads; the later ones are of `apply`, and end with a fast-forward. */
function view(): HyperDBClass {
  return views[0]!
}

/** All rows of all collections of the view, from one moment. */
async function rows(): Promise<string[]> {
  const { collections } = view().definition as unknown as { collections: readonly { name: string }[] }
  const all = await Promise.all(collections.map(({ name }) => view().find<object>(name).toArray()))
  return all.flatMap((some, i) => some.map((row) => `${collections[i]!.name} ${JSON.stringify(row, inHex)}`))
}

/** A replacer is given a buffer's own JSON. */
function inHex(_: string, value: unknown): unknown {
  const { type, data } = (value ?? {}) as { type?: unknown; data?: readonly number[] }
  return type === 'Buffer' ? Buffer.from(data!).toString('hex') : value
}

async function digest(): Promise<Calls['digest']['answer']> {
  const all = await rows()
  return { hash: createHash('sha256').update(all.join('\n')).digest('hex'), rows: all.length }
}

/** Of every view that was opened: how much of it there is, here and at those who are connected. */
function state(): string {
  return views
    .map((view) => {
      if (view.closed) return 'closed'
      const { length, contiguousLength, signedLength, peers } = view.core as unknown as ViewCore
      const remote = peers.map(({ remoteLength, remoteContiguousLength }) => `${remoteContiguousLength}/${remoteLength}`)
      return `length ${length}, here ${contiguousLength}, signed ${signedLength}, peers have ${remote.join(', ') || 'none'}`
    })
    .concat(errors)
    .join('\n')
}

async function report(): Promise<Report> {
  const messages: Report['messages'][number][] = []
  for await (const { id, author, text, kind } of room.messages()) messages.push({ id, author, text, kind })
  return {
    messages,
    live,
    invites: (await room.invites()).map(({ id }) => id),
    members: (await room.members()).map(({ id, role }) => `${id} ${role}`),
    errors
  }
}

type Answers = { readonly [Call in keyof Calls]: (given: Calls[Call]['given']) => Promise<Calls[Call]['answer']> }

const answers: Answers = {
  async open({ folder, network, name, life }) {
    label = `${name} ${life}`
    peer = await createPeer({ storage: folder, network, name })
    peer.rooms.on('error', (error) => errors.push(describe(error)))
    // Rooms that do not open are told of a moment later.
    await delay(1)
    return { identity: peer.identity.id, device: peer.device.id }
  },
  create: async ({ history }) => ({ room: enter(await peer.rooms.create({ name: 'Tea', history })) }),
  async find() {
    const found = peer.rooms.list()[0]
    if (found === undefined && errors.length > 0) throw new Error(errors.join('\n'))
    // What is looked at beneath it is there when the room has been opened.
    await found?.info()
    return { room: found === undefined ? null : enter(found) }
  },
  invite: async () => ({ link: await room.createInvite({ uses: 1 }) }),
  async join({ link }) {
    const joined = await peer.rooms.join(link)
    return { room: (room as Room | undefined) === undefined ? enter(joined) : joined.id }
  },
  async tempo(tempo) {
    pauseMs = tempo.pauseMs
    if (pauseMs !== null) wake()
    return null
  },
  async inviteOn() {
    inviteOn().catch(failed('inviting'))
    return null
  },
  async roleOn({ members, seed }) {
    roleOn(members, seed).catch(failed('changing roles'))
    return null
  },
  async remove({ member }) {
    await room.remove(member)
    return null
  },
  lacking: ({ ids }) => lacking(ids),
  devices: async () => (await view().find('@covey/devices').toArray()).length,
  digest,
  rows,
  report,
  state: async () => state(),
  async close() {
    pauseMs = null
    await peer.close()
    return null
  }
}

process.on('message', ({ ask, call, given }: Ask) => {
  const answer = answers[call] as (given: object) => Promise<unknown>
  answer(given).then(
    (answer) => tell({ answerTo: ask, answer }),
    (error: unknown) => tell({ answerTo: ask, error: describe(error) })
  )
})
// The end of whoever started this process is its own end.
process.on('disconnect', () => process.exit(0))

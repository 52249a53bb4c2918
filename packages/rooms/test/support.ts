import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { createMemorySecretStore, openIdentity, type LocalIdentity, type SecretStore } from '@covey/identity'
import { createRooms, type Message, type MessagesOptions, type Room, type Rooms, type RoomsInit } from '@covey/rooms'
import { createLocalNetwork, type LocalNetwork } from '@covey/testing'
import { createNode, localNetwork, openStore, type Network, type Node } from '@covey/transport'

/** A local DHT for all tests of a file. Two of them are two islands that hear nothing of each other. */
export function useLocalNetwork(): { readonly network: Network } {
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
  const folder = await mkdtemp(join(tmpdir(), 'covey-rooms-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** What of a person outlives their peer: a folder, and the secrets. */
export interface Person {
  readonly name: string
  readonly folder: string
  readonly secrets: SecretStore
}

export interface TestPeer {
  readonly person: Person
  readonly identity: LocalIdentity
  readonly node: Node
  readonly rooms: Rooms
  close(): Promise<void>
}

export async function person(name = ''): Promise<Person> {
  return { name, folder: await temporaryFolder(), secrets: createMemorySecretStore() }
}

/**
 * A peer of a person, closed at the end of the test. Close it before opening another.
 *
 * @param change makes its node another, before rooms are opened on it.
 */
export async function open(
  person: Person,
  { network }: { network: Network },
  change: (node: Node) => Node = (node) => node,
  init: Partial<RoomsInit> = {}
): Promise<TestPeer> {
  const identity = await openIdentity({ storage: person.secrets, name: person.name })
  const store = await openStore(person.folder)
  const node = change(createNode({ identity, store, network }))
  const rooms = await createRooms({ identity, node, ...init })
  const close = async (): Promise<void> => {
    await rooms.close()
    await node.close()
    await identity.close()
  }
  onTestFinished(close)
  return { person, identity, node, rooms, close }
}

export async function start(net: { network: Network }, name = ''): Promise<TestPeer> {
  return open(await person(name), net)
}

/** A room of the first peer that all of them are in, as each of them has it. */
export async function shareRoom(...peers: readonly TestPeer[]): Promise<Room[]> {
  const [owner, ...others] = peers
  const room = await owner!.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite()
  return [room, ...(await Promise.all(others.map(({ rooms }) => rooms.join(invite))))]
}

/** Resolves with what `check` gives, once it gives something: asked now and after every update of `room`. */
export async function until<Value>(room: Room, check: () => Promise<Value | undefined>): Promise<Value> {
  let wake = (): void => undefined
  const stop = room.on('update', () => wake())
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve))
      const value = await check()
      if (value !== undefined) return value
      await woken
    }
  } finally {
    stop()
  }
}

export async function messagesOf(room: Room, options: MessagesOptions = {}): Promise<Message[]> {
  const messages: Message[] = []
  for await (const message of room.messages(options)) messages.push(message)
  return messages
}

export async function textsOf(room: Room, options: MessagesOptions = {}): Promise<string[]> {
  return (await messagesOf(room, options)).map(({ text }) => text)
}

/** Waits until all of these messages are here; gives all that are, in the room's order. */
export function allOf(room: Room, texts: readonly string[]): Promise<Message[]> {
  return until(room, async () => {
    const messages = await messagesOf(room)
    const here = new Set(messages.map(({ text }) => text))
    return texts.every((text) => here.has(text)) ? messages : undefined
  })
}

/** A real signal that tells how many listeners it has. */
export function countingSignal() {
  const controller = new AbortController()
  const { signal } = controller
  const listeners = new Set<unknown>()
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (type: string, listener: never, options?: never) => {
    listeners.add(listener)
    add(type as 'abort', listener, options)
  }
  signal.removeEventListener = (type: string, listener: never, options?: never) => {
    listeners.delete(listener)
    remove(type as 'abort', listener, options)
  }
  return { controller, signal, listenerCount: () => listeners.size }
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

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

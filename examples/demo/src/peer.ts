/**
 * One person's program: a peer and its room. The process that started it asks for things over IPC, as
 * a user interface would, and is told the answers and what the others write.
 */
import { createPeer, isCoveyError, localNetwork, type Member, type Message, type NetworkAddress, type Room } from 'covey'

/** What the program is started with, as JSON. */
export interface PeerArguments {
  readonly name: string
  readonly storage: string
  readonly bootstrap: readonly NetworkAddress[]
}

export type Commands = typeof commands

/** What the program is asked for. */
export interface Call<Name extends keyof Commands = keyof Commands> {
  readonly id: number
  readonly command: Name
  readonly args: Parameters<Commands[Name]>
}

/** What the program tells. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly failure?: string }
  | { readonly kind: 'message'; readonly message: Message }

const { bootstrap, ...init } = JSON.parse(process.argv[2] ?? '') as PeerArguments
const peer = await createPeer({ ...init, network: localNetwork(bootstrap) })
let [room] = peer.rooms.list()

const commands = {
  identity: async (): Promise<string> => peer.identity.id,
  async create(name: string): Promise<void> {
    room = await peer.rooms.create({ name })
  },
  async join(invite: string): Promise<void> {
    room = await peer.rooms.join(invite, { timeoutMs: 10_000 })
  },
  invite: (): Promise<string> => ourRoom().createInvite({ uses: 1, expiresInMs: 600_000 }),
  members: (): Promise<Member[]> => ourRoom().members(),
  send: (text: string): Promise<Message> => ourRoom().send(text),
  async history(): Promise<Message[]> {
    const messages: Message[] = []
    for await (const message of ourRoom().messages()) messages.push(message)
    return messages
  },
  /** From now on tells what the others write, after the message of the id `since`. */
  async listen(since?: string): Promise<void> {
    // Each when the log has it, and so this disk: what comes ahead of it does not outlive the process.
    void follow(ourRoom().messages({ live: true, pending: false, ...(since !== undefined && { since }) }))
  },
  close: (): Promise<void> => peer.close()
}

function ourRoom(): Room {
  if (room === undefined) throw new Error('There is no room yet.')
  return room
}

/** Ends by itself when the room is closed. */
async function follow(messages: AsyncIterable<Message>): Promise<void> {
  for await (const message of messages) {
    if (!message.isOwn) tell({ kind: 'message', message })
  }
}

async function answer<Name extends keyof Commands>({ id, command, args }: Call<Name>): Promise<void> {
  const run = commands[command] as (...args: Call<Name>['args']) => Promise<unknown>
  try {
    tell({ kind: 'answer', id, value: await run(...args) })
  } catch (error) {
    tell({ kind: 'answer', id, failure: explain(error) })
  }
}

function explain(error: unknown): string {
  return isCoveyError(error) ? `${error.message} ${error.hint ?? ''}`.trim() : String(error)
}

function tell(report: Report): void {
  if (process.connected) process.send?.(report)
}

// Ctrl-C reaches every process in the terminal. This one ends when its parent does.
process.on('SIGINT', () => undefined)
process.on('disconnect', () => void peer.close())
process.on('message', (call: Call) => void answer(call))
tell({ kind: 'ready' })

import process from '#process'
import { isCoveyError, raceSignal } from '@covey/core'
import type { RoomHealth } from '@covey/rooms'
import { localNetwork, parseRelay } from '@covey/transport'
import { createPeer } from '../create-peer.js'
import type { Peer } from '../peer.js'
import type { Room } from '../rooms.js'
import type { CommandArgs } from './command-args.js'

export const STEWARD_OPTIONS = ['--storage', '--name', '--mirror', '--relay', '--bootstrap']

/** How long after an invite was of no use for now it is tried again. */
const RETRY_MS = 5_000

/** A member that is always there: joins by the invites, and stays until it is told to stop. */
export async function steward({ words, valuesOf }: CommandArgs): Promise<number> {
  const [bootstrap, relays] = [valuesOf('--bootstrap'), valuesOf('--relay').map(parseRelay)]
  await using peer = await createPeer({
    storage: valuesOf('--storage').at(-1) ?? './covey-steward',
    name: valuesOf('--name').at(-1) ?? 'Steward',
    mirrors: valuesOf('--mirror'),
    relays,
    ...(bootstrap.length > 0 && { network: localNetwork(bootstrap) })
  })
  print(`person ${peer.identity.id}`)
  print(`device ${peer.device.id}`)
  const stopped = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.abort())
  peer.rooms.on('error', ({ message }) => complain(message))
  peer.on('error', ({ message }) => complain(message))

  const watched = new Set<Room>()
  const look = async (room: Room | undefined): Promise<void> => {
    if (room === undefined || watched.has(room)) return
    watched.add(room)
    await watch(room)
  }
  await Promise.all(peer.rooms.list().map(look))
  await Promise.all(words.map(async (invite) => look(await joinBy(peer, invite, stopped.signal))))
  if (watched.size === 0 && !stopped.signal.aborted) throw new TypeError('there is no room to look after: give an invite')
  if (!stopped.signal.aborted) await new Promise((resolve) => stopped.signal.addEventListener('abort', resolve))
  return 0
}

/** Waits for somebody to let it in, however long; `undefined` where nobody will, or it is told to stop. */
async function joinBy(peer: Peer, invite: string, signal: AbortSignal): Promise<Room | undefined> {
  while (!signal.aborted) {
    try {
      return await peer.rooms.join(invite, { signal })
    } catch (error) {
      if (signal.aborted) break
      if (!isCoveyError(error)) throw error
      complain(error.message)
      if (!error.retryable) break
      await raceSignal(new Promise((resolve) => setTimeout(resolve, RETRY_MS)), signal).catch(() => undefined)
    }
  }
  return undefined
}

/** A room that does not open ends none of the others. */
async function watch(room: Room): Promise<void> {
  const tell = ({ sentence }: RoomHealth): void => print(`room ${room.id} ${sentence}`)
  room.on('health', tell)
  room.on('error', ({ message }) => complain(`room ${room.id}: ${message}`))
  try {
    tell(await room.health())
  } catch (error) {
    if (!isCoveyError(error)) throw error
    complain(`room ${room.id}: ${error.message}`)
  }
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`${line}\n`)

import { randomBytes } from 'node:crypto'
import type { ReplicationStream } from 'hypercore'
import { makeClaim } from '../../packages/rooms/src/internal/claim.js'
import { foundRoom } from '../../packages/rooms/src/internal/found-room.js'
import { hintDevices } from '../../packages/rooms/src/internal/hint-devices.js'
import { letIn } from '../../packages/rooms/src/internal/let-in.js'
import { openRoom, type OpenRoom } from '../../packages/rooms/src/internal/open-room.js'
import { encodeStruct } from '../../packages/rooms/src/internal/structs.js'
import type { History } from '../../packages/rooms/src/internal/keyring.js'
import { roleNumber, type Role } from '../../packages/rooms/src/roles.js'
import { writerCore } from '../../packages/rooms/src/internal/writer-core.js'
import type { Machine } from './world.js'

/** A machine in one room. */
export interface Member extends OpenRoom {
  readonly name: string
  readonly machine: Machine
  readonly writer: string
  /** Which of the others it can reach. */
  group: number
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export async function found(machine: Machine, name: string, history: History): Promise<Member> {
  const opened = await openRoom({ ...machine, namespace: randomBytes(32), encryptionKey: randomBytes(32) })
  await foundRoom(opened, machine.identity, { name: 'Tea', history })
  return asMember(opened, machine, name)
}

/** Lets a machine in, as an answered invite would; the newcomer has to hear of it from somebody. */
export async function admit(by: Member, machine: Machine, name: string, role: Role): Promise<Member> {
  const { key, encryptionKey } = by.base
  const opened = await openRoom({ ...machine, namespace: randomBytes(32), key: key!, encryptionKey: encryptionKey! })
  const member = asMember(opened, machine, name)
  await readmit(by, member, role)
  return member
}

export async function readmit(by: Member, { machine: { identity }, base: { local } }: Member, role: Role): Promise<boolean> {
  const { base } = by
  const claim = { writer: local.key, nonce: randomBytes(32), ...makeClaim(identity, base.discoveryKey!, writerCore(local)) }
  const payload = encodeStruct('admit', { request: encodeStruct('join-request', claim), role: roleNumber(role) })
  return letIn(by, { writer: local.key, box: identity.device.boxPublicKey }, { type: 'admit', payload })
}

function asMember(opened: OpenRoom, machine: Machine, name: string): Member {
  opened.room.on('error', () => undefined)
  return { ...opened, machine, name, writer: hex(opened.base.local.key), group: 0 }
}

/** The connections between members: as they are parted at a time. */
export interface Links {
  /** Connects those of one group, and parts the others. */
  arrange(members: readonly Member[]): Promise<void>
}

export function createLinks(): Links {
  const open = new Map<string, ReplicationStream[]>()
  return {
    async arrange(members) {
      const gone: Promise<void>[] = []
      const met: Member[] = []
      for (const [i, one] of members.entries()) {
        for (const other of members.slice(i + 1)) {
          const name = `${one.name} ${other.name}`
          const streams = open.get(name)
          if (one.group === other.group && streams === undefined) {
            open.set(name, connect(one, other))
            met.push(one, other)
          }
          if (one.group === other.group || streams === undefined) continue
          open.delete(name)
          gone.push(...streams.map((stream) => closed(stream)))
        }
      }
      await Promise.all(gone)
      // As rooms do when they meet a device: what was announced before they knew a writer is not announced again.
      await Promise.all(met.map(hintDevices))
    }
  }
}

function connect(one: Member, other: Member): ReplicationStream[] {
  const streams = [one.base.replicate(true), other.base.replicate(false)]
  for (const stream of streams) stream.on('error', () => undefined)
  streams[0]!.pipe(streams[1]!).pipe(streams[0]!)
  return streams
}

function closed(stream: ReplicationStream): Promise<void> {
  return new Promise((resolve) => {
    stream.on('close', () => resolve())
    stream.destroy()
  })
}

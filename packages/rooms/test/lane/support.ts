import { onTestFinished } from 'vitest'
import type { Network } from '@covey/transport'
import { deviceSecrets } from '@covey/identity/internal'
import { seal } from '../../src/internal/crypto.js'
import { createLaneJudge, type LaneJudge } from '../../src/internal/lane/judge-said.js'
import { createLane, type Lane } from '../../src/internal/lane/lane.js'
import { sayOp } from '../../src/internal/lane/said.js'
import { encodeOp, opId, OpType, type OpHeader } from '../../src/internal/op.js'
import { bodyContext } from '../../src/internal/op-log.js'
import type { OpenRoom } from '../../src/internal/open-room.js'
import { messageKey, stateKey, type EpochKey } from '../../src/internal/slots.js'
import { encodeStruct } from '../../src/internal/structs.js'
import { foundBy, memberOf, startDevice, type Device } from '../support-apply.js'

/** Alice, who hears, and Bob, whose software says what it likes. */
export interface Scene {
  readonly alice: Device
  readonly bob: Device
  /** The room at each. */
  readonly hers: OpenRoom
  readonly his: OpenRoom
  /** What Alice makes of what a peer says. */
  readonly judge: LaneJudge
  readonly lanes: { readonly hers: Lane; readonly his: Lane }
  /** Bob's next message, as his software would make it but for what is given, and not written to his log. */
  message(text: string, how?: How): Promise<Uint8Array>
}

export interface How {
  readonly header?: Partial<OpHeader>
  readonly epoch?: EpochKey
  readonly writer?: Uint8Array
  readonly body?: Uint8Array
  /** Sealed as names and settings are. */
  readonly isState?: boolean
}

export async function laneScene(net: { network: Network }, role: 'reader' | 'member' = 'member'): Promise<Scene> {
  const [alice, bob] = [await startDevice(net), await startDevice(net)]
  const hers = await foundBy(alice)
  const his = await memberOf(hers, bob, role)
  const fail = (error: unknown): void => {
    throw error
  }
  const lanes = { hers: createLane(alice.node, hers, alice.identity, fail), his: createLane(bob.node, his, bob.identity, fail) }
  onTestFinished(async () => {
    await lanes.hers.close()
    await lanes.his.close()
  })
  const room = hers.base.discoveryKey!
  const judge = createLaneJudge({ room, view: hers.view, reader: hers.reader, pending: hers.pending })

  async function message(text: string, { header, epoch, writer = his.base.local.key, body, isState = false }: How = {}): Promise<Uint8Array> {
    const present = epoch ?? (await his.keyring.plan()).epoch([])
    const last = hers.pending.of(writer).at(-1)?.id ?? (await hers.view.writer(writer))?.head
    const whole = { type: OpType.message, sentAt: Date.now(), previous: last ?? null, target: null, epoch: present.id, payload: null, ...header }
    const plain = body ?? encodeStruct('message-body', { text })
    return encodeOp(whole, (clear) => seal(plain, bodyContext(room, writer, clear), (isState ? stateKey : messageKey)(room, present.key)))
  }
  return { alice, bob, hers, his, judge, lanes, message }
}

/** What a device says of an op that is in a writer's core. */
export function says({ identity }: Device, { base }: OpenRoom, op: Uint8Array, writer = base.local.key): Uint8Array {
  const id = opId(base.discoveryKey!, writer, op)
  return sayOp({ id, writer, op }, deviceSecrets(identity).keyPair.secretKey)
}

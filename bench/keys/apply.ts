import type { ApplyHost, AutobaseNode } from 'autobase'
import sodium from 'sodium-universal'
import Hypercore from 'hypercore'
import { createMemorySecretStore, openIdentity } from '../../packages/identity/src/index.js'
import { applyOps } from '../../packages/rooms/src/internal/apply.js'
import { makeClaim } from '../../packages/rooms/src/internal/claim.js'
import { randomBytes } from '../../packages/rooms/src/internal/crypto.js'
import { decodeOp, encodeOp, opId, OpType, type OpHeader } from '../../packages/rooms/src/internal/op.js'
import { encodeStruct } from '../../packages/rooms/src/internal/structs.js'
import type { RoomView } from '../../packages/rooms/src/internal/view.js'
import { roleNumber } from '../../packages/rooms/src/roles.js'
import { isQuick, measure } from '../harness.js'
import type { Views } from './view.js'

const MESSAGES = isQuick() ? 50 : 2_000
const ADMISSIONS = isQuick() ? 5 : 100
const BODY_BYTES = 123

/** What it costs an op that it is looked at whether its author may: against writing the same rows unasked. */
export async function measureApply(views: Views): Promise<void> {
  const log = await createLog()
  const messages = log.ops(MESSAGES, () => ({ header: { type: OpType.message }, sealed: randomBytes(BODY_BYTES) }))
  await measure('apply a message', {
    unit: 'µs',
    baselineName: 'the same rows, without authorisation',
    value: () => each(views, messages, (view, nodes) => log.apply(view, nodes)),
    baseline: () =>
      each(views, messages, (view, nodes) =>
        log.write(view, nodes, (op, id, order) => view.put('messages', { order, id, writer: log.writer, op }))
      )
  })

  const claims = await Promise.all(Array.from({ length: ADMISSIONS }, () => log.claim()))
  const admissions = log.ops(ADMISSIONS, (i) => ({
    header: { type: OpType.admit, payload: encodeStruct('admit', { request: encodeStruct('join-request', claims[i]!.claim), role: roleNumber('member') }) }
  }))
  await measure('apply an admission', {
    unit: 'µs',
    baselineName: 'the same rows, without authorisation',
    value: () => each(views, admissions, (view, nodes) => log.apply(view, nodes)),
    baseline: () =>
      each(views, admissions, (view, nodes) =>
        log.write(view, nodes, async (op, _, position) => {
          const { claim, box, identity } = claims[position]!
          await view.put('authority', { position, writer: log.writer, length: position + 1, op })
          await view.put('members', { identity, role: roleNumber('member'), joinedAt: 0 })
          await view.put('devices', { writer: claim.writer, device: claim.device, identity, box, position })
        })
      )
  })
}

/** The log of an owner, and the two ways to make rows of it. */
async function createLog() {
  const [room, writer, owner] = [randomBytes(32), randomBytes(32), randomBytes(32)]
  const host = { discoveryKey: room, key: writer, addWriter: async () => undefined } as unknown as ApplyHost
  const device = { writer, device: randomBytes(32), identity: owner, box: randomBytes(32), position: 0 }

  async function prepare(view: RoomView): Promise<void> {
    await view.put('devices', device)
    await view.put('members', { identity: owner, role: roleNumber('owner'), joinedAt: 0 })
    await view.db.flush()
  }

  return {
    writer,
    ops(count: number, make: (i: number) => { header: Partial<OpHeader> & { type: number }; sealed?: Uint8Array }): AutobaseNode[] {
      let previous: Uint8Array | null = null
      return Array.from({ length: count }, (_, i) => {
        const { header, sealed } = make(i)
        const value = encodeOp({ sentAt: Date.now(), previous, ...header }, sealed && (() => sealed))
        previous = opId(room, writer, value)
        return { from: { key: writer }, length: i + 1, value } as unknown as AutobaseNode
      })
    },
    async claim() {
      const identity = await openIdentity({ storage: createMemorySecretStore() })
      const keyPair = { publicKey: new Uint8Array(32), secretKey: new Uint8Array(64) }
      sodium.crypto_sign_seed_keypair(keyPair.publicKey, keyPair.secretKey, randomBytes(32))
      const key = Hypercore.key(keyPair.publicKey)
      const claim = { writer: key, nonce: randomBytes(32), ...makeClaim(identity, room, { key, keyPair }) }
      const person = { box: identity.device.boxPublicKey, identity: identity.identity.publicKey }
      await identity.close()
      return { claim, ...person }
    },
    async apply(view: RoomView, nodes: readonly AutobaseNode[]): Promise<() => Promise<void>> {
      await prepare(view)
      return async () => {
        await applyOps(nodes, view, host, { order: Infinity, people: false, flight: new Map() })
        const { skipped } = await view.meta()
        if (skipped > 0) throw new Error(`${skipped} ops were refused.`)
      }
    },
    async write(
      view: RoomView,
      nodes: readonly AutobaseNode[],
      put: (op: Uint8Array, id: Uint8Array, i: number) => Promise<void>
    ): Promise<() => Promise<void>> {
      await prepare(view)
      return async () => {
        let head = writer
        for (const [i, { value }] of nodes.entries()) {
          if (decodeOp(value) === undefined) throw new Error('An op cannot be decoded.')
          head = opId(room, writer, value)
          await put(value, head, i)
        }
        await view.put('writers', { writer, length: nodes.length, head })
        await view.put('meta', { messages: nodes.length, authority: 0, skipped: 0 })
        await view.db.flush()
      }
    }
  }
}

/** How long one of the ops takes, in a view that is new. */
async function each(
  views: Views,
  nodes: readonly AutobaseNode[],
  prepare: (view: RoomView, nodes: readonly AutobaseNode[]) => Promise<() => Promise<void>>
): Promise<number> {
  const work = await prepare(views.open(), nodes)
  const startedAt = performance.now()
  await work()
  return ((performance.now() - startedAt) * 1_000) / nodes.length
}

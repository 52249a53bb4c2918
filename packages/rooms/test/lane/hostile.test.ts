import { expect, onTestFinished, test } from 'vitest'
import fc from 'fast-check'
import { encodeZ32 } from '@covey/core'
import { defineChannel } from '@covey/transport'
import { randomBytes } from '../../src/internal/crypto.js'
import { MAX_SAID_BYTES, MAX_SAID_OP_BYTES, sayOp } from '../../src/internal/lane/said.js'
import { opId, OpType } from '../../src/internal/op.js'
import { createLane } from '../../src/internal/lane/lane.js'
import { foundBy, memberOf, startDevice } from '../support-apply.js'
import { messagesOf, useLocalNetwork } from '../support.js'
import { laneScene, says, type Scene } from './support.js'

// White box: what Alice makes of what Bob's device says ahead of the log.

const net = useLocalNetwork()

async function isShown({ bob, judge }: Scene, said: Uint8Array, peer = bob.identity.device.id): Promise<boolean> {
  return (await judge.judge(peer, said)) !== undefined
}

test('what a member says as it should is shown: the attacks below do not fail for another reason', async () => {
  const scene = await laneScene(net)
  expect(await isShown(scene, says(scene.bob, scene.his, await scene.message('hello')))).toBe(true)
})

test('forged: by another key, for another writer, with another byte, from another peer', async () => {
  const scene = await laneScene(net)
  const { alice, bob, hers, his } = scene
  const op = await scene.message('hello')
  const said = says(bob, his, op)
  expect(await isShown(scene, says(alice, his, op))).toBe(false)
  expect(await isShown(scene, says(bob, his, op, hers.base.local.key))).toBe(false)
  expect(await isShown(scene, says(bob, his, op, randomBytes(32)))).toBe(false)
  // What Bob has truly said, passed on.
  expect(await isShown(scene, said, alice.identity.device.id)).toBe(false)
  for (const at of [0, 1, 40, 70, 100, said.length - 1]) {
    const altered = said.slice()
    altered[at]! ^= 1
    expect(await isShown(scene, altered), `byte ${at}`).toBe(false)
  }
  // Signed for what a block would say.
  const id = opId(randomBytes(32), his.base.local.key, op)
  expect(await isShown(scene, sayOp({ id, writer: his.base.local.key, op }, randomBytes(64)))).toBe(false)
  expect(await isShown(scene, said)).toBe(true)
})

test('no message: another type, no body, a body of another epoch or place, an epoch that nobody knows', async () => {
  const scene = await laneScene(net)
  const { bob, his, hers } = scene
  const shows = async (op: Uint8Array) => isShown(scene, says(bob, his, op))
  const present = (await his.keyring.plan()).epoch([])
  expect(await shows(await scene.message('x', { header: { type: OpType.profile }, isState: true }))).toBe(false)
  expect(await shows(await scene.message('x', { header: { epoch: null } }))).toBe(false)
  expect(await shows(await scene.message('x', { epoch: { ...present, key: randomBytes(32) } }))).toBe(false)
  expect(await shows(await scene.message('x', { epoch: { id: randomBytes(32), key: present.key } }))).toBe(false)
  // Sealed as another writer's.
  expect(await shows(await scene.message('x', { writer: hers.base.local.key, header: { previous: null } }))).toBe(false)
  expect(await shows(await scene.message('x', { header: { sentAt: 8.64e15 + 2 } }))).toBe(false)
  expect(await hers.view.all('key-requests')).toEqual([])
})

test('out of its chain: replayed, twice, or two that follow the same', async () => {
  const scene = await laneScene(net)
  const { bob, his, hers, judge } = scene
  expect(await isShown(scene, says(bob, his, await scene.message('x', { header: { previous: randomBytes(32) } })))).toBe(false)
  const written = await his.room.send('in the log')
  await hers.until(async () => ((await hers.room.message(written.id))?.state === 'sent' ? true : undefined))
  const shows = async (op: Uint8Array) => isShown(scene, says(bob, his, op))
  const [row] = await hers.view.messages(0, 1)
  expect(await shows(row!.op)).toBe(false)
  expect(await shows(await scene.message('x', { header: { previous: null } }))).toBe(false)
  expect(await shows(await scene.message('x', { header: { previous: randomBytes(32) } }))).toBe(false)

  const [one, other] = [await scene.message('one'), await scene.message('other')]
  const shown = await judge.judge(bob.identity.device.id, says(bob, his, one))
  hers.pending.addOther(shown!, 60_000)
  expect(await shows(one)).toBe(false)
  expect(await shows(other)).toBe(false)
  expect(await shows(await scene.message('next'))).toBe(true)
})

test('of somebody who may not speak: a reader, who is muted, who was removed, who is not in', async () => {
  const reading = await laneScene(net, 'reader')
  expect(await isShown(reading, says(reading.bob, reading.his, await reading.message('x')))).toBe(false)

  const scene = await laneScene(net)
  const { bob, his, hers, judge } = scene
  const person = bob.identity.identity.id
  const said = says(bob, his, await scene.message('x'))
  await hers.room.mute(person)
  judge.changed()
  expect(await isShown(scene, said)).toBe(false)
  await hers.room.unmute(person)
  judge.changed()
  expect(await isShown(scene, said)).toBe(true)
  // A device that was revoked, of somebody who stays.
  const view = hers.view as { device: typeof hers.view.device }
  const { device } = view
  view.device = async (writer) => ({ ...(await device(writer))!, removed: true })
  judge.changed()
  expect(await isShown(scene, said)).toBe(false)
  view.device = device
  judge.changed()
  expect(await isShown(scene, said)).toBe(true)
  await hers.room.remove(person)
  judge.changed()
  expect(await isShown(scene, said)).toBe(false)

  const stranger = await startDevice(net)
  expect(await isShown(scene, says(stranger, his, await scene.message('x')), stranger.identity.device.id)).toBe(false)
})

test('bounds: no more of a device than 64, none of more than 8 KiB', async () => {
  const scene = await laneScene(net)
  const { bob, his, hers, judge } = scene
  const large = await scene.message('x'.repeat(MAX_SAID_OP_BYTES))
  expect(await isShown(scene, says(bob, his, large))).toBe(false)
  let shown = 0
  for (let i = 0; i < 80; i++) {
    const message = await judge.judge(bob.identity.device.id, says(bob, his, await scene.message(`${i}`)))
    if (message === undefined) continue
    hers.pending.addOther(message, 60_000)
    shown++
  }
  expect(shown).toBe(64)
})

test('any bytes are no message, and no error', async () => {
  const scene = await laneScene(net)
  const said = says(scene.bob, scene.his, await scene.message('hello'))
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: said.length }), async (bytes, keep) => {
      const mixed = new Uint8Array([...said.subarray(0, keep), ...bytes])
      if (mixed.length !== said.length || bytes.length > 0) expect(await isShown(scene, mixed)).toBe(keep === said.length && bytes.length === 0)
    }),
    { numRuns: 300 }
  )
})

test('who floods is heard a little, and the room goes on', { timeout: 60_000 }, async () => {
  const scene = await laneScene(net)
  const { alice, bob, his, hers, lanes } = scene
  // Bob's own software, in the place of what Covey says.
  await lanes.his.close()
  let added = 0
  hers.pending.on('add', () => void added++)
  const channel = bob.node.channel(
    defineChannel({ name: `covey/lane/${hers.room.id}`, version: 1, maxMessageBytes: MAX_SAID_BYTES }),
    { peers: [alice.identity.device.id] }
  )
  onTestFinished(() => channel.close())
  await channel.opened(alice.identity.device.id)
  const op = await scene.message('again and again')
  const said = says(bob, his, op)
  // Each names another writer, which has to be looked up.
  let lookups = 0
  const view = hers.view as { device: typeof hers.view.device }
  const { device } = view
  view.device = (writer) => {
    lookups++
    return device(writer)
  }
  const startedAt = Date.now()
  for (let i = 0; i < 3_000; i++) {
    await channel.send(alice.identity.device.id, i === 0 ? said : says(bob, his, op, randomBytes(32)))
  }
  const floodMs = Date.now() - startedAt
  expect(lookups).toBeLessThanOrEqual(128 + (64 * floodMs) / 1_000 + 64)
  const sent = await his.room.send('by the log')
  await hers.until(async () => ((await hers.room.message(sent.id)) ? true : undefined))
  // The flood names one message.
  expect(added).toBeLessThanOrEqual(1)
  expect(Date.now() - startedAt).toBeLessThan(30_000)
  expect((await messagesOf(hers.room)).map(({ text }) => text)).toEqual(['by the log'])
})

test('a stranger, and somebody who was removed, have no lane', { timeout: 30_000 }, async () => {
  const scene = await laneScene(net)
  const { alice, bob, hers, lanes } = scene
  const definition = defineChannel({ name: `covey/lane/${hers.room.id}`, version: 1, maxMessageBytes: MAX_SAID_BYTES })
  const stranger = await startDevice(net)
  const theirs = stranger.node.channel(definition, { peers: [alice.identity.device.id] })
  onTestFinished(() => theirs.close())
  stranger.meet(hers.base.discoveryKey!)
  const met = new Promise<void>((resolve) => stranger.node.on('connect', ({ peer }) => void (peer === alice.identity.device.id && resolve())))
  await met
  await expect(theirs.opened(alice.identity.device.id, { signal: AbortSignal.timeout(1_000) })).rejects.toThrow()

  await lanes.his.close()
  const his = bob.node.channel(definition, { peers: [alice.identity.device.id] })
  onTestFinished(() => his.close())
  await his.opened(alice.identity.device.id)
  const closed = his.once('close')
  await hers.room.remove(bob.identity.identity.id)
  expect(await closed).toMatchObject({ peer: alice.identity.device.id, code: 'CHANNEL_CLOSED' })
  await expect(his.opened(alice.identity.device.id, { signal: AbortSignal.timeout(1_000) })).rejects.toThrow()
})

test('what the log contradicts is withdrawn, and what it does not bring, in time', { timeout: 30_000 }, async () => {
  const scene = await laneScene(net)
  const { bob, his, hers, judge } = scene
  const settled: { state: string; id: Uint8Array }[] = []
  hers.pending.on('settle', ({ id, isWithdrawn }) => void settled.push({ id, state: isWithdrawn ? 'withdrawn' : 'sent' }))
  const seen: string[] = []
  const controller = new AbortController()
  const reading = (async () => {
    for await (const { text, state } of hers.room.messages({ live: true, signal: controller.signal })) seen.push(`${text} ${state}`)
  })()

  // Says one thing, and writes another.
  const op = await scene.message('said')
  const shown = await judge.judge(bob.identity.device.id, says(bob, his, op))
  const next = hers.pending.once('settle')
  hers.pending.addOther(shown!, 60_000)
  await his.room.send('written')
  await next
  expect(settled).toEqual([{ id: shown!.id, state: 'withdrawn' }])

  // Says what is never written.
  await hers.until(async () => ((await hers.room.message(encodeZ32(shown!.id))) === undefined && (await messagesOf(hers.room)).length === 1 ? true : undefined))
  const idle = await judge.judge(bob.identity.device.id, says(bob, his, await scene.message('never')))
  const timedOut = hers.pending.once('settle')
  hers.pending.addOther(idle!, 200)
  expect((await hers.room.message(encodeZ32(idle!.id)))?.state).toBe('pending')
  await timedOut
  expect(settled.at(-1)).toEqual({ id: idle!.id, state: 'withdrawn' })

  // Says something, and is removed before it is read.
  const last = await judge.judge(bob.identity.device.id, says(bob, his, await scene.message('removed')))
  const removed = hers.pending.once('settle')
  hers.pending.addOther(last!, 60_000)
  await hers.room.remove(bob.identity.identity.id)
  await removed
  expect(settled.at(-1)).toEqual({ id: last!.id, state: 'withdrawn' })
  controller.abort()
  await reading.catch(() => undefined)
  expect(seen).toContain('said pending')
  expect(seen.filter((one) => one.startsWith('written'))).toHaveLength(1)
  expect((await messagesOf(hers.room)).map(({ text }) => text)).toEqual(['written'])
})

test('one message that cannot be judged for a fault of the disk is reported, and the next is heard', async () => {
  const [alice, bob] = [await startDevice(net), await startDevice(net)]
  const hers = await foundBy(alice)
  const his = await memberOf(hers, bob)
  const fault = new Error('A fault of the disk.')
  let faults = 1
  const view = { ...hers.view, epoch: async (id: Uint8Array) => (faults-- > 0 ? Promise.reject(fault) : hers.view.epoch(id)) }
  const errors: unknown[] = []
  const fail = (error: unknown): void => void errors.push(error)
  const lanes = [createLane(alice.node, { ...hers, view }, alice.identity, fail), createLane(bob.node, his, bob.identity, fail)]
  onTestFinished(async () => {
    for (const lane of lanes) await lane.close()
  })
  let heard = 0
  hers.pending.on('add', () => void heard++)
  // Until both have the lane, messages come by the log alone.
  for (let i = 0; heard === 0 && i < 200; i++) {
    const { id } = await his.room.send(`${i}`)
    await hers.until(async () => (await hers.room.message(id)) && true)
  }
  expect(errors).toEqual([fault])
  expect(heard).toBeGreaterThan(0)
})

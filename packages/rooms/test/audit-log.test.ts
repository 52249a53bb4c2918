import { expect, test } from 'vitest'
import { encodeLink } from '@covey/core'
import { pollContent, type AuditEntry, type Role, type Room } from '@covey/rooms'
import { OpType } from '../src/internal/op.js'
import { encodeStruct } from '../src/internal/structs.js'
import { appliedBy, foundBy, hostileScene, memberOf, startDevice } from './support-apply.js'
import { allOf, shareRoom, start, textsOf, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()

const idOf = ({ identity }: TestPeer): string => identity.identity.id
const told = ({ action, by, subject }: AuditEntry) => [action, by, subject]

function roleBecomes(room: Room, role: Role): Promise<true> {
  return until(room, async () => ((await room.info()).role === role ? true : undefined))
}

test('who did what to whom, in the order of the room, on every device alike, by pages', async () => {
  const peers = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')] as const
  const [hers, his, carols] = (await shareRoom(...peers)) as [Room, Room, Room]
  const [alice, bob, carol] = peers.map(idOf) as [string, string, string]
  await hers.setRole(bob, 'moderator')
  await roleBecomes(his, 'moderator')
  const { id } = await carols.send('spam')
  await allOf(his, ['spam'])
  await until(his, async () => ((await his.message(id))?.state === 'sent' ? true : undefined))
  await his.pin(id)
  const { id: poll } = await carols.send(pollContent.create({ question: 'Tea?', options: ['yes', 'no'], isMultiple: false }))
  await until(his, async () => ((await his.message(poll))?.state === 'sent' ? true : undefined))
  await his.closePoll(poll)
  await his.delete(id)
  await his.mute(carol)
  await until(hers, async () => (await hers.members()).some(({ isMuted }) => isMuted) || undefined)
  await hers.setRules({ slowModeMs: 1_000 })
  await hers.rename('Coffee')
  await hers.setMirrors([encodeLink('mirror', new Uint8Array(32).fill(7))])
  await hers.remove(carol, { ban: true })
  const expected = [
    ['setRole', alice, bob],
    ['pin', bob, carol],
    ['closePoll', bob, carol],
    ['delete', bob, carol],
    ['mute', bob, carol],
    ['setRules', alice, undefined],
    ['rename', alice, undefined],
    ['setMirrors', alice, undefined],
    ['ban', alice, carol]
  ]
  for (const room of [hers, his]) {
    const all = await until(room, async () => {
      const log = await room.auditLog()
      return log.at(-1)?.action === 'ban' ? log : undefined
    })
    expect(all.slice(-expected.length).map(told)).toEqual(expected)
    expect(all[0]?.action).toBe('create')
    // Let in by one after the other, and in no particular order.
    expect(new Set(all.filter(({ action }) => action === 'admit').map(({ subject }) => subject))).toEqual(new Set([bob, carol]))
    expect(all.find(({ action }) => action === 'setRole')?.role).toBe('moderator')
    expect(all.find(({ action }) => action === 'setRules')?.rules).toEqual({ slowModeMs: 1_000 })
    expect(all.find(({ action }) => action === 'delete')?.messageId).toBe(id)
    // Pages of two, from the end.
    const paged: AuditEntry[] = []
    for (let page = await room.auditLog({ limit: 2 }); page.length > 0; page = await room.auditLog({ limit: 2, before: paged[0]!.cursor })) paged.unshift(...page)
    expect(paged).toEqual(all)
  }
  await expect(hers.auditLog({ before: 'x' })).rejects.toThrow(TypeError)
  await expect(hers.auditLog({ limit: 0 })).rejects.toThrow(TypeError)
})

test('what was refused is not told, nor what turned out to be void', async () => {
  const { owner, hostile } = await hostileScene(net, 'moderator')
  const mute = { type: OpType.mute, payload: encodeStruct('mute', { identity: owner.base.local.key, muted: true }) }
  await appliedBy(owner, hostile.key, await hostile.write(mute))
  const actions = async (): Promise<string[]> => (await owner.room.auditLog()).map(({ action }) => action)
  expect(await actions()).toEqual(['create', 'rename', 'admit'])
  const invite = encodeStruct('invite', { id: new Uint8Array(32).fill(7), publicKey: new Uint8Array(32), role: 1 })
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.invite, payload: invite }))
  expect(await actions()).toEqual(['create', 'rename', 'admit', 'createInvite'])
  // Removed by who says to have seen nothing of it.
  const payload = encodeStruct('remove', { identity: hostile.identity, seen: [] })
  await owner.log.append([{ type: 'remove', payload }])
  expect(await actions()).toEqual(['create', 'rename', 'admit', 'remove'])
})

test('what somebody said is not shown whose admission turned out to be void', async () => {
  const [owners, admins, theirs] = [await startDevice(net), await startDevice(net), await startDevice(net)]
  const owner = await foundBy(owners)
  const admin = await memberOf(owner, admins, 'admin')
  const newcomer = await memberOf(admin, theirs)
  await admin.room.send('said by an admin')
  await newcomer.room.send('said by a newcomer')
  const texts = async (): Promise<string[]> => (await textsOf(owner.room)).sort()
  await until(owner.room, async () => ((await owner.view.meta()).messages === 2 ? true : undefined))
  expect(await texts()).toEqual(['said by a newcomer', 'said by an admin'])
  // By who says to have seen nothing of what the admin did.
  const payload = encodeStruct('remove', { identity: admins.identity.identity.publicKey, seen: [] })
  await owner.log.append([{ type: 'remove', payload }])
  expect((await owner.view.meta()).messages).toBe(2)
  expect(await texts()).toEqual(['said by an admin'])
})

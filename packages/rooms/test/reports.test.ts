import { expect, test } from 'vitest'
import { decodeKey, encodeZ32 } from '@covey/core'
import { MAX_REASON_BYTES, type Role, type Room } from '@covey/rooms'
import { MAX_REPORTS_BY_ONE } from '../src/internal/apply/reports.js'
import { OpType } from '../src/internal/op.js'
import { appliedBy, foundBy, hostileScene, memberOf, startDevice } from './support-apply.js'
import { allOf, codeOf, shareRoom, start, until, useLocalNetwork, type TestPeer } from './support.js'

const net = useLocalNetwork()
const idOf = ({ identity }: TestPeer): string => identity.identity.id

function waiting(room: Room, count: number): Promise<true> {
  return until(room, async () => ((await room.reports()).length === count ? true : undefined))
}

function roleBecomes(room: Room, role: Role): Promise<true> {
  return until(room, async () => ((await room.info()).role === role ? true : undefined))
}

test('a member reports a message, moderators alone read it, and one of them deals with it', async () => {
  const peers = [await start(net, 'Alice'), await start(net, 'Bob'), await start(net, 'Carol')] as const
  const [hers, his, carols] = (await shareRoom(...peers)) as [Room, Room, Room]
  const [, bob, carol] = peers.map(idOf) as [string, string, string]
  const { id } = await his.send('spam')
  await allOf(carols, ['spam'])
  await until(carols, async () => ((await carols.message(id))?.state === 'sent' ? true : undefined))
  await carols.report(id, { reason: 'It is spam.' })
  await waiting(hers, 1)
  const [report] = await hers.reports()
  expect(report).toEqual({ id: report!.id, by: carol, messageId: id, reason: 'It is spam.', sentAt: report!.sentAt })
  expect(await codeOf(() => his.reports())).toBe('ROOM_FORBIDDEN')
  expect(await codeOf(() => his.resolveReport(report!.id))).toBe('ROOM_FORBIDDEN')
  await hers.setRole(carol, 'moderator')
  await roleBecomes(carols, 'moderator')
  // Written before she was one of those who read them, though by herself.
  expect((await carols.reports())[0]?.messageId).toBe(undefined)
  expect(await codeOf(() => carols.resolveReport(report!.id, { action: 'mute' }))).toBe('MESSAGE_NOT_FOUND')
  await hers.resolveReport(report!.id, { action: 'delete' })
  expect(await hers.reports()).toEqual([])
  await waiting(carols, 0)
  expect((await hers.message(id))?.kind).toBe('deleted')
  expect((await hers.auditLog()).slice(-2).map(({ action, subject }) => [action, subject])).toEqual([['delete', bob], ['resolveReport', carol]])
  expect(await codeOf(() => hers.resolveReport(report!.id))).toBe('REPORT_NOT_FOUND')
})

test('arguments that are none, messages that are not there, and more than may wait', async () => {
  const owner = await foundBy(await startDevice(net))
  const member = await memberOf(owner, await startDevice(net))
  const { id } = await member.room.send('hello')
  await until(member.room, async () => ((await member.room.message(id))?.state === 'sent' ? true : undefined))
  expect(await codeOf(() => member.room.report(encodeZ32(new Uint8Array(32))))).toBe('MESSAGE_NOT_FOUND')
  await expect(member.room.report(id, { reason: 'x'.repeat(MAX_REASON_BYTES + 1) })).rejects.toThrow(TypeError)
  await expect(owner.room.resolveReport(id, { action: 'shout' as never })).rejects.toThrow(TypeError)
  for (let i = 0; i < MAX_REPORTS_BY_ONE; i++) await member.room.report(id)
  expect(await codeOf(() => member.room.report(id))).toBe('TOO_MANY_REPORTS')
  await waiting(owner.room, MAX_REPORTS_BY_ONE)
  await owner.room.resolveReport((await owner.room.reports())[0]!.id)
  await until(member.room, async () => ((await codeOf(() => member.room.report(id))) === null ? true : undefined))
})

test('software that reports with garbage, without end, or resolves what is not for it', async () => {
  const { owner, hostile } = await hostileScene(net, 'member')
  let last: Uint8Array | undefined
  for (let i = 0; i < 2 * MAX_REPORTS_BY_ONE; i++) last = await hostile.write({ type: OpType.report, payload: Uint8Array.of(i) }, new Uint8Array(40))
  await appliedBy(owner, hostile.key, last!)
  const reports = await owner.room.reports()
  expect(reports).toHaveLength(MAX_REPORTS_BY_ONE)
  expect(reports.every(({ messageId, reason }) => messageId === undefined && reason === '')).toBe(true)
  const target = decodeKey(reports[0]!.id)
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.resolveReport, target }))
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.report }, new Uint8Array(9_000)))
  expect(await owner.room.reports()).toHaveLength(MAX_REPORTS_BY_ONE)
  for (const { id } of reports) await owner.room.resolveReport(id)
  await appliedBy(owner, hostile.key, await hostile.write({ type: OpType.report }, new Uint8Array(9_000)))
  expect(await owner.room.reports()).toEqual([])
  expect((await owner.view.meta()).reports ?? 0).toBe(0)
})

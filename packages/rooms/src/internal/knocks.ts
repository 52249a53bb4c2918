import { equalBytes } from '@covey/core'
import type { InviteRow, KnockRow, RoomView } from './view.js'

/** How many requests to be let in a room keeps: whoever has a link can have some written. */
const MAX_KNOCKS = 128
/** How many of them by one member, so that no member fills the list alone. */
const MAX_KNOCKS_BY_ONE = 32

/** Whether a request still waits for somebody to decide. */
export async function isPending(view: RoomView, { writer, author, invite, declined }: KnockRow): Promise<boolean> {
  const [asked, device, teller] = await Promise.all([view.invite(invite), view.device(writer), view.device(author)])
  const isIn = device !== null && !device.removed
  return !declined && isAskable(asked) && !isIn && teller !== null && !teller.removed
}

/** Keeps what a member says of a request, if there is room for it. */
export async function keepKnock(view: RoomView, row: KnockRow): Promise<boolean> {
  const told = await view.knocksOf(row.writer)
  const isSame = ({ invite }: KnockRow): boolean => equalBytes(invite, row.invite)
  // Who was declined is, for as long as it is remembered; by another invite, one may ask again.
  if (told.some((other) => isSame(other) && (other.declined || equalBytes(other.author, row.author)))) return false
  if (!(await isPending(view, row))) return false
  const all = (await view.all('knocks')).filter((other) => !isSameRow(other, row))
  const own = all.filter(({ author }) => equalBytes(author, row.author))
  const isFull = all.length >= MAX_KNOCKS
  if (isFull || own.length >= MAX_KNOCKS_BY_ONE) {
    const settled = await firstSettled(view, isFull && own.length < MAX_KNOCKS_BY_ONE ? all : own)
    if (settled === undefined) return false
    await view.delete('knocks', settled)
  }
  await view.put('knocks', row)
  return true
}

/** Remembers that somebody may not come in by an invite. */
export async function declineKnocks(view: RoomView, writer: Uint8Array, invite: Uint8Array): Promise<boolean> {
  const told = (await view.knocksOf(writer)).filter((row) => equalBytes(row.invite, invite) && !row.declined)
  for (const row of told) await view.put('knocks', { ...row, op: EMPTY, declined: true })
  return told.length > 0
}

/** To be called when somebody has been let in. */
export async function forgetKnocks(view: RoomView, writer: Uint8Array): Promise<void> {
  for (const row of await view.knocksOf(writer)) await view.delete('knocks', row)
}

async function firstSettled(view: RoomView, rows: readonly KnockRow[]): Promise<KnockRow | undefined> {
  for (const row of rows) if (!(await isPending(view, row))) return row
  return undefined
}

function isAskable(invite: InviteRow | null): boolean {
  if (invite === null || !invite.approval || invite.revoked) return false
  return !invite.uses || invite.used < invite.uses
}

function isSameRow(one: KnockRow, other: KnockRow): boolean {
  return equalBytes(one.writer, other.writer) && equalBytes(one.author, other.author)
}

const EMPTY = new Uint8Array()

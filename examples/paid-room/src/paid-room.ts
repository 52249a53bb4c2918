import { setTimeout as delay } from 'node:timers/promises'
import type { Bot } from '@covey/bot'
import { decodeKey, decodeUtf8, encodeUtf8, encodeZ32, isCoveyError } from '@covey/core'
import { createGate, openGateJournal, paymentReceiptContent, paymentRequestContent, readReceipt, readRequest, type Gate, type GateEntry, type Money, type OpenedGate, type PaymentReceipt, type ReceiptClaim } from '@covey/payments'
import type { Peer, Room } from 'covey'

/** What the keeper of a paid room has. */
export interface PaidRoom {
  /** Where people come to ask and to pay. */
  readonly lobby: Room
  /** Where those come who have paid. */
  readonly club: Room
  readonly gate: Gate
}

export interface PaidRoomInit {
  readonly price: Money
  /** A folder for the journal of the gate. */
  readonly folder: string
}

/** How long a receipt is given until the money that it tells of is here, and how often that is looked for. */
const SETTLE_WITHIN_MS = 20_000
const ASK_EVERY_MS = 250
const NOT_SEEN = 'I cannot see that it is paid. Write /join later, and I look again.'

/** Has the bot sell invites to a room, in another one. To be called before the bot starts. */
export async function paidRoom(bot: Bot<Record<string, unknown>>, { price, folder }: PaidRoomInit): Promise<PaidRoom> {
  const [lobby, club] = [await ownRoom(bot.peer, 'Lobby'), await ownRoom(bot.peer, 'Club')]
  const gate = createGate({
    payments: bot.peer.payments,
    journal: await openGateJournal(folder),
    room: decodeKey(lobby.id),
    name: 'club',
    purpose: 'To come into the club',
    price,
    // For one person, who may leave and come back: so it can be said where everybody hears it.
    grant: async ({ payer }) => encodeUtf8(await club.createInvite({ inviteeId: encodeZ32(payer) }))
  })

  bot.command('join', 'lets you into the club, for money', async (ctx) => {
    if (ctx.room.id !== lobby.id) return
    // Whoever has paid and was told nothing: the wallet knows it, also where the receipt was lost.
    const opened = await openedFor(gate, ctx.message.author, ctx.signal)
    if (opened === 'unknown') return ctx.reply(NOT_SEEN)
    if (opened !== undefined) return ctx.reply(inviteOf(opened))
    const request = await gate.ask(decodeKey(ctx.message.author), { signal: ctx.signal })
    return ctx.reply(paymentRequestContent.create(request.bytes))
  })

  bot.on(paymentReceiptContent, async (ctx) => {
    if (ctx.room.id !== lobby.id) return
    const claim = receiptIn(gate, ctx.value, ctx.message.author)
    // One whose proof is none is not waited for.
    if (claim === undefined || (await bot.peer.payments.verify(claim.request, claim.receipt, { signal: ctx.signal })).status === 'invalid') return
    const opened = await openSoon(gate, claim.receipt, ctx.signal)
    await ctx.reply(opened === undefined ? NOT_SEEN : inviteOf(opened))
  })

  return { lobby, club, gate }
}

/** The room of this name that is this peer's own, made where there is none. */
async function ownRoom(peer: Peer, name: string): Promise<Room> {
  for (const room of peer.rooms.list()) {
    const info = await room.info()
    if (info.role === 'owner' && info.name === name) return room
  }
  return peer.rooms.create({ name })
}

/** What was asked of this person, the newest first. */
function askedOf(gate: Gate, person: string): GateEntry[] {
  return gate.list().filter(({ payer }) => encodeZ32(payer) === person).toSorted((a, b) => b.askedMs - a.askedMs)
}

/** What this person has paid for last; `'unknown'` where something may have been paid and nobody can say. */
async function openedFor(gate: Gate, person: string, signal: AbortSignal): Promise<OpenedGate | 'unknown' | undefined> {
  let found: 'unknown' | undefined
  for (const { state, requestHash } of askedOf(gate, person)) {
    if (state === 'late' || state === 'over') continue
    try {
      return await gate.open(requestHash, { signal })
    } catch (error) {
      if (isCoveyError(error, 'PROVIDER_UNAVAILABLE')) found = 'unknown'
      else if (!['NOT_PAID', 'EXPIRED', 'DUPLICATE'].some((code) => isCoveyError(error, code))) throw error
    }
  }
  return found
}

/** The receipt, where it is for what was asked of the person who shows it, and of nobody else. */
function receiptIn(gate: Gate, bytes: Uint8Array, person: string): ReceiptClaim | undefined {
  for (const { request: asked, room } of askedOf(gate, person)) {
    const request = readRequest(asked, { room, atMs: Date.now() })
    const receipt = request.ok ? readReceipt(bytes, { request: request.value, atMs: Date.now() }) : undefined
    if (request.ok && receipt?.ok) return { request: request.value, receipt: receipt.value }
  }
  return undefined
}

async function openSoon(gate: Gate, receipt: PaymentReceipt, signal: AbortSignal): Promise<OpenedGate | undefined> {
  for (const until = Date.now() + SETTLE_WITHIN_MS; Date.now() < until; await delay(ASK_EVERY_MS, undefined, { signal })) {
    try {
      return await gate.open(receipt.requestHash, { receipt, signal })
    } catch (error) {
      if (isCoveyError(error, 'EXPIRED') || isCoveyError(error, 'DUPLICATE')) return undefined
      if (!isCoveyError(error, 'NOT_PAID') && !isCoveyError(error, 'PROVIDER_UNAVAILABLE')) throw error
    }
  }
  return undefined
}

function inviteOf({ grant }: OpenedGate): string {
  const text = decodeUtf8(grant)
  if (!text.ok) throw text.error
  return text.value
}

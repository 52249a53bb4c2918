import { setTimeout as delay } from 'node:timers/promises'
import { arg, type Bot, type ContentContext } from '@covey/bot'
import { decodeKey, encodeZ32, isCoveyError } from '@covey/core'
import { formatAmount, parseAmount, paymentReceiptContent, paymentRequestContent, readReceipt, type Asset, type PaymentReceipt, type PaymentRequest, type Settlement } from '@covey/payments'
import type { Ledger } from './ledger.js'

type Session = Record<string, unknown>

/** How long a receipt is given until the wallet has the money that it tells of, and how often the wallet is asked. */
const SETTLE_WITHIN_MS = 20_000
const ASK_EVERY_MS = 250

export interface TipJarInit {
  readonly asset: Asset
  readonly ledger: Ledger
  readonly settleWithinMs?: number
}

/** Asks for tips, thanks for those that have come, and keeps a ledger. */
export function tipJar(bot: Bot<Session>, { asset, ledger, settleWithinMs = SETTLE_WITHIN_MS }: TipJarInit): void {
  const write = (amount: bigint): string => `${formatAmount(amount, asset)} ${asset.symbol}`

  bot.command('tip', 'asks you for a tip, as in /tip 0.5', { args: { amount: arg.word({ maxLength: 80 }) } }, async (ctx) => {
    const amount = amountOf(ctx.args.amount, asset)
    if (amount === undefined) return ctx.reply(`How much? Write an amount of ${asset.symbol}, as in /tip 0.5`)
    // It names who is to pay, so that nobody else can show the proof as theirs.
    const [room, payer] = [decodeKey(ctx.room.id), decodeKey(ctx.message.author)]
    const request = await bot.peer.payments.request({ room, payer, money: { asset: asset.id, amount }, purpose: 'A tip. Thank you!' }, { signal: ctx.signal })
    return ctx.reply(paymentRequestContent.create(request.bytes))
  })

  bot.command('ledger', 'tells what has come', (ctx) => {
    const total = ledger.lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    const yours = ledger.lines.filter(({ from }) => from === ctx.message.author).reduce((sum, { amount }) => sum + BigInt(amount), 0n)
    return ctx.reply(`${ledger.lines.length} tips, ${write(total)}; of you ${write(yours)}.`)
  })

  bot.on(paymentReceiptContent, async (ctx) => {
    const found = await findRequest(ctx)
    if (found === undefined) return
    const status = await settled(bot, found, settleWithinMs, ctx.signal)
    if (status === 'unknown') {
      await ctx.reply('I cannot see yet whether it has come. Pay it again later: nothing is paid twice, and I look again.')
      throw new Error('The wallet could not be asked whether a tip has come.')
    }
    if (status !== 'settled') return
    const { request } = found
    const { amount } = request.money
    const payment = encodeZ32(request.coreHash)
    const isNew = await ledger.add({ payment, from: ctx.message.author, amount: amount.toString(), asset: asset.id, at: Date.now() })
    // It may have been added, and not said thanks for, when the process ended; a reply is sent once all the same.
    if (isNew || ctx.attempt > 1) await ctx.reply(`Thank you for ${write(amount)}!`)
  })
}

function amountOf(text: string, asset: Asset): bigint | undefined {
  try {
    return parseAmount(text, asset)
  } catch (error) {
    if (isCoveyError(error, 'AMOUNT_MALFORMED')) return undefined
    throw error
  }
}

interface Found {
  readonly request: PaymentRequest
  readonly receipt: PaymentReceipt
}

/** The bot's own request that a receipt is for, by whom the request names. */
async function findRequest({ room, message, value, signal }: ContentContext<Session, Uint8Array>): Promise<Found | undefined> {
  for await (const each of room.messages({ signal })) {
    const request = each.isOwn ? room.payments.read(each) : undefined
    if (request === undefined) continue
    const receipt = readReceipt(value, { request, atMs: Date.now() })
    if (receipt.ok && encodeZ32(receipt.value.payer) === message.author) return { request, receipt: receipt.value }
  }
  return undefined
}

/** Whether the money is here, soon: what a receipt says is not enough. One whose proof is none is not waited for. */
async function settled({ peer: { payments } }: Bot<Session>, { request, receipt }: Found, withinMs: number, signal: AbortSignal): Promise<Settlement['status']> {
  if ((await payments.verify(request, receipt, { signal })).status === 'invalid') return 'open'
  for (const until = Date.now() + withinMs; ; await delay(ASK_EVERY_MS, undefined, { signal })) {
    const { status } = await payments.settlement(request, { receipt, signal })
    if (status === 'settled' || Date.now() >= until) return status
  }
}

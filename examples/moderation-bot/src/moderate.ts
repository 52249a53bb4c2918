import { arg, type Bot, type Context } from '@covey/bot'
import { isCoveyError, type Room } from 'covey'

/** How often the bot warns before it mutes. */
const WARNINGS = 2

/** What the bot remembers of a person in a room. */
export interface Conduct {
  strikes: number
}

export const newConduct = (): Conduct => ({ strikes: 0 })

/** Warns who uses one of the words, mutes who goes on, or who floods, and gives moderators commands. */
export function moderate(bot: Bot<Conduct>, words: readonly string[]): void {
  const unwanted = words.map(fold)
  const who = { who: arg.member() }
  const forModerators = { args: who, from: 'moderator', needs: 'moderate' } as const

  bot.command('mute', 'stops a member from writing', forModerators, (ctx) => tell(ctx, () => ctx.room.mute(ctx.args.who.id), 'Muted.'))
  bot.command('unmute', 'lets a member write again', forModerators, (ctx) => tell(ctx, () => ctx.room.unmute(ctx.args.who.id), 'Unmuted.'))
  bot.command('remove', 'removes a member', forModerators, (ctx) => tell(ctx, () => ctx.room.remove(ctx.args.who.id), 'Removed.'))
  bot.command('strikes', 'tells how often you were warned', (ctx) => ctx.reply(`${ctx.session.strikes} of ${WARNINGS}.`))

  bot.on('text', async (ctx) => {
    const text = fold(ctx.text)
    if (!unwanted.some((word) => text.includes(word))) return
    ctx.session.strikes++
    if (ctx.session.strikes <= WARNINGS) return ctx.reply(`Please do not say that here. (${ctx.session.strikes} of ${WARNINGS})`)
    ctx.session.strikes = 0
    return tell(ctx, () => ctx.room.mute(ctx.message.author), 'That was once too often: muted.')
  })

  bot.events.on('limited', async ({ roomId, personId }) => {
    const room = bot.peer.rooms.get(roomId)
    if (room !== undefined && (await muteIfAllowed(room, personId))) await room.send('Somebody wrote too much at once, and is muted.')
  })
}

/** However it is written: wide letters, ligatures and capitals are no way around. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

async function tell(ctx: Context<Conduct>, act: () => Promise<void>, done: string): Promise<unknown> {
  try {
    await act()
  } catch (error) {
    if (!isCoveyError(error, 'ROOM_FORBIDDEN')) throw error
    return ctx.reply('I may not do that to somebody of their role.')
  }
  return ctx.reply(done)
}

async function muteIfAllowed(room: Room, personId: string): Promise<boolean> {
  try {
    await room.mute(personId)
    return true
  } catch (error) {
    if (isCoveyError(error, 'ROOM_FORBIDDEN') || isCoveyError(error, 'MEMBER_NOT_FOUND')) return false
    throw error
  }
}

import { arg, type Bot } from '@covey/bot'
import { checkEndpoint, complete, CompletionError, type ChatMessage, type Endpoint } from './completion.js'
import { partsOf } from './parts.js'

/** What the bot remembers of a person in a room: the last of what was said. */
export interface Memory {
  said: ChatMessage[]
}

export const newMemory = (): Memory => ({ said: [] })

/** Three questions with their answers, and of each the beginning: what fits into a session. */
const MEMORY_MESSAGES = 6
const MEMORY_LENGTH = 400
const MAX_QUESTION_LENGTH = 2_000

const INSTRUCTIONS = 'You answer questions in a chat room. Be brief. Write plain text.'

/** Answers questions by a model, paragraph by paragraph as they come. */
export function assist(bot: Bot<Memory>, endpoint: Endpoint): void {
  checkEndpoint(endpoint)
  const args = { question: arg.rest({ maxLength: MAX_QUESTION_LENGTH }) }

  bot.command('ask', 'asks the model', { args }, async (ctx) => {
    const question: ChatMessage = { role: 'user', content: ctx.args.question }
    const messages: ChatMessage[] = [{ role: 'system', content: INSTRUCTIONS }, ...ctx.session.said, question]
    let answer = ''
    try {
      for await (const part of partsOf(complete(endpoint, messages, ctx.signal))) {
        await ctx.reply(part)
        answer += `${part}\n\n`
      }
    } catch (error) {
      if (!(error instanceof CompletionError)) throw error
      await ctx.reply(`I have no answer. ${error.message}`)
    }
    if (answer !== '') remember(ctx.session, question, { role: 'assistant', content: answer })
  })

  bot.command('forget', 'forgets what you have asked', async (ctx) => {
    ctx.session = newMemory()
    await ctx.reply('Forgotten.')
  })
}

function remember(memory: Memory, ...said: ChatMessage[]): void {
  const short = said.map(({ role, content }) => ({ role, content: content.slice(0, MEMORY_LENGTH).toWellFormed() }))
  memory.said = [...memory.said, ...short].slice(-MEMORY_MESSAGES)
}

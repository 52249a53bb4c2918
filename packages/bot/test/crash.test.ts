import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Room } from 'covey'
import { makePeer, messagesUntil, temporaryFolder, useLocalNetwork } from './support.js'

const net = useLocalNetwork()

interface Process {
  readonly exited: Promise<unknown>
  kill(signal?: 'SIGKILL' | 'SIGINT'): Promise<void>
}

interface EchoBot {
  run(): Promise<Process>
  /** What the bot has noted, of every run. */
  journal(): Promise<string[]>
}

async function echoBot(room: Room): Promise<EchoBot> {
  const folder = await temporaryFolder()
  const journalFile = join(folder, 'journal')
  await appendFile(journalFile, '')
  const invite = await room.createInvite()
  const journal = async (): Promise<string[]> => (await readFile(journalFile, 'utf8')).split('\n').slice(0, -1)
  const count = async (): Promise<number> => (await journal()).filter((line) => line === 'started').length
  return {
    journal,
    async run() {
      const before = await count()
      const script = fileURLToPath(new URL('echo-until-killed.ts', import.meta.url))
      const args = ['--import', 'tsx', '-C', '@covey/source', script, join(folder, 'bot'), JSON.stringify(net.network), journalFile, invite]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
      const exited = once(child, 'exit')
      const kill = async (signal: 'SIGKILL' | 'SIGINT' = 'SIGKILL'): Promise<void> => {
        child.kill(signal)
        await exited
      }
      onTestFinished(() => kill())
      // A file has no event that every system gives.
      while (child.exitCode === null && child.signalCode === null && (await count()) === before) await delay(50)
      return { exited, kill }
    }
  }
}

test('a bot that is killed again and again begins each message, and sends each of its replies once', { timeout: 180_000 }, async () => {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = await echoBot(room)
  const texts: string[] = []
  const kills = 5
  for (let round = 0; round < kills; round++) {
    const running = await bot.run()
    const mark = (await bot.journal()).length
    const batch = Array.from({ length: 6 }, (_, i) => `${round}.${i}`)
    texts.push(...batch)
    await Promise.all(batch.map((text) => room.send(text)))
    // Killed in the midst of a handling, now early and now late, and after another: who kills one three times over kills a bot by it.
    while (!(await bot.journal()).slice(mark).some((line) => line.startsWith('done'))) await delay(1)
    await delay(round * 5)
    await running.kill()
  }
  // What came while nobody was there, too.
  await room.send('while away')
  texts.push('while away')
  const running = await bot.run()
  await messagesUntil(room, (all) => all.filter(({ isOwn, text }) => !isOwn && text.startsWith('second')).length >= texts.length)
  await running.kill('SIGINT')

  const answers: string[] = []
  for await (const { isOwn, text } of room.messages()) if (!isOwn) answers.push(text)
  // Sessions count what was handled: a message whose handling was cut short is counted once.
  const counted = answers.map((text) => /^(?:first|second) (.*) ([0-9]+)$/.exec(text)!)
  expect(counted.map(([, text]) => text!).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(texts.flatMap((text) => [text, text]).toSorted((a, b) => (a < b ? -1 : 1)))
  expect(counted.map(([, , count]) => Number(count))).toEqual(texts.flatMap((_, i) => [i + 1, i + 1]))
  expect(answers.map((text) => text.split(' ')[0])).toEqual(texts.flatMap(() => ['first', 'second']))
  const journal = await bot.journal()
  expect(journal.filter((line) => line.startsWith('error'))).toEqual([])
  // Some were begun again, or the kills came at the wrong moments and showed nothing.
  expect(journal.some((line) => /^begun .* [2-9]$/.test(line))).toBe(true)
  const done = journal.filter((line) => line.startsWith('done'))
  expect(new Set(done).size).toBe(done.length)
})

test('a reply that was sent, and not yet noted when the process was killed, is not sent again', { timeout: 120_000 }, async () => {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = await echoBot(room)
  const first = await bot.run()
  await room.send('before')
  await messagesUntil(room, (all) => all.some(({ text }) => text.startsWith('second before')))
  // Both wait when the process ends, and the second is first in no order.
  await room.send('cut')
  await first.exited
  await room.send('cat')
  const second = await bot.run()
  await messagesUntil(room, (all) => ['cut', 'cat'].every((text) => all.some((each) => each.text.startsWith(`second ${text}`))))
  await second.kill('SIGINT')
  const answers: string[] = []
  for await (const { isOwn, text } of room.messages()) if (!isOwn) answers.push(text)
  expect(answers).toEqual(['first before 1', 'second before 1', 'first cut 2', 'second cut 2', 'first cat 3', 'second cat 3'])
  expect((await bot.journal()).filter((line) => line.startsWith('begun'))).toEqual(['begun before 1', 'begun cut 1', 'begun cut 2', 'begun cat 1'])
})

test('nor is one where something else was sent before it that is no reply', { timeout: 120_000 }, async () => {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = await echoBot(room)
  const first = await bot.run()
  await room.send('crossed')
  await first.exited
  const second = await bot.run()
  const answers = await messagesUntil(room, (all) => all.some(({ text }) => text === 'second crossed 1'))
  await second.kill('SIGINT')
  expect(answers.slice(1).map(({ text }) => text)).toEqual(['by the way', 'third crossed 1', 'first crossed 1', 'second crossed 1'])
})

test('a message that ends the process each time is passed over, and said so', { timeout: 120_000 }, async () => {
  const alice = await makePeer(net, 'Alice')
  const room = await alice.rooms.create({ name: 'Tea' })
  const bot = await echoBot(room)
  const first = await bot.run()
  await room.send('poison')
  await first.exited
  for (let i = 0; i < 2; i++) await (await bot.run()).exited
  const last = await bot.run()
  await room.send('after')
  await messagesUntil(room, (all) => all.some(({ text }) => text.startsWith('second after')))
  await last.kill('SIGINT')
  const journal = await bot.journal()
  expect(journal.filter((line) => line.startsWith('begun'))).toEqual(['begun poison 1', 'begun poison 2', 'begun poison 3', 'begun after 1'])
  expect(journal.filter((line) => line.startsWith('error'))).toEqual(['error BOT_MESSAGE_SKIPPED undefined'])
})

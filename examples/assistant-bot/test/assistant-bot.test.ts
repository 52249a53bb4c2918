import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBot, type Bot } from '@covey/bot'
import { testBot, type BotChat } from '@covey/bot/testing'
import { createLocalNetwork, createTestPeer, type LocalNetwork } from '@covey/testing'
import { localNetwork, type Room } from 'covey'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { assist, newMemory, type Memory } from '../src/assistant.js'
import { event, KEY, openEndpoint, type Asked } from './endpoint.js'

let network: LocalNetwork

beforeAll(async () => {
  network = await createLocalNetwork()
})
afterAll(() => network.close())

/** Somebody who talks to an assistant whose endpoint answers so. */
async function talk(answer: (response: ServerResponse, asked: Asked) => unknown, handlerTimeoutMs = 30_000) {
  const { url, asked } = await openEndpoint(answer)
  const bot: Bot<Memory> = await createBot({ name: 'assistant', network: localNetwork(network.bootstrap), session: newMemory, handlerTimeoutMs })
  const errors: string[] = []
  bot.events.on('error', (error) => errors.push(`${error.code} ${String(error.cause)}`))
  assist(bot, { url, key: KEY, model: 'small' })
  const chat: BotChat = testBot(bot)
  onTestFinished(async () => {
    await chat.close()
    await bot.close()
  })
  return { chat, asked, errors }
}

async function arrived(room: Room, text: string): Promise<void> {
  for await (const message of room.messages({ live: true })) if (message.text === text) return
}

it('sends each paragraph while the next is being written, and remembers', async () => {
  const first = 'The first paragraph. '.repeat(12).trim()
  let goOn = (): void => undefined
  const wanted = new Promise<void>((resolve) => (goOn = resolve))
  const { chat, asked, errors } = await talk(async (response, { body }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (body.messages.length > 2) return response.end(`${event('Yes.')}data: [DONE]\n\n`)
    // In the middle of a line, and of a character.
    const bytes = Buffer.from(`: a comment\n${event(`${first}\n\nSeco`)}${event('nd ☕.')}`)
    const cut = bytes.indexOf('☕') + 1
    response.write(bytes.subarray(0, cut))
    await wanted
    response.end(Buffer.concat([bytes.subarray(cut), Buffer.from('data: [DONE]\n\n'), Buffer.from(event('after the end'))]))
  })
  const room = await chat.room()
  const answered = chat.say('/ask What is tea?')
  await arrived(room, first)
  goOn()
  expect(await answered).toEqual([first, 'Second ☕.'])
  expect(asked[0]).toMatchObject({ path: '/v1/chat/completions', authorization: `Bearer ${KEY}`, body: { model: 'small', stream: true } })

  expect(await chat.say('/ask Really?')).toEqual(['Yes.'])
  expect(asked[1]!.body.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user'])
  expect(asked[1]!.body.messages[2]!.content).toBe(`${first}\n\nSecond ☕.\n\n`)
  expect(await chat.say('/forget')).toEqual(['Forgotten.'])
  await chat.say('/ask And now?')
  expect(asked[2]!.body.messages).toHaveLength(2)
  expect(errors).toEqual([])
})

it.each<[string, (response: ServerResponse) => unknown, string]>([
  ['refuses, and repeats the key', (response) => response.writeHead(401).end(`bad key ${KEY}`), 'The endpoint refused, with status 401.'],
  ['points elsewhere', (response) => response.writeHead(307, { location: 'http://127.0.0.1:9/' }).end(), 'The endpoint cannot be reached.'],
  ['sends no JSON', (response) => response.end('data: {oops\n\n'), 'The endpoint sent something that is no JSON.'],
  ['sends a line without an end', (response) => response.end(`data: ${'x'.repeat(70_000)}`), 'The endpoint sent a line without an end.'],
  ['hangs up', (response) => response.socket!.destroy(), 'The endpoint cannot be reached.']
])('says what is wrong when the endpoint %s, and no more', async (_, answer, problem) => {
  const { chat, errors } = await talk(answer)
  expect(await chat.say('/ask What?')).toEqual([`I have no answer. ${problem}`])
  expect(errors).toEqual([])
})

it('makes nothing of events that it does not know', async () => {
  const { chat } = await talk((response) => response.end(`data: null\n\ndata: 5\n\ndata: {"choices":[{"delta":{"content":7}}]}\n\nevent: x\n\n${event('fine')}`))
  expect(await chat.say('/ask What?')).toEqual(['fine'])
})

it('cuts an answer that does not end, and gives up one that does not come', async () => {
  const endless = await talk((response) => {
    const write = (): void => void (response.destroyed || response.write(event('word '.repeat(100)), () => setImmediate(write)))
    write()
  })
  const parts = await endless.chat.say('/ask For ever?')
  expect(parts.join(' ').length).toBeLessThanOrEqual(16_000)
  expect(parts.length).toBeGreaterThan(5)
  const silent = await talk(() => undefined, 500)
  expect(await silent.chat.say('/ask Anybody?')).toEqual([])
  expect(silent.errors).toEqual([expect.stringMatching(/^BOT_HANDLER_TIMEOUT/)])
})

it('sends no key over plain http to another machine', async () => {
  const bot = await createBot<Memory>({ name: 'assistant', network: localNetwork(network.bootstrap), session: newMemory })
  onTestFinished(() => bot.close())
  for (const url of ['http://example.org/v1', 'ftp://example.org', 'nonsense', 'http://127.0.0.1.example.org']) {
    expect(() => assist(bot, { url, key: KEY, model: 'small' })).toThrow('must begin with https://')
  }
})

it('prints nothing of the key, whatever goes wrong', async () => {
  const { url } = await openEndpoint((response) => response.writeHead(500).end(KEY))
  const [{ host, port }] = network.bootstrap as [{ host: string; port: number }]
  const alice = await createTestPeer({ network, name: 'Alice' })
  onTestFinished(() => alice.close())
  const room = await alice.rooms.create({ name: 'Tea' })
  const storage = await mkdtemp(join(tmpdir(), 'assistant-bot-'))
  onTestFinished(() => rm(storage, { recursive: true, force: true }))
  const args = ['--import', 'tsx', '-C', '@covey/source', 'src/main.ts', '--storage', storage, '--local', `${host}:${port}`, '--join', await room.createInvite()]
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, OPENAI_API_KEY: KEY, OPENAI_BASE_URL: url }
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)))
  await arrivedMember(room, 'assistant')
  await room.send('/ask What?')
  await arrived(room, 'I have no answer. The endpoint refused, with status 500.')
  child.kill('SIGINT')
  await once(child, 'close')
  expect(output).toContain('covey:invite/')
  expect(output).not.toContain(KEY)
})

async function arrivedMember(room: Room, name: string): Promise<void> {
  for (;;) {
    const changed = room.once('update')
    if ((await room.members()).some((member) => member.name === name)) return
    await changed
  }
}

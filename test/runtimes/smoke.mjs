// What an app does first, on any runtime: nothing here but public packages as they are built.
import { createBot } from '@covey/bot'
import { createLocalNetwork } from '@covey/testing'
import { createPeer, localNetwork } from 'covey'
import http from '#http'

const WAIT_MS = 30_000

// Bare has no global AbortSignal, so that an app there brings its own.
if (globalThis.AbortSignal === undefined) await import('bare-abort-controller/global')

const { Bare } = globalThis
const [, , folder] = Bare === undefined ? process.argv : Bare.argv

const network = await createLocalNetwork()
await talk({ network: localNetwork(network.bootstrap) }, folder)
await network.close()

// The same with no DHT: nobody listens on this port, and they find each other in the local network.
await talk({ network: localNetwork([{ host: '127.0.0.1', port: 9 }], { lan: true }) })

console.log(`ok ${Bare === undefined ? `node ${process.version}` : `bare ${Bare.version}`}`)

async function talk(options, storage) {
  const alice = await createPeer({ ...options, name: 'Alice', ...(storage && { storage }) })
  const bob = await createPeer({ ...options, name: 'Bob' })

  const room = await alice.rooms.create({ name: 'Tea' })
  const invite = await room.createInvite({ expiresInMs: WAIT_MS, uses: 1 })
  const joined = await bob.rooms.join(invite, { signal: AbortSignal.timeout(WAIT_MS) })

  await joined.send('hello')
  await read(room, 'hello')
  await room.send('hello yourself')
  await read(joined, 'hello yourself')

  const film = await alice.files.share(new Uint8Array(300_000).fill(7), { type: 'video/mp4' })
  await room.send(film.content)
  await play(await bob.files.open(film.content).url())

  const bot = await createBot({ ...options, name: 'echo' })
  bot.command('ping', 'answers pong', (ctx) => ctx.reply('pong'))
  await bot.start({ invite: false, print: () => undefined })
  await bot.join(await room.createInvite({ uses: 1 }))
  await room.send('/ping')
  await read(room, 'pong')
  await bot.close()

  await bob.close()
  await alice.close()
}

/** As a player does that goes on where it was. */
async function play(url) {
  const response = await new Promise((resolve, reject) => {
    http.request(url, { headers: { range: 'bytes=250000-' } }, resolve).on('error', reject).end()
  })
  let length = 0
  for await (const bytes of response) length += bytes.length
  const { 'content-range': range, 'content-type': type } = response.headers
  const got = `${response.statusCode} ${type} ${range} ${length}`
  if (got !== '206 video/mp4 bytes 250000-299999/300000 50000') throw new Error(`The player got ${got}.`)
}

async function read(room, text) {
  const messages = room.messages({ live: true, signal: AbortSignal.timeout(WAIT_MS) })
  for await (const message of messages) if (message.text === text) return
  throw new Error(`The messages ended before "${text}".`)
}

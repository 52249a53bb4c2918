// A process of its own, because an attack that succeeds stops it. Says what came of it as JSON.
import Hypercore from 'hypercore'
import Protomux from 'protomux'
import { guardConnection } from '../../src/internal/guards/guard-connection.js'

const [name, mode] = process.argv.slice(2)

/** What a module might forget: that a field of a peer's message may be absent. */
const HANDLERS: Readonly<Record<string, (text: string) => unknown>> = {
  throws: (text) => decode(text).name!.length,
  rejects: async (text) => decode(text).name!.length,
  'throws after others': (text) => (text === 'harmless' ? undefined : decode(text).name!.length)
}

function decode(text: string): { name: string | undefined } {
  return { name: text === 'whole' ? text : undefined }
}

function connect(received: string[]) {
  const [one, two] = [Hypercore.createProtocolStream(true), Hypercore.createProtocolStream(false)]
  one.pipe(two).pipe(one)
  const [near, far] = [one.noiseStream, two.noiseStream]
  for (const stream of [one, two]) stream.on('error', () => undefined)
  if (mode === 'guarded') guardConnection(near as never)
  const handle = (bytes: Uint8Array): unknown => {
    const text = Buffer.from(bytes).toString()
    received.push(text)
    return HANDLERS[name!]!(text)
  }
  const [, channel] = [near, far].map((stream, i) => {
    const onmessage = (i === 0 ? handle : () => undefined) as never
    const opened = Protomux.from(stream as never).createChannel({
      protocol: 'probe',
      messages: [{ onmessage }]
    })!
    opened.open()
    return opened
  })
  return { near, channel: channel! }
}

const first = connect([])
if (name === 'throws after others') first.channel.cork()
first.channel.messages[0]!.send(Buffer.from('harmless'))
first.channel.messages[0]!.send(Buffer.from('odd'))
if (name === 'throws after others') first.channel.uncork()
await new Promise((resolve) => first.near.on('close', () => resolve(undefined)))

const received: string[] = []
const second = connect(received)
second.channel.messages[0]!.send(Buffer.from('whole'))
await new Promise((resolve) => setTimeout(resolve, 300))
console.log(JSON.stringify({ received, isOpen: !second.near.destroyed }))
process.exit(0)

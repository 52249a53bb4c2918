// The attacker: writes with Hypercore alone, and then serves whoever asks for it. Says its key as JSON.
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import Corestore from 'corestore'
import { FLOODS, type FloodName } from './floods.js'

const { OplogMessage } = createRequire(import.meta.url)('autobase/lib/messages.js') as { OplogMessage: never }
const [name, port, folder] = process.argv.slice(2)
const store = new Corestore(folder!)
const core = store.get<object>({ name: 'writer', valueEncoding: OplogMessage, encryption: { key: new Uint8Array(32).fill(7) } })
await core.ready()

for (const append of FLOODS[name as FloodName](core.key!)) {
  await core.append(
    append.map(({ heads, batch, value }) => {
      const node = { heads, batch, value: Buffer.from(value) }
      return { version: 2, checkpoint: null, digest: null, optimistic: false, trace: null, node }
    })
  )
}
for (let i = 0; i < 2; i++) {
  const socket = connect(Number(port), '127.0.0.1')
  const stream = store.replicate(true)
  stream.on('error', () => undefined)
  socket.on('error', () => undefined)
  socket.pipe(stream as never)
  stream.pipe(socket as never)
}
console.log(JSON.stringify({ key: Buffer.from(core.key!).toString('hex'), bytes: core.byteLength }))

// One life of a device: says what it is told to, one after the other, and is killed at the moment at which the last of it
// is durable. What is durable is written to the standard output, a line each.
import { writeSync } from 'node:fs'
import { createPeer, localNetwork } from 'covey'

const [storage, bootstrap, mirrors, room, texts] = JSON.parse(process.argv[2]!) as [string, string[], string[], string, string[]]
const peer = await createPeer({ storage, network: localNetwork(bootstrap), mirrors })
const tea = peer.rooms.get(room)!
for (const [i, text] of texts.entries()) {
  const { id } = await tea.send(text)
  // All that was said, or this message: the one is as good as the other.
  await tea.durable({ ...(i % 2 === 1 && { message: id }), mirrors: mirrors.length, signal: AbortSignal.timeout(60_000) })
  writeSync(1, `${text}\n`)
}
process.kill(process.pid, 'SIGKILL')
